terraform {
  required_version = ">= 1.4.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 3.39.0"
    }
  }

  # For pipelines that run this with Terraform alone. Landform keeps the state itself.
  backend "s3" {}
}

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = var.proton_tags
  }
}

variable "aws_region" {
  description = "Region in which everything is made. Landform gives that of the environment's credentials."
  type        = string
  default     = "us-east-1"
}
