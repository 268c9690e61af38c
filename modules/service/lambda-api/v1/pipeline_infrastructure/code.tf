locals {
  prefix = substr("${var.service.name}-", 0, 32)

  # a bucket's name knows neither capitals nor underscores, and 37 characters leave room for what AWS appends
  bucket_prefix = substr("${lower(replace(var.service.name, "_", "-"))}-code-", 0, 37)
}

# Zip files of all commits. AWS encrypts them and refuses access rights for others by itself.
resource "aws_s3_bucket" "code" {
  bucket_prefix = local.bucket_prefix

  # a copy of what is in Git
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "code" {
  bucket                  = aws_s3_bucket.code.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Lambda reads the code with the rights of whoever deploys, in the account of the environment.
locals {
  accounts = sort(distinct([for instance in var.service_instances : instance.environment.account_id]))
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.code.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = local.accounts
    }
  }
}

resource "aws_s3_bucket_policy" "read" {
  count = length(local.accounts) == 0 ? 0 : 1

  bucket = aws_s3_bucket.code.id
  policy = data.aws_iam_policy_document.read.json

  # both change the same thing, and S3 refuses that at once
  depends_on = [aws_s3_bucket_public_access_block.code]
}

data "aws_iam_policy_document" "upload" {
  statement {
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.code.arn}/*"]
  }
}
