locals {
  name = var.environment.name

  # the part of a name in front of what AWS appends; a role's name takes 64 characters, 26 of them appended
  prefix = substr("${local.name}-", 0, 32)
}
