# Copies the seed image and takes its time: a bake without a machine, for trying out kills, restarts and time limits.
# Runs on every Packer, with no plugin.

# Passed by Bakehouse to every bake.
variable "bake_id" { type = string }
variable "attempt_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }

# This line's own.
variable "seed_image" { type = string }
variable "seconds" {
  type        = number
  default     = 5
  description = "How long the provisioner sleeps."
}

source "file" "slow" {
  source = var.seed_image
  target = "${var.output_directory}/${var.image_name}.qcow2"
}

build {
  sources = ["source.file.slow"]

  provisioner "shell-local" {
    environment_vars = ["SECONDS_TO_SLEEP=${var.seconds}", "BAKE_ID=${var.bake_id}"]
    inline = [
      "echo \"bake $BAKE_ID sleeps for $SECONDS_TO_SLEEP s\"",
      "sleep \"$SECONDS_TO_SLEEP\"",
      "echo \"bake $BAKE_ID woke up\"",
    ]
  }

  post-processor "manifest" {
    output = var.manifest_path
    custom_data = {
      bake_id    = var.bake_id
      attempt_id = var.attempt_id
    }
  }
}
