locals {
  alarm_actions = [var.environment.outputs.alarm_topic_arn]
  task_metrics  = ["ClusterName", var.environment.outputs.cluster_name, "ServiceName", local.name]
  lb_metrics    = ["LoadBalancer", join("", aws_lb.this[*].arn_suffix)]
  group_metrics = concat(["TargetGroup", join("", aws_lb_target_group.this[*].arn_suffix)], local.lb_metrics)
}

resource "aws_cloudwatch_metric_alarm" "usage" {
  for_each = { cpu = "CPUUtilization", memory = "MemoryUtilization" }

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "Tasks of ${local.name} use nearly all of their ${each.key}, and scaling has not helped."
  namespace           = "AWS/ECS"
  metric_name         = each.value
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
  period              = 60
  evaluation_periods  = 10
  treat_missing_data  = "missing"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions

  dimensions = { ClusterName = var.environment.outputs.cluster_name, ServiceName = local.name }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  count = local.balanced

  alarm_name          = "${local.name}-errors"
  alarm_description   = "${local.name} answers with server errors."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.service_instance.inputs.alarm_errors
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions

  dimensions = {
    LoadBalancer = aws_lb.this[0].arn_suffix
    TargetGroup  = aws_lb_target_group.this[0].arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  count = local.balanced

  alarm_name          = "${local.name}-unhealthy"
  alarm_description   = "The load balancer finds no healthy task of ${local.name}."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions

  dimensions = {
    LoadBalancer = aws_lb.this[0].arn_suffix
    TargetGroup  = aws_lb_target_group.this[0].arn_suffix
  }
}

locals {
  task_widgets = [
    {
      title = "CPU and memory of tasks, percent"
      metrics = [
        concat(["AWS/ECS", "CPUUtilization"], local.task_metrics),
        concat(["AWS/ECS", "MemoryUtilization"], local.task_metrics),
      ]
    },
  ]
  balancer_widgets = [
    {
      title = "Requests and server errors a minute"
      metrics = [
        concat(["AWS/ApplicationELB", "RequestCount"], local.group_metrics, [{ stat = "Sum" }]),
        concat(["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"], local.group_metrics, [{ stat = "Sum" }]),
      ]
    },
    {
      title   = "Seconds until the answer, 95 of 100 requests"
      metrics = [concat(["AWS/ApplicationELB", "TargetResponseTime"], local.group_metrics, [{ stat = "p95" }])]
    },
  ]
  graphs = concat(local.task_widgets, [for graph in local.balancer_widgets : graph if local.balanced == 1])
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
          stat    = "Average"
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
          query  = "SOURCE '${var.environment.outputs.log_group_name}' | filter @logStream like /^${local.name}\\// | fields @timestamp, @message | sort @timestamp desc | limit 100"
          region = var.environment.outputs.region
          view   = "table"
        }
      }],
    )
  })
}
