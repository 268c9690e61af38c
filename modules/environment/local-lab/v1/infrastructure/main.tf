terraform {
  required_version = ">= 1.4.0"
}

locals {
  root    = var.environment.inputs.root
  lab     = local.root == "" ? "${abspath(path.root)}/lab" : "${abspath(local.root)}/${var.environment.name}"
  content = "${local.lab}/content"
}

# Created first, without a provisioner that could fail, and destroyed last: it clears away what was made below it, also
# after a run that was cut off.
resource "terraform_data" "lab" {
  input            = { folder = local.lab }
  triggers_replace = local.lab

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["python3", "-EsB", "${path.module}/files/lab.py"]
    command     = "clear"
    environment = { LAB_FOLDER = self.input.folder }
  }
}

resource "terraform_data" "content" {
  triggers_replace = { lab = terraform_data.lab.id, folder = local.content }

  provisioner "local-exec" {
    interpreter = ["python3", "-EsB", "${path.module}/files/lab.py"]
    command     = "make"
    environment = { LAB_FOLDER = local.content }
  }
}
