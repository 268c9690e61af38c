terraform {
  required_version = ">= 1.4.0"
}

locals {
  # stages in the order of the service's spec: what comes first is deployed first
  addresses = [for instance in var.service_instances : "service/${var.service.name}/${instance.name}"]
  roots     = [for instance in var.service_instances : instance.environment.outputs.content_root]
  folder = (
    var.pipeline.inputs.folder != "" ? var.pipeline.inputs.folder : try("${local.roots[0]}/${var.service.name}.ci", "")
  )
  values = {
    service   = var.service.name
    branch    = coalesce(var.service.branch_name, "main")
    spec      = var.pipeline.inputs.spec
    install   = var.pipeline.inputs.install
    addresses = local.addresses
  }
  texts = {
    github = templatefile("${path.module}/files/github.yml.tftpl", local.values)
    gitlab = templatefile("${path.module}/files/gitlab.yml.tftpl", local.values)
  }
  names = {
    github = ".github/workflows/${var.service.name}.yml"
    gitlab = ".gitlab-ci.yml"
  }
  hosts = var.pipeline.inputs.host == "both" ? ["github", "gitlab"] : [var.pipeline.inputs.host]
}

# One file a host, in the folder that is committed. It is written anew whenever the set of instances changes, and removed
# with the service unless somebody has changed it since.
resource "terraform_data" "file" {
  for_each = toset(local.hosts)

  input = { path = "${local.folder}/${local.names[each.key]}", text = local.texts[each.key] }
  triggers_replace = {
    path    = "${local.folder}/${local.names[each.key]}"
    text    = local.texts[each.key]
    program = filesha256("${path.module}/files/write.py")
  }

  lifecycle {
    precondition {
      condition     = local.folder != ""
      error_message = "There is no folder to write to: the service has no instance, and the input folder is empty."
    }
  }

  provisioner "local-exec" {
    interpreter = ["python3", "-EsB", "${path.module}/files/write.py"]
    command     = "write"
    environment = {
      CI_FILE = self.input.path
      CI_TEXT = self.input.text
    }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["python3", "-EsB", "${path.module}/files/write.py"]
    command     = "remove"
    environment = {
      CI_FILE = self.input.path
      CI_TEXT = self.input.text
    }
  }
}
