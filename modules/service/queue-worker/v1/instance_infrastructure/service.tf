resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.size.cpu
  memory                   = local.size.memory
  execution_role_arn       = var.environment.outputs.execution_role_arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = jsonencode([{
    name        = "app"
    image       = var.service_instance.inputs.image
    essential   = true
    command     = var.service_instance.inputs.command
    stopTimeout = min(120, max(30, var.service_instance.inputs.message_timeout_s))
    environment = [for name, value in local.variables : { name = name, value = tostring(value) }]
    secrets     = [for name, arn in var.service_instance.inputs.secrets : { name = name, valueFrom = arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.environment.outputs.log_group_name
        awslogs-region        = var.environment.outputs.region
        awslogs-stream-prefix = local.name
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name            = local.name
  cluster         = var.environment.outputs.cluster_arn
  task_definition = aws_ecs_task_definition.this.arn
  launch_type     = "FARGATE"
  desired_count   = var.service_instance.inputs.min_tasks
  propagate_tags  = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = split(",", local.has_way_out ? var.environment.outputs.private_subnet_ids : var.environment.outputs.public_subnet_ids)
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = !local.has_way_out
  }

  depends_on = [aws_iam_role_policy.secrets, aws_iam_role_policy.work]

  lifecycle {
    # autoscaling says how many there are
    ignore_changes = [desired_count]
  }
}

# Nobody may ask the tasks for anything.
resource "aws_security_group" "task" {
  name_prefix = "${local.name}-task-"
  description = "Tasks of ${local.name}"
  vpc_id      = var.environment.outputs.vpc_id

  tags = { Name = "${local.name}-task" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "task_out" {
  security_group_id = aws_security_group.task.id
  description       = "Tasks may reach everything"
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}
