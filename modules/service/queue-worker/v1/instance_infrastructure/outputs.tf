output "queue_url" {
  description = "Where messages are sent to."
  value       = aws_sqs_queue.this.id
}

output "queue_arn" {
  description = "The queue, as an ARN."
  value       = aws_sqs_queue.this.arn
}

output "failed_queue_url" {
  description = "Where messages go that failed too often."
  value       = aws_sqs_queue.failed.id
}

output "send_policy_arn" {
  description = "Policy for whoever puts messages into the queue, as an ARN."
  value       = aws_iam_policy.send.arn
}

output "ecs_service_name" {
  description = "The ECS service."
  value       = aws_ecs_service.this.name
}

output "image" {
  description = "The image that runs."
  value       = var.service_instance.inputs.image
}

output "task_role_arn" {
  description = "What the program may do, as the ARN of its role."
  value       = aws_iam_role.task.arn
}

locals {
  console = "https://${var.environment.outputs.region}.console.aws.amazon.com"
}

output "dashboard_url" {
  description = "Its dashboard in CloudWatch."
  value       = "${local.console}/cloudwatch/home#dashboards:name=${aws_cloudwatch_dashboard.this.dashboard_name}"
}
