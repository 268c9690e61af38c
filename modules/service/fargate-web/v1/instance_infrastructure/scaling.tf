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

resource "aws_appautoscaling_policy" "cpu" {
  name               = "${local.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.service_instance.inputs.cpu_percent
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
