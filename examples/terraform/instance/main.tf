# Channel → version → artifact → instance.

terraform {
  required_version = ">= 1.5"
  required_providers {
    hcp = {
      source  = "hashicorp/hcp"
      version = ">= 0.114.0"
    }
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "bucket" {
  type    = string
  default = "web"
}

variable "channel" {
  type    = string
  default = "prod"
}

# Addresses and credentials come from the environment: `bakehouse env --for terraform`.
provider "hcp" {}

provider "aws" {
  region = var.region
}

# What the channel points to now: a version that is revoked is rolled back from, unless that was switched off.
data "hcp_packer_version" "web" {
  bucket_name  = var.bucket
  channel_name = var.channel
}

# By fingerprint, so that all images of a plan are of one version even if the channel moves meanwhile.
data "hcp_packer_artifact" "web" {
  bucket_name         = data.hcp_packer_version.web.bucket_name
  version_fingerprint = data.hcp_packer_version.web.fingerprint
  platform            = "aws"
  region              = var.region
}

locals {
  # Null, or the year 1 in older providers, where there is no date.
  revoke_at = coalesce(data.hcp_packer_version.web.revoke_at, "0001-01-01T00:00:00.000Z")
  is_dated  = !startswith(local.revoke_at, "0001-")
}

resource "aws_instance" "web" {
  ami           = data.hcp_packer_artifact.web.external_identifier
  instance_type = "t3.small"

  tags = {
    Name    = "web"
    Version = data.hcp_packer_version.web.name
  }

  lifecycle {
    precondition {
      condition     = !local.is_dated || timecmp(plantimestamp(), local.revoke_at) < 0
      error_message = "Version ${data.hcp_packer_version.web.name} of ${var.bucket} was revoked at ${local.revoke_at}: promote another one to ${var.channel}."
    }
  }
}

# A date that is still to come stops nobody, and is said by every plan.
check "revocation" {
  assert {
    condition     = !local.is_dated
    error_message = "Version ${data.hcp_packer_version.web.name} of ${var.bucket} ends at ${local.revoke_at}."
  }
}
