output "url" {
  description = "Where the site answers."
  value       = "http://${local.reach}:${local.port}/"
}

output "health_url" {
  description = "Answers `ok` as long as the server runs."
  value       = "http://${local.reach}:${local.port}/healthz"
}

output "address" {
  description = "Name of the site below the environment's domain."
  value       = local.address
}

output "content_dir" {
  description = "Folder whose files are served."
  value       = "${local.folder}/public"
}

output "pid_file" {
  description = "File whose first line is the process id of the server."
  value       = "${local.folder}/process.pid"
}

output "log_file" {
  description = "Log of the requests."
  value       = local.log
}
