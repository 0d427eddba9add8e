# A Linux image in Azure: Packer makes a managed image, Bakehouse enters it into the installation's gallery and takes the managed one away.
# Runs on Packer 1.6.6 of Debian, which has the builder compiled in, and on newer ones with the plugin:
# `packer plugins install github.com/hashicorp/azure`.

# Passed by Bakehouse to every bake.
variable "bake_id" { type = string }
variable "attempt_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }

# Passed because the target is azure: how the installation logs in to the subscription.
variable "subscription_id" { type = string }
variable "tenant_id" { type = string }
variable "client_id" { type = string }
variable "client_secret" {
  type      = string
  sensitive = true
}

# This line's own.
variable "location" {
  type    = string
  default = "westeurope"
}
variable "resource_group" {
  type        = string
  description = "Exists; the managed image is made in it."
}
variable "vm_size" {
  type    = string
  default = "Standard_B2s"
}

source "azure-arm" "linux" {
  subscription_id = var.subscription_id
  tenant_id       = var.tenant_id
  client_id       = var.client_id
  client_secret   = var.client_secret

  os_type         = "Linux"
  image_publisher = "Debian"
  image_offer     = "debian-12"
  image_sku       = "12"
  location        = var.location
  vm_size         = var.vm_size

  managed_image_name                = var.image_name
  managed_image_resource_group_name = var.resource_group
  temp_resource_group_name          = "packer-${var.attempt_id}"

  # On the temporary group, on all that is in it and on the image, so that sweeping finds what a killed Packer left.
  azure_tags = {
    bake_id    = var.bake_id
    attempt_id = var.attempt_id
    image_name = var.image_name
  }
}

build {
  sources = ["source.azure-arm.linux"]

  provisioner "shell" {
    environment_vars = ["BAKE_ID=${var.bake_id}", "IMAGE_NAME=${var.image_name}"]
    inline           = ["echo \"linux: $IMAGE_NAME bake $BAKE_ID\" | sudo tee -a /etc/bakehouse-release"]
  }

  # Last: the agent takes user, keys and identity off the disk.
  provisioner "shell" {
    inline          = ["rm -f /etc/ssh/ssh_host_*; : > /etc/machine-id; /usr/sbin/waagent -force -deprovision+user; sync"]
    inline_shebang  = "/bin/sh -x"
    execute_command = "chmod +x {{ .Path }}; {{ .Vars }} sudo -E sh '{{ .Path }}'"
  }

  post-processor "manifest" {
    output = var.manifest_path
    custom_data = {
      bake_id    = var.bake_id
      attempt_id = var.attempt_id
    }
  }
}
