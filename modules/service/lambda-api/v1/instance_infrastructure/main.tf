locals {
  # 64 characters are the most for a function
  long = "${var.service.name}-${var.service_instance.name}"
  name = length(local.long) <= 64 ? local.long : "${substr(local.long, 0, 55)}-${substr(md5(local.long), 0, 8)}"

  # the part of a role's name in front of what AWS appends
  prefix = substr("${local.name}-", 0, 32)

  hello   = "${path.module}/files/hello.zip"
  is_ours = var.service_instance.inputs.code_bucket == ""

  # What an attached component made: policies for the function, and texts for its environment.
  component = try(var.service_instance.components.default.outputs, {})
  policies  = { for name, value in local.component : name => value if can(regex("(?i)policy_?arn$", name)) }
  variables = merge(
    { LANDFORM_SERVICE = local.name },
    { for name, value in local.component : upper(name) => value if !contains(keys(local.policies), name) },
    var.service_instance.inputs.variables,
  )
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.service_instance.inputs.log_retention_days
}

resource "aws_lambda_function" "this" {
  function_name = local.name
  description   = "${var.service.name}, instance ${var.service_instance.name}, in ${var.environment.name}"
  role          = aws_iam_role.this.arn
  runtime       = var.service_instance.inputs.runtime
  handler       = var.service_instance.inputs.handler
  memory_size   = var.service_instance.inputs.memory_mb
  timeout       = var.service_instance.inputs.timeout_s

  filename         = local.is_ours ? local.hello : null
  source_code_hash = local.is_ours ? filebase64sha256(local.hello) : null
  s3_bucket        = local.is_ours ? null : var.service_instance.inputs.code_bucket
  s3_key           = local.is_ours ? null : var.service_instance.inputs.code_key

  environment {
    variables = local.variables
  }

  dynamic "vpc_config" {
    for_each = aws_security_group.this

    content {
      subnet_ids         = split(",", var.environment.outputs.private_subnet_ids)
      security_group_ids = [vpc_config.value.id]
    }
  }

  # Lambda would make a log group that keeps everything
  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.this]

  lifecycle {
    precondition {
      condition     = local.is_ours == (var.service_instance.inputs.code_key == "")
      error_message = "code_bucket and code_key belong together: give both, or none."
    }
  }
}

resource "aws_security_group" "this" {
  count = var.service_instance.inputs.in_network ? 1 : 0

  name_prefix = "${local.name}-"
  description = "Function ${local.name}"
  vpc_id      = var.environment.outputs.vpc_id

  tags = { Name = local.name }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "out" {
  count = var.service_instance.inputs.in_network ? 1 : 0

  security_group_id = aws_security_group.this[0].id
  description       = "It may reach everything"
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}
