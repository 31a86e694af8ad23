# SPDX-License-Identifier: Apache-2.0
# Packer: an AMI whose instances guard the metadata service from their first boot on. An example: take the two provisioners into
# a build of your own. docs/install-image-builder.md
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.2.0"
    }
  }
}

variable "region" {
  type = string
}

variable "source_ami" {
  type        = string
  description = "A Debian, Ubuntu, Amazon Linux 2023 or RHEL image."
}

variable "ssh_username" {
  type    = string
  default = "admin"
}

variable "package_url" {
  type        = string
  description = "Where the .deb or .rpm is. What is trusted is its hash."
}

variable "package_sha256" {
  type = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.package_sha256))
    error_message = "The package_sha256 is 64 lower-case hexadecimal digits."
  }
}

variable "presets" {
  type    = string
  default = "auto"
}

variable "mode" {
  type    = string
  default = "enforce"
}

variable "fail_on" {
  type    = string
  default = "critical"
}

source "amazon-ebs" "hostward" {
  region        = var.region
  source_ami    = var.source_ami
  instance_type = "t3.small"
  ssh_username  = var.ssh_username
  ami_name      = "hostward-{{timestamp}}"

  # The build instance and the image ask for version 2 of the metadata service only.
  imds_support = "v2.0"
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

build {
  sources = ["source.amazon-ebs.hostward"]

  provisioner "shell" {
    script          = "${path.root}/../user-data/hostward.sh"
    execute_command = "sudo env {{ .Vars }} sh {{ .Path }}"
    environment_vars = [
      "PACKAGE_URL=${var.package_url}",
      "PACKAGE_SHA256=${var.package_sha256}",
      "PRESETS=${var.presets}",
      "MODE=${var.mode}",
    ]
  }

  provisioner "shell" {
    script           = "${path.root}/validate.sh"
    execute_command  = "sudo env {{ .Vars }} sh {{ .Path }}"
    environment_vars = ["FAIL_ON=${var.fail_on}"]
  }
}
