#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks systemd and what it needs, of this machine's Debian release, and prints the folder: the part that turns the
# test machine into one that systemd runs. Unpacked only, never configured: no chroot, nothing installed here.
# Usage: tests/vm/fetch_system.sh
set -euo pipefail

# shellcheck source=tests/vm/apt.bash
. "$(dirname "${BASH_SOURCE[0]}")/apt.bash"

wanted=(systemd systemd-sysv dbus)
# What these need only to be installed: packaging tools and their Perl.
unneeded='^(perl|libperl|perl-.*|lib.*-perl|debconf|dpkg|usrmerge|adduser|tar|gcc-.*-base|libgdbm.*|libdb5.*|init-system-helpers)_'

cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/system
suite=$(own_suite)
mkdir -p "$cache"
exec 9> "$cache/.lock"
flock 9

newest_cached() { find "$cache" -mindepth 2 -maxdepth 2 -name unpacked -printf '%T@ %h\n' | sort -n | sed -n '$s/^[^ ]* //p'; }

packages() {
  apt_ask apt-get install -s --no-install-recommends "${wanted[@]}" | sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1_\2/p' | sort
}

unpack() {
  local target=$1 package work
  rm -f "$apt_state"/archives/*.deb
  rm -rf "$cache"/.unpack.* # of an interrupted earlier run: we hold the lock
  work=$(mktemp -d "$cache/.unpack.XXXXXX")
  apt_ask apt-get install -qq -y --no-install-recommends --download-only "${wanted[@]}" > /dev/null
  mkdir -p "$work"/usr/{bin,sbin,lib,lib64}
  ln -s -t "$work" usr/bin usr/sbin usr/lib usr/lib64
  for package in "$apt_state"/archives/*.deb; do
    [[ ! ${package##*/} =~ $unneeded ]] || continue
    # By tar: it follows the merged folders' links, where dpkg-deb -x would replace them.
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work" --keep-directory-symlink
  done
  rm -f "$apt_state"/archives/*.deb
  touch "$work/unpacked"
  rm -rf "$target"
  mv "$work" "$target"
}

if apt_open "$suite" "$cache/apt/$suite"; then
  list=$(packages)
  [ -n "$list" ] || { say "suite $suite has no ${wanted[*]}"; exit 1; }
  target=$cache/$suite-$(sha256sum <<< "$list" | cut -c 1-16)
  [ -e "$target/unpacked" ] || unpack "$target"
else
  target=$(newest_cached)
  [ -n "$target" ] || { say "nothing in $cache and apt cannot fetch it: $(apt_complaint)"; exit 1; }
  say "apt does not answer, using $target"
fi
echo "$target"
