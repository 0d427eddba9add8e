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

variable "password" {
  type      = string
  sensitive = true
}

variable "token" {
  type = string
}

variable "built_in" {
  type      = string
  sensitive = true
  default   = "built-in-secret-value"
}

source "file" "base" {
  target  = "${var.output_directory}/base.img"
  content = "x"
}

build {
  sources = ["source.file.base"]

  provisioner "shell-local" {
    inline = [
      "echo the password is ${var.password} and ${var.built_in}",
      "echo the token is ${var.token} >&2",
      "for f in /proc/[0-9]*; do { tr '\\0' ' ' < $f/cmdline; echo; } 2>/dev/null | sed 's/^/cmdline: /'; done",
      "while ! test -e ${var.output_directory}.go; do sleep 0.1; done",
      "exit 1",
    ]
  }

  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}

