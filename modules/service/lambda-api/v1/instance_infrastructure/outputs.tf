output "url" {
  description = "Where the API answers."
  value       = aws_apigatewayv2_stage.this.invoke_url
}

output "function_name" {
  description = "The Lambda function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "The Lambda function, as an ARN."
  value       = aws_lambda_function.this.arn
}

output "role_arn" {
  description = "What the function may do, as the ARN of its role."
  value       = aws_iam_role.this.arn
}

output "log_group_name" {
  description = "Log group of the function."
  value       = aws_cloudwatch_log_group.function.name
}

locals {
  console = "https://${var.environment.outputs.region}.console.aws.amazon.com"
}

output "dashboard_url" {
  description = "Its dashboard in CloudWatch."
  value       = "${local.console}/cloudwatch/home#dashboards:name=${aws_cloudwatch_dashboard.this.dashboard_name}"
}
