"""Landform: self-service infrastructure from versioned Terraform templates."""
