#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the host that the checks are measured on, and prints its folder: a Debian 12 server with its usual services, the
# other tools, and FILES files below /srv/files. Kept outside the repository; made again when this script changes.
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

cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/bench
mkdir -p "$cache"
exec 9> "$cache/.lock"
flock 9
root=$cache/$suite-$files-$(sha256sum fetch_root.sh | cut -c 1-16)

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

# A thousand files a folder, in nested folders, as data directories have them.
fill() {
  local folder
  for ((folder = 0; folder * 1000 < files; folder++)); do
    mkdir -p "$1/$((folder / 20))/$folder"
    (cd "$1/$((folder / 20))/$folder" && seq -f 'file-%04g.dat' 1000 | xargs touch)
  done
}

if [ ! -e "$root/made" ]; then
  say "making $root: minutes"
  rm -rf "$cache"/.make.* # of an interrupted earlier run: we hold the lock
  work=$(mktemp -d "$cache/.make.XXXXXX")
  apt_open "$suite" "$cache/apt/$suite" || { say "apt does not answer: $(apt_complaint)"; exit 1; }
  mmdebstrap --quiet --variant=important --include="$packages" "$suite" "$work/root" "$apt_state/sources.list" >&2
  content "$work"
  dpkg-deb -x "$work"/ssg-debian_*.deb "$work/root"
  dpkg-deb -f "$work"/ssg-debian_*.deb Version > "$work/root/etc/bench-content-version"
  fill "$work/root/srv/files"
  chmod 755 "$work/root"
  touch "$work/root/made"
  rm -rf "$root"
  mv "$work/root" "$root"
  rm -rf "$work"
fi
echo "$root"
