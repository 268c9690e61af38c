resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.environment.outputs.cluster_name}/${aws_ecs_service.this.name}"
  min_capacity       = var.service_instance.inputs.min_tasks
  max_capacity       = var.service_instance.inputs.max_tasks

  lifecycle {
    precondition {
      condition     = var.service_instance.inputs.min_tasks <= var.service_instance.inputs.max_tasks
      error_message = "min_tasks is more than max_tasks."
    }
  }
}

# One more task, five at ten times the backlog. The bounds of steps count from the threshold of the alarm.
resource "aws_appautoscaling_policy" "more" {
  name               = "${local.name}-more"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 60

    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = var.service_instance.inputs.backlog * 9
      scaling_adjustment          = 1
    }

    step_adjustment {
      metric_interval_lower_bound = var.service_instance.inputs.backlog * 9
      scaling_adjustment          = 5
    }
  }
}

# What is still worked on counts as work.
resource "aws_appautoscaling_policy" "less" {
  name               = "${local.name}-less"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ExactCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 60

    step_adjustment {
      metric_interval_upper_bound = 0
      scaling_adjustment          = var.service_instance.inputs.min_tasks
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "work" {
  alarm_name          = "${local.name}-work"
  alarm_description   = "Messages wait and nothing runs, or many wait: adds tasks. Nobody needs to look."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.service_instance.inputs.backlog
  evaluation_periods  = 1
  alarm_actions       = [aws_appautoscaling_policy.more.arn]

  # A few messages must not wait for more of them while no task runs: without tasks they count as a full backlog.
  metric_query {
    id          = "work"
    label       = "Work"
    expression  = "IF(waiting > 0 AND taken == 0 AND waiting < ${var.service_instance.inputs.backlog}, ${var.service_instance.inputs.backlog}, waiting)"
    return_data = true
  }

  metric_query {
    id = "waiting"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = local.queue_dimensions
      period      = 60
      stat        = "Maximum"
    }
  }

  metric_query {
    id = "taken"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesNotVisible"
      dimensions  = local.queue_dimensions
      period      = 60
      stat        = "Maximum"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "idle" {
  alarm_name          = "${local.name}-idle"
  alarm_description   = "There is nothing to do: takes tasks away. Nobody needs to look."
  comparison_operator = "LessThanOrEqualToThreshold"
  threshold           = 0
  evaluation_periods  = 5
  alarm_actions       = [aws_appautoscaling_policy.less.arn]

  metric_query {
    id          = "work"
    label       = "Work"
    expression  = "waiting + taken"
    return_data = true
  }

  metric_query {
    id = "waiting"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = local.queue_dimensions
      period      = 60
      stat        = "Maximum"
    }
  }

  metric_query {
    id = "taken"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesNotVisible"
      dimensions  = local.queue_dimensions
      period      = 60
      stat        = "Maximum"
    }
  }
}
