# A channel of one's own, and what it points to.

terraform {
  required_version = ">= 1.5"
  required_providers {
    hcp = {
      source  = "hashicorp/hcp"
      version = ">= 0.114.0"
    }
  }
}

variable "bucket" {
  type    = string
  default = "web"
}

variable "fingerprint" {
  type        = string
  description = "Of a complete version that is not revoked; \"none\" takes the channel away from whatever it points to."
  default     = "none"
}

provider "hcp" {}

resource "hcp_packer_channel" "staging" {
  bucket_name = var.bucket
  name        = "staging"
  # Hidden from viewers.
  restricted = true
}

# Of a channel without gates; one with gates is moved by a promotion only.
resource "hcp_packer_channel_assignment" "staging" {
  bucket_name         = hcp_packer_channel.staging.bucket_name
  channel_name        = hcp_packer_channel.staging.name
  version_fingerprint = var.fingerprint
}

# There in every bucket and managed by the registry: the provider adopts it, and changes who sees it.
resource "hcp_packer_channel" "latest" {
  bucket_name = var.bucket
  name        = "latest"
  restricted  = true
}
