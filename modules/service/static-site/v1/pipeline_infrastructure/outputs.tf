output "folder" {
  description = "Folder whose content is to be committed to the service's repository."
  value       = local.folder
}

output "files" {
  description = "The CI files in it."
  value       = join(" ", [for host in local.hosts : local.names[host]])
}

output "stages" {
  description = "What they deploy, in order."
  value       = join(" ", local.addresses)
}
