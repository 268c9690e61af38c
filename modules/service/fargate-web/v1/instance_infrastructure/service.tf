resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.size.cpu
  memory                   = local.size.memory
  execution_role_arn       = var.environment.outputs.execution_role_arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = jsonencode([{
    name         = "app"
    image        = var.service_instance.inputs.image
    essential    = true
    command      = var.service_instance.inputs.command
    portMappings = [{ containerPort = var.service_instance.inputs.port, hostPort = var.service_instance.inputs.port, protocol = "tcp" }]
    environment  = [for name, value in local.variables : { name = name, value = tostring(value) }]
    secrets      = [for name, arn in var.service_instance.inputs.secrets : { name = name, valueFrom = arn }]
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

  health_check_grace_period_seconds = local.balanced == 1 ? 60 : null

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = split(",", local.has_way_out ? var.environment.outputs.private_subnet_ids : var.environment.outputs.public_subnet_ids)
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = !local.has_way_out
  }

  service_registries {
    registry_arn = aws_service_discovery_service.this.arn
  }

  dynamic "load_balancer" {
    for_each = aws_lb_target_group.this

    content {
      target_group_arn = load_balancer.value.arn
      container_name   = "app"
      container_port   = var.service_instance.inputs.port
    }
  }

  # a target group takes tasks only once a listener leads to it
  depends_on = [aws_lb_listener.http, aws_lb_listener.https, aws_iam_role_policy.secrets]

  lifecycle {
    # autoscaling says how many there are
    ignore_changes = [desired_count]
  }
}

resource "aws_service_discovery_service" "this" {
  name = local.host

  dns_config {
    namespace_id = var.environment.outputs.namespace_id

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }
}

resource "aws_security_group" "task" {
  name_prefix = "${local.name}-task-"
  description = "Tasks of ${local.name}"
  vpc_id      = var.environment.outputs.vpc_id

  tags = { Name = "${local.name}-task" }

  lifecycle {
    create_before_destroy = true
  }
}

# The load balancer is in the network too.
resource "aws_security_group_rule" "task_in" {
  security_group_id = aws_security_group.task.id
  description       = "The network may ask"
  type              = "ingress"
  protocol          = "tcp"
  from_port         = var.service_instance.inputs.port
  to_port           = var.service_instance.inputs.port
  cidr_blocks       = [var.environment.outputs.vpc_cidr]
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
