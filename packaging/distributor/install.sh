#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Distributor: installs the package beside this script; as update.sh, upgrades to it. The shipped policy audits: it refuses nobody.
# An upgrade leaves the guard deciding. Uninstalling and installing again does not, so choose the in-place update.
set -eu
cd "$(dirname "$0")"
for package in ./*.deb ./*.rpm; do
  [ -e "$package" ] || continue
  case "$package" in
  *.deb)
    export DEBIAN_FRONTEND=noninteractive
    set -- -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold
    apt-get install "$@" "$package" || { apt-get update -q && apt-get install "$@" "$package"; }
    ;;
  *.rpm) dnf install -y -q "$package" ;;
  esac
  exit 0
done
echo "there is no package beside $0" >&2
exit 1
