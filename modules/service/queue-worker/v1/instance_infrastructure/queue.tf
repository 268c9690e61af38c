resource "aws_sqs_queue" "failed" {
  name                      = "${local.queue}-failed"
  message_retention_seconds = 14 * 24 * 60 * 60
  kms_master_key_id         = "alias/aws/sqs"
}

resource "aws_sqs_queue" "this" {
  name                       = local.queue
  message_retention_seconds  = var.service_instance.inputs.keep_days * 24 * 60 * 60
  visibility_timeout_seconds = var.service_instance.inputs.message_timeout_s
  receive_wait_time_seconds  = 20
  kms_master_key_id          = "alias/aws/sqs"

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed.arn
    maxReceiveCount     = var.service_instance.inputs.tries
  })
}

data "aws_iam_policy_document" "work" {
  statement {
    actions = [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
    ]
    resources = [aws_sqs_queue.this.arn]
  }
}

resource "aws_iam_role_policy" "work" {
  name   = "work"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.work.json
}

# For those who put work into the queue.
data "aws_iam_policy_document" "send" {
  statement {
    actions   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
    resources = [aws_sqs_queue.this.arn]
  }
}

resource "aws_iam_policy" "send" {
  name_prefix = "${local.name}-send-"
  description = "Puts messages into the queue of ${local.name}"
  policy      = data.aws_iam_policy_document.send.json
}
