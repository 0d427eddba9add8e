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

variable "witness" {
  type = string
}

source "file" "base" {
  target  = "${var.output_directory}/base.img"
  content = "slow"
}

build {
  sources = ["source.file.base"]

  provisioner "shell-local" {
    inline = [
      "echo one run >> ${var.witness}",
      "echo working",
      "while ! test -e ${var.witness}.go; do sleep 0.1; done",
      "echo done",
    ]
  }

  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}

