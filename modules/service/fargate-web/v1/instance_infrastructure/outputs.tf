output "url" {
  description = "Where the service answers: at its load balancer, or, without one, inside the network."
  value = local.balanced == 1 ? (
    "${local.with_tls ? "https" : "http"}://${aws_lb.this[0].dns_name}/"
    ) : (
    "http://${local.host}.${var.environment.outputs.namespace_name}:${var.service_instance.inputs.port}/"
  )
}

output "address" {
  description = "Name by which other services of the environment find its tasks."
  value       = "${aws_service_discovery_service.this.name}.${var.environment.outputs.namespace_name}"
}

output "image" {
  description = "The image that runs."
  value       = var.service_instance.inputs.image
}

output "ecs_service_name" {
  description = "The ECS service."
  value       = aws_ecs_service.this.name
}

output "task_role_arn" {
  description = "What the program may do, as the ARN of its role."
  value       = aws_iam_role.task.arn
}

output "security_group_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.task.id
}

locals {
  console = "https://${var.environment.outputs.region}.console.aws.amazon.com"
}

output "dashboard_url" {
  description = "Its dashboard in CloudWatch."
  value       = "${local.console}/cloudwatch/home#dashboards:name=${aws_cloudwatch_dashboard.this.dashboard_name}"
}
