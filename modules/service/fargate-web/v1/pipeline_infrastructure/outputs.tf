output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "ci_role_arn" {
  description = "Role that jobs of GitHub or GitLab take to push images; empty without an identity provider."
  value       = join("", aws_iam_role.ci[*].arn)
}

output "codebuild_project" {
  description = "The CodeBuild project; empty where there is none."
  value       = join("", aws_codebuild_project.this[*].name)
}

output "deploy_script" {
  description = "Shell commands that bring the image $IMAGE to all instances in order, for any pipeline."
  value       = local.deploy
}
