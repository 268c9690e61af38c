resource "aws_apigatewayv2_api" "this" {
  name          = local.name
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = length(var.service_instance.inputs.cors_origins) == 0 ? [] : [var.service_instance.inputs.cors_origins]

    content {
      allow_origins = cors_configuration.value
      allow_methods = ["*"]
      allow_headers = ["authorization", "content-type"]
      max_age       = 600
    }
  }
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  api_id    = aws_apigatewayv2_api.this.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_cloudwatch_log_group" "requests" {
  name              = "/landform/${var.environment.name}/${local.name}/requests"
  retention_in_days = var.service_instance.inputs.log_retention_days
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.requests.arn
    format = jsonencode({
      request = "$context.requestId"
      time    = "$context.requestTimeEpoch"
      source  = "$context.identity.sourceIp"
      method  = "$context.httpMethod"
      path    = "$context.path"
      status  = "$context.status"
      latency = "$context.responseLatency"
      error   = "$context.integrationErrorMessage"
    })
  }

  default_route_settings {
    throttling_burst_limit = var.service_instance.inputs.burst
    throttling_rate_limit  = var.service_instance.inputs.requests_per_s
  }

  depends_on = [aws_apigatewayv2_route.this]

  lifecycle {
    # each deployment of its own makes another
    ignore_changes = [deployment_id]
  }
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*"
}
