terraform {
  required_version = ">= 1.4.0"
}

locals {
  name    = "${var.service.name}.${var.service_instance.name}"
  folder  = "${var.environment.outputs.content_root}/${local.name}"
  log     = try("${var.environment.outputs.log_root}/${local.name}.log", "${local.folder}/server.log")
  host    = "127.0.0.1"
  port    = var.service_instance.inputs.port
  address = "${var.service_instance.name}.${var.service.name}.${var.environment.outputs.domain}"

  page = {
    title   = var.service_instance.inputs.title
    message = var.service_instance.inputs.message
    colour  = var.service_instance.inputs.colour
    theme   = var.service_instance.inputs.theme
    place   = "${var.environment.name} (${var.environment.outputs.tier})"
    address = local.address
  }
}

# Created first, without a provisioner that could fail, and destroyed last: whatever became of the other two, destroying
# this one leaves no process and no folder. Its id is the owner written into the folder.
resource "terraform_data" "folder" {
  input            = { folder = local.folder, log = local.log }
  triggers_replace = local.folder

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["python3", "-EsB", "${path.module}/files/serve.py"]
    command     = "remove"
    environment = {
      JOB_FOLDER = self.input.folder
      JOB_OWNER  = self.id
      JOB_LOG    = self.input.log
    }
  }
}

# The page. A new text writes it anew; the server below goes on and shows it with the next request.
resource "terraform_data" "content" {
  triggers_replace = {
    folder   = terraform_data.folder.id
    page     = local.page
    template = filesha256("${path.module}/files/page.html")
    program  = filesha256("${path.module}/files/publish.py")
  }

  provisioner "local-exec" {
    interpreter = ["python3", "-EsB", "${path.module}/files/publish.py"]
    command     = "publish"
    environment = {
      JOB_FOLDER = local.folder
      JOB_OWNER  = terraform_data.folder.id
      JOB_LOG    = local.log
      SITE_PAGE  = jsonencode(local.page)
    }
  }
}

# The process. It is replaced when it has to start anew.
resource "terraform_data" "server" {
  depends_on = [terraform_data.content]

  input = { folder = local.folder, log = local.log, owner = terraform_data.folder.id }
  triggers_replace = {
    folder  = terraform_data.folder.id
    host    = local.host
    port    = local.port
    log     = local.log
    restart = var.service_instance.inputs.restart
    program = sha256(join("", [for name in ["daemon.py", "serve.py"] : filesha256("${path.module}/files/${name}")]))
  }

  provisioner "local-exec" {
    interpreter = ["python3", "-EsB", "${path.module}/files/serve.py"]
    command     = "start"
    environment = {
      JOB_FOLDER = local.folder
      JOB_OWNER  = terraform_data.folder.id
      JOB_LOG    = local.log
      SITE_HOST  = local.host
      SITE_PORT  = local.port
    }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["python3", "-EsB", "${path.module}/files/serve.py"]
    command     = "stop"
    environment = {
      JOB_FOLDER = self.input.folder
      JOB_OWNER  = self.input.owner
      JOB_LOG    = self.input.log
    }
  }
}
