locals {
  alarm_actions  = [var.environment.outputs.alarm_topic_arn]
  function_alarm = { FunctionName = local.name }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${local.name}-errors"
  alarm_description   = "Calls of ${local.name} fail."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.service_instance.inputs.alarm_errors
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  dimensions          = local.function_alarm
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  alarm_name          = "${local.name}-throttles"
  alarm_description   = "Lambda refuses calls of ${local.name}: too many at once for the account."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  dimensions          = local.function_alarm
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "${local.name}-latency"
  alarm_description   = "1 of 100 answers of ${local.name} takes too long."
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  extended_statistic  = "p99"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.service_instance.inputs.alarm_latency_ms
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  dimensions          = { ApiId = aws_apigatewayv2_api.this.id }
}

locals {
  api_metrics      = ["ApiId", aws_apigatewayv2_api.this.id]
  function_metrics = ["FunctionName", local.name]
  graphs = [
    {
      title = "Requests and errors a minute"
      metrics = [
        concat(["AWS/ApiGateway", "Count"], local.api_metrics),
        concat(["AWS/ApiGateway", "4xx"], local.api_metrics),
        concat(["AWS/ApiGateway", "5xx"], local.api_metrics),
      ]
    },
    {
      title = "Milliseconds until the answer"
      metrics = [
        concat(["AWS/ApiGateway", "Latency"], local.api_metrics, [{ stat = "p50" }]),
        concat(["AWS/ApiGateway", "Latency"], local.api_metrics, [{ stat = "p99" }]),
      ]
    },
    {
      title = "Calls, errors and throttles a minute"
      metrics = [
        concat(["AWS/Lambda", "Invocations"], local.function_metrics),
        concat(["AWS/Lambda", "Errors"], local.function_metrics),
        concat(["AWS/Lambda", "Throttles"], local.function_metrics),
      ]
    },
    {
      title   = "Calls at once"
      metrics = [concat(["AWS/Lambda", "ConcurrentExecutions"], local.function_metrics, [{ stat = "Maximum" }])]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = concat(
      [for place, graph in local.graphs : {
        type   = "metric"
        x      = place % 2 * 12
        y      = floor(place / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = graph.title
          metrics = graph.metrics
          region  = var.environment.outputs.region
          period  = 60
          stat    = "Sum"
          view    = "timeSeries"
        }
      }],
      [{
        type   = "log"
        x      = 0
        y      = 12
        width  = 24
        height = 6
        properties = {
          title  = "Last words"
          query  = "SOURCE '${aws_cloudwatch_log_group.function.name}' | fields @timestamp, @message | sort @timestamp desc | limit 100"
          region = var.environment.outputs.region
          view   = "table"
        }
      }],
    )
  })
}
