locals {
  name = "${var.service.name}-${var.service_instance.name}"

  # 80 characters are the most for a queue, seven of them for the one of failed messages
  queue = length(local.name) <= 73 ? local.name : "${substr(local.name, 0, 64)}-${substr(md5(local.name), 0, 8)}"

  # the part of a role's name in front of what AWS appends
  prefix = substr("${local.name}-", 0, 32)

  has_way_out = var.environment.outputs.nat != "none"

  sizes = {
    small  = { cpu = 256, memory = 512 }
    medium = { cpu = 512, memory = 1024 }
    large  = { cpu = 1024, memory = 2048 }
    huge   = { cpu = 2048, memory = 4096 }
  }
  size = local.sizes[var.service_instance.inputs.size]

  # What an attached component made: policies for the task, and texts for its environment.
  component = try(var.service_instance.components.default.outputs, {})
  policies  = { for name, value in local.component : name => value if can(regex("(?i)policy_?arn$", name)) }
  variables = merge(
    { QUEUE_URL = aws_sqs_queue.this.id },
    { for name, value in local.component : upper(name) => value if !contains(keys(local.policies), name) },
    var.service_instance.inputs.variables,
  )
}
