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

source "file" "good" {
  target  = "${var.output_directory}/good.img"
  content = "good"
}

source "file" "bad" {
  target  = "${var.output_directory}/bad.img"
  content = "bad"
}

build {
  sources = ["source.file.good", "source.file.bad"]

  provisioner "shell-local" {
    only   = ["file.bad"]
    inline = ["echo it breaks here >&2", "exit 1"]
  }

  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}

