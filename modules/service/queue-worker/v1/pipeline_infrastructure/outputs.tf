output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "ci_role_arn" {
  description = "Role that jobs of GitHub or GitLab take to push images; empty without an identity provider."
  value       = join("", aws_iam_role.ci[*].arn)
}

output "deploy_script" {
  description = "Shell commands that bring the image $IMAGE to all instances in order, for any pipeline."

  # in the order in which the instances stand in the spec
  value = templatefile("${path.module}/files/deploy.sh.tftpl", {
    service   = var.service.name
    instances = [for instance in var.service_instances : instance.name]
    automatic = var.pipeline.inputs.automatic
  })
}
