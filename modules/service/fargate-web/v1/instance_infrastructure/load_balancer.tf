resource "aws_security_group" "balancer" {
  count = local.balanced

  name_prefix = "${local.name}-balancer-"
  description = "Load balancer of ${local.name}"
  vpc_id      = var.environment.outputs.vpc_id

  tags = { Name = "${local.name}-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "balancer_in" {
  for_each = local.balanced == 0 ? [] : toset(local.with_tls ? ["80", "443"] : ["80"])

  security_group_id = aws_security_group.balancer[0].id
  description       = "Those it is meant for may ask"
  type              = "ingress"
  protocol          = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
  cidr_blocks       = [var.service_instance.inputs.load_balancer == "public" ? "0.0.0.0/0" : var.environment.outputs.vpc_cidr]
}

resource "aws_security_group_rule" "balancer_out" {
  count = local.balanced

  security_group_id        = aws_security_group.balancer[0].id
  description              = "It asks the tasks only"
  type                     = "egress"
  protocol                 = "tcp"
  from_port                = var.service_instance.inputs.port
  to_port                  = var.service_instance.inputs.port
  source_security_group_id = aws_security_group.task.id
}

locals {
  is_internal         = var.service_instance.inputs.load_balancer == "internal"
  balancer_subnet_ids = local.is_internal ? var.environment.outputs.private_subnet_ids : var.environment.outputs.public_subnet_ids
}

resource "aws_lb" "this" {
  count = local.balanced

  name                       = local.short[32]
  internal                   = local.is_internal
  load_balancer_type         = "application"
  subnets                    = split(",", local.balancer_subnet_ids)
  security_groups            = [aws_security_group.balancer[0].id]
  drop_invalid_header_fields = true
}

resource "aws_lb_target_group" "this" {
  count = local.balanced

  name_prefix          = substr("${local.plain}-", 0, 6)
  vpc_id               = var.environment.outputs.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.service_instance.inputs.port
  deregistration_delay = 30

  health_check {
    path    = var.service_instance.inputs.health_check_path
    matcher = "200-399"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "http" {
  count = local.balanced

  load_balancer_arn = aws_lb.this[0].arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type             = local.with_tls ? "redirect" : "forward"
    target_group_arn = local.with_tls ? null : aws_lb_target_group.this[0].arn

    dynamic "redirect" {
      for_each = local.with_tls ? [443] : []

      content {
        protocol    = "HTTPS"
        port        = redirect.value
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  count = local.with_tls ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS-1-2-2017-01"
  certificate_arn   = var.service_instance.inputs.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }
}
