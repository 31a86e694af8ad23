#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# User data as a shell script, and the provisioner of packaging/packer: installs hostward, chooses its policy.
# Edit the first four lines, or set their names in capitals in the environment. docs/install-user-data.md
# cloud-init runs it once, late in the first boot; hostward.yml is early. Only an image guards from the first packet on.
set -eu
package_url=${PACKAGE_URL:-https://packages.example.com/hostward_0.1.0-1_amd64.deb}
package_sha256=${PACKAGE_SHA256:-0000000000000000000000000000000000000000000000000000000000000000}
presets=${PRESETS:-auto} # separated by commas; auto: that of the distribution
mode=${MODE:-enforce}    # or audit: records who would be refused, refuses nobody
umask 022

# Files of this name are this step's own: whoever runs it again replaces them.
write_policy() {
  if [ "$presets" = auto ]; then
    # shellcheck source=/dev/null
    presets=$(. /etc/os-release && echo "$ID")
    case "$presets" in
    debian | ubuntu) ;;
    amzn) presets=amazon-linux-2023 ;;
    rhel | rocky | almalinux | centos) presets=rhel ;;
    *) echo "no preset is known for $presets: name the presets" >&2 && exit 1 ;;
    esac
  fi
  mkdir -p "$1/policy.d"
  printf '[guard]\ninclude = ["preset:%s"]\n' "$(printf '%s' "$presets" | sed 's/,/", "preset:/g')" > "$1/policy.d/20-presets.toml"
  case "$mode" in
  enforce) printf '[guard]\nmode = "enforce"\n' > "$1/policy.d/90-enforce.toml" ;;
  audit) rm -f "$1/policy.d/90-enforce.toml" ;;
  *) echo "the mode is enforce or audit, not: $mode" >&2 && exit 1 ;;
  esac
}

# The hash is trusted, not the way that the package came.
install_package() {
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  path=${package_url%%\?*}
  file="$folder/${path##*/}"
  case "$package_url" in
  s3://*) aws s3 cp --only-show-errors "$package_url" "$file" ;;
  *) curl -fsSL --retry 5 --retry-connrefused --max-time 300 -o "$file" "$package_url" ;;
  esac
  echo "$package_sha256  $file" | sha256sum --check --quiet
  case "$file" in
  *.deb)
    export DEBIAN_FRONTEND=noninteractive
    set -- -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold
    apt-get install "$@" "$file" || { apt-get update -q && apt-get install "$@" "$file"; }
    ;;
  *.rpm) dnf install -y -q "$file" ;;
  *) echo "neither a .deb nor a .rpm: $path" >&2 && exit 1 ;;
  esac
}

# The policy comes first: the guard begins with it as soon as it is installed.
write_policy /etc/hostward
install_package
hostward config check
if [ -d /run/systemd/system ]; then
  systemctl enable --quiet --now hostward-guard.service
  hostward guard status
else
  systemctl enable --quiet hostward-guard.service
fi
