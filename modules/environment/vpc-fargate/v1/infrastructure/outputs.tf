output "region" {
  description = "Region of the environment."
  value       = var.aws_region
}

output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Addresses of the network."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Subnets that the internet reaches, with commas between them."
  value       = join(",", aws_subnet.public[*].id)
}

output "private_subnet_ids" {
  description = "Subnets that the internet does not reach, with commas between them."
  value       = join(",", aws_subnet.private[*].id)
}

output "nat" {
  description = "Whether private subnets reach the internet: none, single or zonal."
  value       = var.environment.inputs.nat

  # whoever relies on the way out gets it
  depends_on = [aws_route.private]
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "The ECS cluster, as an ARN."
  value       = aws_ecs_cluster.this.arn
}

output "log_group_name" {
  description = "Log group of the tasks."
  value       = aws_cloudwatch_log_group.this.name
}

output "namespace_id" {
  description = "Cloud Map namespace in which services register themselves."
  value       = aws_service_discovery_private_dns_namespace.this.id
}

output "namespace_name" {
  description = "Domain of the namespace, known in the network only."
  value       = aws_service_discovery_private_dns_namespace.this.name
}

output "execution_role_arn" {
  description = "Role with which ECS starts tasks, as an ARN."
  value       = aws_iam_role.execution.arn
}

output "execution_role_name" {
  description = "Role with which ECS starts tasks; services add what their secrets need."
  value       = aws_iam_role.execution.name
}

output "alarm_topic_arn" {
  description = "SNS topic for the alarms of services."
  value       = aws_sns_topic.alarms.arn
}
