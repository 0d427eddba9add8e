variable "bake_id" {
  type = string
}
variable "image_name" {
  type = string
}
variable "output_directory" {
  type = string
}
variable "manifest_path" {
  type = string
}

source "file" "base" {
  target  = "${var.output_directory}/base.img"
  content = "x"
}

build {
  sources = ["source.file.base"]

  provisioner "shell-local" {
    inline = ["cat /dev/zero > ${var.output_directory}/large"]
  }

  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}
