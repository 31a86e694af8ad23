#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the host that the checks are measured on, and prints the image of it: a Debian 12 server with its usual services, the
# other tools, and FILES files below /srv/files, on an ext4 of its own, so that it can be mounted with cold caches. Kept
# outside the repository; made again when this script changes.
# Usage: tests/bench/check/fetch_root.sh FILES   (root)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# shellcheck source=tests/vm/apt.bash
. ../../vm/apt.bash

files=$1
suite=bookworm
# OpenSCAP's content for CIS on Debian 12 is younger than Debian 12.
content_suites=(forky trixie)
packages=openssh-server,sudo,cron,rsyslog,auditd,apparmor,nftables,chrony,libpam-pwquality,dbus,systemd-sysv,kmod,procps,openscap-scanner,lynis,\
libsystemd0,libssl3,libgcc-s1
# Sparse: what is not used takes no space.
image_size=12G
inodes=2600000

cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/bench
mkdir -p "$cache"
exec 9> "$cache/.lock"
flock 9
version=$(sha256sum fetch_root.sh | cut -c 1-16)
empty=$cache/$suite-0-$version.ext4
image=$cache/$suite-$files-$version.ext4

content() {
  local each
  for each in "${content_suites[@]}"; do
    if apt_open "$each" "$cache/apt/$each" && (cd "$1" && apt_ask apt-get download -qq ssg-debian); then
      return 0
    fi
  done
  say "no suite of ${content_suites[*]} has ssg-debian"
  return 1
}

# mounted IMAGE FOLDER COMMAND...: with the image on the folder, in a mount namespace that ends with the command.
mounted() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private bash -euo pipefail -c 'mount -o loop "$1" "$2"; shift 2; "$@"' bash "$@"
}

make_empty() {
  apt_open "$suite" "$cache/apt/$suite" || { say "apt does not answer: $(apt_complaint)"; exit 1; }
  mmdebstrap --quiet --variant=important --include="$packages" "$suite" "$work/root" "$apt_state/sources.list" >&2
  content "$work"
  dpkg-deb -x "$work"/ssg-debian_*.deb "$work/root"
  dpkg-deb -f "$work"/ssg-debian_*.deb Version > "$work/root/etc/bench-content-version"
  chmod 755 "$work/root"
  truncate -s "$image_size" "$work/image"
  mkfs.ext4 -q -N "$inodes" "$work/image"
  mkdir "$work/top"
  mounted "$work/image" "$work/top" cp -a "$work/root/." "$work/top/"
  mv "$work/image" "$empty"
}

make_full() {
  cp --sparse=always "$empty" "$work/image"
  mkdir -p "$work/top"
  mounted "$work/image" "$work/top" /usr/bin/python3 -B fill.py "$work/top/srv/files" 0 "$files"
  mv "$work/image" "$image"
}

if [ ! -e "$image" ]; then
  say "making $image: minutes"
  rm -rf "$cache"/.make.* # of an interrupted earlier run: we hold the lock
  work=$(mktemp -d "$cache/.make.XXXXXX")
  [ -e "$empty" ] || make_empty
  [ -e "$image" ] || make_full
  rm -rf "$work"
fi
echo "$image"
