# The child of the example line: starts from whatever its parent's channel points to.

# Passed by Bakehouse to every bake.
variable "bake_id" { type = string }
variable "attempt_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }

# Passed because the target is qemu: the key that this bake alone has, and the NoCloud disk that tells the guest of it.
variable "ssh_private_key_file" { type = string }
variable "seed_disk" { type = string }

# Passed because the line has a parent: absolute path of the parent's qcow2.
variable "parent_image" { type = string }

# This line's own.
variable "release" {
  type        = string
  default     = "1"
  description = "Shown in /etc/bakehouse-release and answered by /usr/bin/app."
}
variable "accelerator" {
  type    = string
  default = "tcg"
}

source "qemu" "app" {
  disk_image       = true
  iso_url          = var.parent_image
  iso_checksum     = "none"
  skip_resize_disk = true
  format           = "qcow2"
  vm_name          = "${var.image_name}.qcow2"
  output_directory = var.output_directory

  accelerator    = var.accelerator
  machine_type   = "pc"
  memory         = 256
  headless       = true
  disk_interface = "virtio"
  net_device     = "virtio-net"
  qemuargs = [
    ["-cpu", "max"],
    ["-drive", "file=${var.output_directory}/${var.image_name}.qcow2,if=virtio,format=qcow2,cache=unsafe"],
    ["-drive", "file=${var.seed_disk},if=virtio,format=raw,readonly=on"],
  ]

  boot_wait            = "3s"
  ssh_username         = "root"
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = "3m"
  shutdown_command     = "sync; poweroff -f"
}

build {
  sources = ["source.qemu.app"]

  provisioner "shell" {
    environment_vars = [
      "BAKE_ID=${var.bake_id}",
      "IMAGE_NAME=${var.image_name}",
      "RELEASE=${var.release}",
    ]
    inline = [
      "grep -q '^base: ' /etc/bakehouse-release",
      "echo \"app: $IMAGE_NAME release $RELEASE bake $BAKE_ID\" >> /etc/bakehouse-release",
      "printf '#!/bin/sh\\necho \"app release %s\"\\n' \"$RELEASE\" > /usr/bin/app",
      "chmod 755 /usr/bin/app",
    ]
  }

  # Last: identity, keys and traces of the bake leave the disk.
  provisioner "shell" {
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
