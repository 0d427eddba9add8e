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

variable "words" {
  type    = list(string)
  default = ["a"]
}

source "file" "base" {
  target  = "${var.output_directory}/${var.image_name}.img"
  content = "made by ${var.bake_id}: ${join(" ", var.words)}"
}

build {
  name    = "line"
  sources = ["source.file.base"]

  provisioner "shell-local" {
    script = "say.sh"
  }

  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}

