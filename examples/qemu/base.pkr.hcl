# The parent of the example line: the seed image plus what every image of ours has.
# No required_plugins: Debian's Packer 1.6.6 has the qemu builder compiled in and does not know that block.

# Passed by Bakehouse to every bake.
variable "bake_id" { type = string }
variable "attempt_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }

# Passed because the target is qemu: the key that this bake alone has, and the NoCloud disk that tells the guest of it.
variable "ssh_private_key_file" { type = string }
variable "seed_disk" { type = string }

# This line's own.
variable "seed_image" {
  type        = string
  description = "Absolute path of the qcow2 to start from; `npm run setup` makes one."
}
variable "release" {
  type        = string
  default     = "1"
  description = "Shown in /etc/bakehouse-release and on the console of every machine."
}
variable "accelerator" {
  type    = string
  default = "tcg"
}

source "qemu" "base" {
  disk_image       = true
  iso_url          = var.seed_image
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
  sources = ["source.qemu.base"]

  provisioner "shell" {
    environment_vars = [
      "BAKE_ID=${var.bake_id}",
      "IMAGE_NAME=${var.image_name}",
      "RELEASE=${var.release}",
    ]
    inline = [
      "echo \"base: $IMAGE_NAME release $RELEASE bake $BAKE_ID\" > /etc/bakehouse-release",
      "echo 'Baked by Bakehouse. Changes belong into the template.' > /etc/motd",
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
