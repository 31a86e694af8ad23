#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes roots of Debian 11, 12 and 13 with mmdebstrap and prints one line each: SUITE FOLDER. They have what the benchmark
# wants installed, as the packages come. Nothing is installed on this machine. Usage: tests/e2e/check/fetch_images.sh
set -euo pipefail

# shellcheck source=tests/vm/apt.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../vm/apt.bash"

wanted=systemd-sysv,udev,dbus,openssh-server,cron,sudo,kmod,procps,iproute2,login,passwd,libpam-systemd,libpam-modules
wanted+=,libpam-pwquality,apparmor,apparmor-utils,auditd,audispd-plugins,nftables,chrony,rsyslog,aide,aide-common
# What hostward is linked with, so that it can run in there.
libraries_bookworm=,libbpf1,libspdlog1.10,libre2-9,libssl3,libcap2,libsqlite3-0,libfmt9,libcurl4

cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/images
mkdir -p "$cache"
exec 9> "$cache/.lock"
flock 9

# shellcheck disable=SC2016 # the hooks are for another shell
make() {
  local suite=$1 target=$2 packages=$3
  rm -rf "$cache"/.make.* # of an interrupted earlier run: we hold the lock
  # The name server's file and the name are this machine's.
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" --aptopt='APT::Install-Recommends "false"' \
    --customize-hook='rm -f "$1/etc/resolv.conf"' --customize-hook='echo image > "$1/etc/hostname"' \
    "$suite" "$cache/.make.$suite" "$apt_state/sources.list" > "$cache/make.log" 2>&1 ||
    { tail -n 20 "$cache/make.log" >&2; say "making $suite failed, see $cache/make.log"; exit 1; }
  rm -rf "$cache/.make.$suite/etc/apt/sources.list"
  mv "$cache/.make.$suite" "$target"
}

for suite in bullseye bookworm trixie; do
  packages=$wanted
  [ "$suite" != bookworm ] || packages+=$libraries_bookworm
  # Kept until the list of packages changes: which versions they have is not what is tried.
  target=$cache/$suite-$(sha256sum <<< "$packages" | cut -c 1-12)
  if [ ! -d "$target" ]; then
    apt_open "$suite" "$cache/apt/$suite" || { say "apt cannot fetch $suite: $(apt_complaint)"; exit 1; }
    make "$suite" "$target" "$packages"
    find "$cache" -maxdepth 1 -name "$suite-*" ! -path "$target" -exec rm -rf {} +
  fi
  # apt, which ran outside, gave them to this machine's user _apt; that of the image has another number, or nobody has it.
  rm -rf "$target"/var/cache/apt/archives/partial "$target"/var/lib/apt/lists/partial
  echo "$suite $target"
done
