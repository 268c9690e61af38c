output "bucket" {
  description = "Where zip files of code are uploaded to."
  value       = aws_s3_bucket.code.id
}

output "ci_role_arn" {
  description = "Role that jobs of GitHub or GitLab take to upload code; empty without an identity provider."
  value       = join("", aws_iam_role.ci[*].arn)
}

output "deploy_script" {
  description = "Shell commands that bring the zip file $CODE_KEY to all instances in order, for any pipeline."

  # in the order in which the instances stand in the spec
  value = templatefile("${path.module}/files/deploy.sh.tftpl", {
    bucket    = aws_s3_bucket.code.id
    service   = var.service.name
    instances = [for instance in var.service_instances : instance.name]
    automatic = var.pipeline.inputs.automatic
  })
}
