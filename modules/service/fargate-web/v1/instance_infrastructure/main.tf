locals {
  name = "${var.service.name}-${var.service_instance.name}"

  # domains and load balancers know neither capitals nor underscores, and 63 and 32 characters are the most
  plain = lower(replace(local.name, "_", "-"))
  short = { for size in [32, 63] : size =>
    length(local.plain) <= size ? local.plain : "${substr(local.plain, 0, size - 9)}-${substr(md5(local.plain), 0, 8)}"
  }
  host = local.short[63]

  # the part of a role's name in front of what AWS appends
  prefix = substr("${local.name}-", 0, 32)

  has_way_out = var.environment.outputs.nat != "none"
  balanced    = var.service_instance.inputs.load_balancer == "none" ? 0 : 1
  with_tls    = local.balanced == 1 && var.service_instance.inputs.certificate_arn != ""

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
    { for name, value in local.component : upper(name) => value if !contains(keys(local.policies), name) },
    var.service_instance.inputs.variables,
  )
}
