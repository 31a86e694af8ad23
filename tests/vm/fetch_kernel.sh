#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts a Debian cloud kernel and its modules into the cache and prints the folder they are in.
# Usage: tests/vm/fetch_kernel.sh 5.10|6.1|6.12
#
# The folder holds `vmlinuz`, `config` and `lib/modules/VERSION`. Nothing is installed: the package of the suite that
# ships this kernel is found through apt in a private state, with the mirrors of this machine's own apt
# configuration, and its signature is checked against Debian's keyring. Without a network the newest
# kernel already in the cache is used, and said so.
set -euo pipefail

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/kernels
kernel=${1:-}

case "$kernel" in
  5.10) suite=bullseye ;;
  6.1) suite=bookworm ;;
  6.12) suite=trixie ;;
  *) echo "usage: $0 5.10|6.1|6.12" >&2; exit 2 ;;
esac

say() { echo "fetch_kernel.sh: $*" >&2; }

state=$cache/apt/$suite
mkdir -p "$state/lists/partial" "$state/archives/partial" "$cache/$kernel"
# Two tests may ask for the same kernel at once.
exec 9> "$cache/$kernel/.lock"
flock 9

newest_cached() { find "$cache/$kernel" -mindepth 2 -maxdepth 2 -name vmlinuz -printf '%T@ %h\n' | sort -n | sed -n '$s/^[^ ]* //p'; }

# apt tells its sources itself, so one-line and deb822 files are alike. Of all Debian suites of the running
# release (NAME, NAME-updates, NAME-security) the same mirror is asked for the wanted one.
write_sources() {
  local own
  own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ -n "$own" ] || { say "/etc/os-release names no Debian suite"; return 1; }
  apt-get update --print-uris 2> /dev/null |
    sed -nE "s#^'([^']+)/dists/$own(-security|-updates)?/InRelease' .*#deb [signed-by=$keyring] \1 $suite\2 main#p" |
    sort -u > "$state/sources.new"
  grep -q " $suite main$" "$state/sources.new" || { say "apt has no source of $own to take the mirror from"; return 1; }
  mv "$state/sources.new" "$state/sources.list"
}

apt_options() {
  : > "$state/status"
  cat > "$state/apt.conf" <<CONF
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Post-Invoke;
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::Cache "$state";
Acquire::Retries "2";
APT::Sandbox::User "root";
CONF
}

# A suite that left the mirror must not hide the others: the main one is required, the rest is a bonus.
update() {
  if [ -e "$state/updated" ] && [ -n "$(find "$state/updated" -newermt '1 day ago')" ]; then
    return 0
  fi
  fresh_update && touch "$state/updated"
}
fresh_update() {
  apt-get -c "$state/apt.conf" update -qq > "$state/update.log" 2>&1 && return 0
  grep " $suite main$" "$state/sources.list" > "$state/sources.new"
  mv "$state/sources.new" "$state/sources.list"
  apt-get -c "$state/apt.conf" update -qq >> "$state/update.log" 2>&1
}

# The meta package depends on exactly one package with the kernel in it.
real_package() {
  apt-cache -c "$state/apt.conf" depends linux-image-cloud-amd64 2> /dev/null |
    sed -nE 's/^ *Depends: (linux-image-[0-9].*-cloud-amd64)$/\1/p' | head -n 1
}

unpack() {
  local package=$1 target=$2
  rm -rf "$cache/$kernel"/.unpack.* # of an interrupted earlier run: we hold the lock
  work=$(mktemp -d "$cache/$kernel/.unpack.XXXXXX")
  (cd "$work" && apt-get -c "$state/apt.conf" download -qq "$package" > /dev/null)
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

if write_sources && apt_options && update; then
  package=$(real_package)
  case "$package" in
    linux-image-"$kernel".*) ;;
    *) say "suite $suite ships '${package:-no cloud kernel}', not $kernel"; exit 1 ;;
  esac
  version=$(apt-cache -c "$state/apt.conf" show --no-all-versions "$package" | sed -n 's/^Version: //p' | head -n 1)
  target=$cache/$kernel/${package#linux-image-}_$version
  compgen -G "$target/lib/modules/*/modules.dep" > /dev/null || unpack "$package" "$target"
else
  target=$(newest_cached)
  [ -n "$target" ] || { say "no kernel $kernel in $cache and apt cannot fetch one: $(tail -n 1 "$state/update.log" 2> /dev/null)"; exit 1; }
  say "apt does not answer, using $target"
fi
echo "$target"
