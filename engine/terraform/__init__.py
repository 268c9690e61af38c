"""What Terraform is told and what it answers."""
