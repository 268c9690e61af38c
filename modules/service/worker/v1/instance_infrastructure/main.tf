terraform {
  required_version = ">= 1.4.0"
}

locals {
  name   = "${var.service.name}.${var.service_instance.name}"
  folder = "${var.environment.outputs.content_root}/${local.name}"
  log    = try("${var.environment.outputs.log_root}/${local.name}.log", "${local.folder}/job.log")

  job = {
    message          = var.service_instance.inputs.message
    interval_seconds = var.service_instance.inputs.interval_seconds
  }
}

# Created first, without a provisioner that could fail, and destroyed last: whatever became of the other two, destroying
# this one leaves no process and no folder. Its id is the owner written into the folder.
resource "terraform_data" "folder" {
  input            = { folder = local.folder, log = local.log }
  triggers_replace = local.folder

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["python3", "-EsB", "${path.module}/files/job.py"]
    command     = "remove"
    environment = {
      JOB_FOLDER = self.input.folder
      JOB_OWNER  = self.id
      JOB_LOG    = self.input.log
    }
  }
}

# What the job does. The process below goes on and reads it before its next beat.
resource "terraform_data" "job" {
  triggers_replace = { folder = terraform_data.folder.id, job = local.job }

  provisioner "local-exec" {
    interpreter = ["python3", "-EsB", "${path.module}/files/job.py"]
    command     = "publish"
    environment = {
      JOB_FOLDER = local.folder
      JOB_OWNER  = terraform_data.folder.id
      JOB_LOG    = local.log
      JOB_SPEC   = jsonencode(local.job)
    }
  }
}

# The process. It is replaced when it has to start anew.
resource "terraform_data" "process" {
  depends_on = [terraform_data.job]

  input = { folder = local.folder, log = local.log, owner = terraform_data.folder.id }
  triggers_replace = {
    folder  = terraform_data.folder.id
    log     = local.log
    restart = var.service_instance.inputs.restart
    program = sha256(join("", [for name in ["daemon.py", "job.py"] : filesha256("${path.module}/files/${name}")]))
  }

  provisioner "local-exec" {
    interpreter = ["python3", "-EsB", "${path.module}/files/job.py"]
    command     = "start"
    environment = {
      JOB_FOLDER = local.folder
      JOB_OWNER  = terraform_data.folder.id
      JOB_LOG    = local.log
    }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["python3", "-EsB", "${path.module}/files/job.py"]
    command     = "stop"
    environment = {
      JOB_FOLDER = self.input.folder
      JOB_OWNER  = self.input.owner
      JOB_LOG    = self.input.log
    }
  }
}
