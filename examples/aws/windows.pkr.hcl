# A Windows AMI. Packer reaches it by WinRM over TLS, with the password that EC2 makes for the bake's key pair; user data switches it on.

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
variable "instance_type" {
  type    = string
  default = "t3.large"
}

# All that a bake makes carries this, so that sweeping finds what a killed Packer left.
locals {
  mark = {
    bake_id    = var.bake_id
    attempt_id = var.attempt_id
    image_name = var.image_name
  }
}

source "amazon-ebs" "windows" {
  region        = var.region
  ami_name      = var.image_name
  instance_type = var.instance_type

  source_ami_filter {
    filters = {
      name                = "Windows_Server-2022-English-Full-Base-*"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
    owners      = ["amazon"]
    most_recent = true
  }

  run_tags        = local.mark
  run_volume_tags = local.mark
  snapshot_tags   = local.mark
  tags            = local.mark

  communicator            = "winrm"
  winrm_username          = "Administrator"
  winrm_use_ssl           = true
  winrm_insecure          = true
  winrm_timeout           = "15m"
  user_data_file          = "winrm.ps1"
  temporary_key_pair_name = var.temporary_key_pair_name

  custom_endpoint_ec2        = var.ec2_endpoint
  skip_credential_validation = var.ec2_endpoint != ""
}

build {
  sources = ["source.amazon-ebs.windows"]

  provisioner "powershell" {
    environment_vars = ["BAKE_ID=${var.bake_id}", "IMAGE_NAME=${var.image_name}"]
    inline           = ["Set-Content C:\\bakehouse-release \"windows: $Env:IMAGE_NAME bake $Env:BAKE_ID\""]
  }

  # Last: EC2Launch takes the identity off the disk and gives each machine a password of its own.
  provisioner "powershell" {
    inline = [
      "& 'C:\\Program Files\\Amazon\\EC2Launch\\EC2Launch.exe' reset --block",
      "& 'C:\\Program Files\\Amazon\\EC2Launch\\EC2Launch.exe' sysprep --shutdown=false --block",
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
