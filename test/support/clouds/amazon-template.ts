/** A template of Packer's `amazon-ebs` for the AWS test cloud, marked as the product asks for, with the variables that it offers. */
import { awsHome } from './file.ts';

const marks = '{ bake_id = var.bake_id, attempt_id = var.attempt_id }';

/** `source_image` is what it is baked on; `tags` go on the image beside the marks, as HCL. */
export const amazonTemplate = (source: string, tags?: string): string => `
variable "bake_id" {}
variable "attempt_id" {}
variable "image_name" {}
variable "output_directory" {}
variable "manifest_path" {}
variable "endpoint" {}
variable "source_image" {}
variable "temporary_key_pair_name" {}
source "amazon-ebs" "${source}" {
  custom_endpoint_ec2        = var.endpoint
  skip_credential_validation = true
  region                     = "${awsHome}"
  source_ami                 = var.source_image
  instance_type              = "t3.small"
  communicator               = "none"
  ami_name                   = var.image_name
  temporary_key_pair_name    = var.temporary_key_pair_name
  run_tags                   = ${marks}
  run_volume_tags            = ${marks}
  tags                       = ${tags === undefined ? marks : `merge(${marks}, ${tags})`}
  snapshot_tags              = ${marks}
  aws_polling {
    delay_seconds = 1
    max_attempts  = 60
  }
}
build {
  sources = ["source.amazon-ebs.${source}"]
  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}
`;
