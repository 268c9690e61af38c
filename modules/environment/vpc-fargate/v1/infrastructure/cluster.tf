resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = var.environment.inputs.container_insights ? "enabled" : "disabled"
  }
}

locals {
  # a domain knows neither capitals nor underscores
  domain = "${lower(replace(local.name, "_", "-"))}.internal"
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/landform/${local.name}"
  retention_in_days = var.environment.inputs.log_retention_days
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = var.environment.inputs.namespace == "" ? local.domain : var.environment.inputs.namespace
  description = "Services of ${local.name}"
  vpc         = aws_vpc.this.id
}

# What ECS does on behalf of a task before it runs. What the task may do itself is for its service to say.
data "aws_iam_policy_document" "execution_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
    ]
    resources = ["*"]
  }

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }
}

resource "aws_iam_role" "execution" {
  name_prefix        = local.prefix
  description        = "Starts tasks in ${local.name}"
  assume_role_policy = data.aws_iam_policy_document.execution_trust.json
}

resource "aws_iam_role_policy" "execution" {
  name   = "execution"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}
