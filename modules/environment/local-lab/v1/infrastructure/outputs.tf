output "content_root" {
  description = "Folder below which services keep their content."
  value       = local.content
}

output "domain" {
  description = "Domain below which services are named."
  value       = var.environment.inputs.domain
}

output "tier" {
  description = "What the environment is for: dev, staging or prod."
  value       = var.environment.inputs.tier
}
