locals {
  alarm_actions     = [var.environment.outputs.alarm_topic_arn]
  queue_dimensions  = { QueueName = aws_sqs_queue.this.name }
  failed_dimensions = { QueueName = aws_sqs_queue.failed.name }
}

resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name          = "${local.name}-age"
  alarm_description   = "Messages for ${local.name} wait too long."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.service_instance.inputs.alarm_age_s
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  dimensions          = local.queue_dimensions
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${local.name}-failed"
  alarm_description   = "Messages for ${local.name} have failed and wait for a person."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  dimensions          = local.failed_dimensions
}

locals {
  graphs = [
    {
      title = "Messages that wait, are worked on, have failed"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.this.name],
        ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", aws_sqs_queue.this.name],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.failed.name],
      ]
    },
    {
      title   = "Seconds that the oldest message waits"
      metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.this.name]]
    },
    {
      title = "CPU and memory of tasks, percent"
      metrics = [
        ["AWS/ECS", "CPUUtilization", "ClusterName", var.environment.outputs.cluster_name, "ServiceName", local.name],
        ["AWS/ECS", "MemoryUtilization", "ClusterName", var.environment.outputs.cluster_name, "ServiceName", local.name],
      ]
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
          stat    = "Maximum"
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
