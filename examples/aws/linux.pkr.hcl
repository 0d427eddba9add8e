# A Linux AMI in two regions. Runs on Packer 1.6.6 of Debian, which has the builder compiled in, and on newer ones with the plugin:
# `packer plugins install github.com/hashicorp/amazon`.

# Passed by Bakehouse to every bake.
variable "bake_id" { type = string }
variable "attempt_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }

# Passed because the target is aws: the name of the key pair that Packer makes, and the endpoint where the installation has its own.
variable "temporary_key_pair_name" { type = string }
variable "ec2_endpoint" {
  type    = string
  default = ""
}

# This line's own.
variable "region" {
  type    = string
  default = "eu-central-1"
}
variable "copy_to" {
  type        = string
  default     = "eu-west-1"
  description = "Further regions, with commas between, that the image is copied to before it counts as made; each is a target of the line."
}
variable "source_name" {
  type    = string
  default = "debian-12-amd64-*"
}
variable "source_owner" {
  type        = string
  default     = "136693071363"
  description = "Debian's own account."
}
variable "instance_type" {
  type    = string
  default = "t3.small"
}
variable "ssh_username" {
  type    = string
  default = "admin"
}
variable "ssh_port" {
  type    = number
  default = 22
}

# All that a bake makes carries this, so that sweeping finds what a killed Packer left.
locals {
  mark = {
    bake_id    = var.bake_id
    attempt_id = var.attempt_id
    image_name = var.image_name
  }
}

source "amazon-ebs" "linux" {
  region          = var.region
  ami_name        = var.image_name
  ami_description = "Baked by Bakehouse"
  ami_regions     = compact(split(",", var.copy_to))
  instance_type   = var.instance_type

  source_ami_filter {
    filters = {
      name                = var.source_name
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
    owners      = [var.source_owner]
    most_recent = true
  }

  run_tags        = local.mark
  run_volume_tags = local.mark
  snapshot_tags   = local.mark
  tags            = local.mark

  ssh_username            = var.ssh_username
  ssh_port                = var.ssh_port
  temporary_key_pair_name = var.temporary_key_pair_name

  custom_endpoint_ec2        = var.ec2_endpoint
  skip_credential_validation = var.ec2_endpoint != ""

  aws_polling {
    delay_seconds = 2
    max_attempts  = 900
  }
}

build {
  sources = ["source.amazon-ebs.linux"]

  provisioner "shell" {
    environment_vars = ["BAKE_ID=${var.bake_id}", "IMAGE_NAME=${var.image_name}"]
    inline = [
      "sudo=; test \"$(id -u)\" = 0 || sudo=sudo",
      "echo \"linux: $IMAGE_NAME bake $BAKE_ID\" | $sudo tee -a /etc/bakehouse-release",
    ]
  }

  # Last: identity, keys and traces of the bake leave the disk.
  provisioner "shell" {
    script = "generalize.sh"
  }

  post-processor "manifest" {
    output = var.manifest_path
    custom_data = {
      bake_id    = var.bake_id
      attempt_id = var.attempt_id
    }
  }
}
