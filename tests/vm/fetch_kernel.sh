#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts a Debian cloud kernel and its modules into the cache and prints the folder they are in.
# Usage: tests/vm/fetch_kernel.sh 5.10|6.1|6.12
#
# The folder holds `vmlinuz`, `config` and `lib/modules/VERSION`. Nothing is installed. Without a network the newest
# kernel already in the cache is used, and said so.
set -euo pipefail

# shellcheck source=tests/vm/apt.bash
. "$(dirname "${BASH_SOURCE[0]}")/apt.bash"

cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/kernels
kernel=${1:-}
case "$kernel" in
  5.10) suite=bullseye ;;
  6.1) suite=bookworm ;;
  6.12) suite=trixie ;;
  *) echo "usage: $0 5.10|6.1|6.12" >&2; exit 2 ;;
esac

mkdir -p "$cache/$kernel"
# Two tests may ask for the same kernel at once.
exec 9> "$cache/$kernel/.lock"
flock 9

newest_cached() { find "$cache/$kernel" -mindepth 2 -maxdepth 2 -name vmlinuz -printf '%T@ %h\n' | sort -n | sed -n '$s/^[^ ]* //p'; }

# The meta package depends on exactly one package with the kernel in it.
real_package() {
  apt_ask apt-cache depends linux-image-cloud-amd64 2> /dev/null |
    sed -nE 's/^ *Depends: (linux-image-[0-9].*-cloud-amd64)$/\1/p' | head -n 1
}

unpack() {
  local package=$1 target=$2
  rm -rf "$cache/$kernel"/.unpack.* # of an interrupted earlier run: we hold the lock
  work=$(mktemp -d "$cache/$kernel/.unpack.XXXXXX")
  (cd "$work" && apt_ask apt-get download -qq "$package" > /dev/null)
  dpkg-deb -x "$work"/*.deb "$work/root"
  mkdir -p "$work/out/lib"
  mv "$work"/root/boot/vmlinuz-* "$work/out/vmlinuz"
  mv "$work"/root/boot/config-* "$work/out/config"
  if [ -d "$work/root/usr/lib/modules" ]; then
    mv "$work/root/usr/lib/modules" "$work/out/lib/modules"
  else
    mv "$work/root/lib/modules" "$work/out/lib/modules"
  fi
  depmod -b "$work/out" "$(ls "$work/out/lib/modules")"
  rm -rf "$target"
  mv "$work/out" "$target"
  rm -rf "$work"
}

if apt_open "$suite" "$cache/apt/$suite"; then
  package=$(real_package)
  case "$package" in
    linux-image-"$kernel".*) ;;
    *) say "suite $suite ships '${package:-no cloud kernel}', not $kernel"; exit 1 ;;
  esac
  version=$(apt_ask apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p' | head -n 1)
  target=$cache/$kernel/${package#linux-image-}_$version
  compgen -G "$target/lib/modules/*/modules.dep" > /dev/null || unpack "$package" "$target"
else
  target=$(newest_cached)
  [ -n "$target" ] || { say "no kernel $kernel in $cache and apt cannot fetch one: $(apt_complaint)"; exit 1; }
  say "apt does not answer, using $target"
fi
echo "$target"
