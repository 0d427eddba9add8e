# One image line, two clouds: an AMI and a local qcow2, baked at the same time into one version. Packer 1.6.6 of Debian has both builders
# compiled in; a newer one needs `packer plugins install` of github.com/hashicorp/amazon and github.com/hashicorp/qemu.

# Passed by Bakehouse to every bake.
variable "bake_id" { type = string }
variable "attempt_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }

# Passed because a target is aws.
variable "temporary_key_pair_name" { type = string }
variable "ec2_endpoint" {
  type    = string
  default = ""
}

# Passed because a target is qemu: the key that this bake alone has, and the NoCloud disk that tells the guest of it.
variable "ssh_private_key_file" { type = string }
variable "seed_disk" { type = string }

# This line's own.
variable "seed_image" {
  type        = string
  description = "The qcow2 that the local image starts from; the set-up makes a small one."
}
variable "region" {
  type    = string
  default = "eu-central-1"
}
variable "source_name" {
  type    = string
  default = "debian-12-amd64-*"
}
variable "source_owner" {
  type    = string
  default = "136693071363"
}
variable "ssh_username" {
  type    = string
  default = "admin"
}
variable "ssh_port" {
  type    = number
  default = 22
}
variable "accelerator" {
  type    = string
  default = "tcg"
}

# All that a bake makes in a cloud carries this, so that sweeping finds what a killed Packer left.
locals {
  mark = {
    bake_id    = var.bake_id
    attempt_id = var.attempt_id
    image_name = var.image_name
  }
}

source "amazon-ebs" "web" {
  region        = var.region
  ami_name      = "${var.image_name}-web"
  instance_type = "t3.small"

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
}

source "qemu" "web" {
  disk_image       = true
  iso_url          = var.seed_image
  iso_checksum     = "none"
  skip_resize_disk = true
  format           = "qcow2"
  vm_name          = "${var.image_name}.qcow2"
  output_directory = "${var.output_directory}/web"

  accelerator    = var.accelerator
  machine_type   = "pc"
  memory         = 256
  headless       = true
  disk_interface = "virtio"
  net_device     = "virtio-net"
  qemuargs = [
    ["-cpu", "max"],
    ["-drive", "file=${var.output_directory}/web/${var.image_name}.qcow2,if=virtio,format=qcow2,cache=unsafe"],
    ["-drive", "file=${var.seed_disk},if=virtio,format=raw,readonly=on"],
  ]

  boot_wait            = "3s"
  ssh_username         = "root"
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = "3m"
  shutdown_command     = "sync; poweroff -f"
}

build {
  sources = ["source.amazon-ebs.web", "source.qemu.web"]

  provisioner "shell" {
    environment_vars = ["BAKE_ID=${var.bake_id}", "IMAGE_NAME=${var.image_name}"]
    inline = [
      "sudo=; test \"$(id -u)\" = 0 || sudo=sudo",
      "echo \"web: $IMAGE_NAME bake $BAKE_ID\" | $sudo tee -a /etc/bakehouse-release",
    ]
  }

  # Last: identity, keys and traces of the bake leave the disk. The seed image has a program for it.
  provisioner "shell" {
    only   = ["amazon-ebs.web"]
    script = "generalize.sh"
  }
  provisioner "shell" {
    only   = ["qemu.web"]
    inline = ["generalize"]
  }

  post-processor "manifest" {
    output = var.manifest_path
    custom_data = {
      bake_id    = var.bake_id
      attempt_id = var.attempt_id
    }
  }
}
