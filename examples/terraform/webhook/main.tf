# A call to one's own address whenever a channel moves or a version is revoked.

terraform {
  required_version = ">= 1.5"
  required_providers {
    hcp = {
      source  = "hashicorp/hcp"
      version = ">= 0.114.0"
    }
  }
}

variable "url" {
  type        = string
  description = "Must answer the verification with 2xx, or the webhook is not made."
}

variable "hmac_key" {
  type        = string
  sensitive   = true
  description = "Signs each call: X-HCP-Webhook-Signature is the HMAC-SHA512 of the body, in hex."
}

provider "hcp" {}

resource "hcp_notifications_webhook" "images" {
  name        = "images"
  description = "Tells the platform team what became of images."

  config = {
    url      = var.url
    hmac_key = var.hmac_key
  }

  subscriptions = [
    {
      events = [
        {
          source  = "hashicorp.packer.version"
          actions = ["assign", "complete", "revoke", "restore"]
        },
      ]
    },
  ]
}
