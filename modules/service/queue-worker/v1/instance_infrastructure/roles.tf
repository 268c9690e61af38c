data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# What the program may do: nothing, until a component brings a policy.
resource "aws_iam_role" "task" {
  name_prefix        = local.prefix
  description        = "What ${local.name} may do"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "component" {
  for_each = local.policies

  role       = aws_iam_role.task.name
  policy_arn = each.value
}

# What ECS has to read before the program starts. A secret of Secrets Manager may name a key after its seventh colon.
locals {
  secrets = [for arn in values(var.service_instance.inputs.secrets) : split(":", arn)]
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
    resources = [for words in local.secrets : join(":", slice(words, 0, min(7, length(words))))]
  }
}

resource "aws_iam_role_policy" "secrets" {
  count = length(var.service_instance.inputs.secrets) == 0 ? 0 : 1

  name   = "secrets-${local.name}"
  role   = var.environment.outputs.execution_role_name
  policy = data.aws_iam_policy_document.secrets.json
}
