output "log_file" {
  description = "One line a beat: time, count and message."
  value       = local.log
}

output "heartbeat_file" {
  description = "JSON of the last beat: count, time (UTC) and message."
  value       = "${local.folder}/heartbeat.json"
}

output "pid_file" {
  description = "File whose first line is the process id of the job."
  value       = "${local.folder}/process.pid"
}
