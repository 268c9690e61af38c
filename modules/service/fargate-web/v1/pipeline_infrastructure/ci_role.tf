# Jobs of GitHub or GitLab sign in with a token of their own: no key of AWS lies there.
locals {
  with_ci = var.pipeline.inputs.oidc_provider_arn != ""
  issuer  = element(split(":oidc-provider/", "${var.pipeline.inputs.oidc_provider_arn}:oidc-provider/"), 1)
  branch  = "repo:${var.service.repository_id}:ref:refs/heads/${var.service.branch_name}"
  subject = var.pipeline.inputs.oidc_subject != "" ? var.pipeline.inputs.oidc_subject : local.branch
}

data "aws_iam_policy_document" "ci_trust" {
  count = local.with_ci ? 1 : 0

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.pipeline.inputs.oidc_provider_arn]
    }

    condition {
      test     = "StringLike"
      variable = "${local.issuer}:sub"
      values   = [local.subject]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = [local.issuer == "token.actions.githubusercontent.com" ? "sts.amazonaws.com" : "https://${local.issuer}"]
    }
  }
}

resource "aws_iam_role" "ci" {
  count = local.with_ci ? 1 : 0

  name_prefix        = local.prefix
  description        = "Pushes images of ${var.service.name}"
  assume_role_policy = data.aws_iam_policy_document.ci_trust[0].json

  lifecycle {
    precondition {
      condition     = var.pipeline.inputs.oidc_subject != "" || var.service.repository_id != "" && var.service.branch_name != ""
      error_message = "Without oidc_subject the service needs a repository and a branch, or any job could take the role."
    }
  }
}

resource "aws_iam_role_policy" "ci" {
  count = local.with_ci ? 1 : 0

  name   = "push"
  role   = aws_iam_role.ci[0].id
  policy = data.aws_iam_policy_document.push.json
}
