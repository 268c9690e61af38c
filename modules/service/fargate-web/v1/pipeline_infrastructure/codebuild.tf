locals {
  builders = var.pipeline.inputs.codebuild ? 1 : 0
  deploys  = var.pipeline.inputs.catalog_secret_arn != ""

  # in the order in which the instances stand in the spec
  deploy = templatefile("${path.module}/files/deploy.sh.tftpl", {
    service   = var.service.name
    instances = [for instance in var.service_instances : instance.name]
    automatic = var.pipeline.inputs.automatic
  })
}

data "aws_iam_policy_document" "build_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codebuild.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "build" {
  count = local.builders

  source_policy_documents = [data.aws_iam_policy_document.push.json]

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.build[0].arn}:*"]
  }

  dynamic "statement" {
    for_each = local.deploys ? [var.pipeline.inputs.catalog_secret_arn] : []

    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "build" {
  count = local.builders

  name_prefix        = local.prefix
  description        = "Builds and deploys ${var.service.name}"
  assume_role_policy = data.aws_iam_policy_document.build_trust.json
}

resource "aws_iam_role_policy" "build" {
  count = local.builders

  name   = "build"
  role   = aws_iam_role.build[0].id
  policy = data.aws_iam_policy_document.build[0].json
}

resource "aws_cloudwatch_log_group" "build" {
  count = local.builders

  name              = "/landform/pipeline/${var.service.name}"
  retention_in_days = 30
}

resource "aws_codebuild_project" "this" {
  count = local.builders

  name           = var.service.name
  description    = "Builds ${var.service.name} and deploys it"
  service_role   = aws_iam_role.build[0].arn
  source_version = var.service.branch_name
  build_timeout  = 480

  artifacts {
    type = "NO_ARTIFACTS"
  }

  source {
    type            = "GITHUB"
    location        = "https://github.com/${var.service.repository_id}.git"
    git_clone_depth = 1
    buildspec = templatefile("${path.module}/files/buildspec.yml.tftpl", {
      repository = aws_ecr_repository.this.repository_url
      deploy     = local.deploys ? local.deploy : ""
    })
  }

  environment {
    type            = "LINUX_CONTAINER"
    compute_type    = "BUILD_GENERAL1_SMALL"
    image           = "aws/codebuild/standard:7.0"
    privileged_mode = true

    dynamic "environment_variable" {
      for_each = local.deploys ? [var.pipeline.inputs.catalog_secret_arn] : []

      content {
        name  = "LANDFORM_CATALOG"
        type  = "SECRETS_MANAGER"
        value = environment_variable.value
      }
    }
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.build[0].name
    }
  }

  lifecycle {
    precondition {
      condition     = var.service.repository_id != "" && var.service.branch_name != ""
      error_message = "CodeBuild needs the repository and the branch of the service."
    }
  }
}
