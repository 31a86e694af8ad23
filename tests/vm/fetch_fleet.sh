#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs a small Debian of this machine's release into a folder and prints the folder: what the machine of the fleet
# story runs. Each package is configured by its own scripts, in a chroot without a network; nothing is installed here.
# Usage: tests/vm/fetch_fleet.sh
set -euo pipefail

# shellcheck source=tests/vm/apt.bash
. "$(dirname "${BASH_SOURCE[0]}")/apt.bash"

wanted=(
  # what every Debian has
  base-files base-passwd bash bsdutils coreutils dash debianutils diffutils dpkg findutils grep gzip hostname
  init-system-helpers libc-bin login mawk ncurses-base ncurses-bin perl-base sed sysvinit-utils tar usr-is-merged util-linux
  systemd-sysv udev dbus libpam-systemd kmod procps iproute2
  cloud-init isc-dhcp-client
  awscli cron curl
  libbpf1 libspdlog1.10 libre2-9 libssl3 libcap2 libcurl4 # what hostward is linked with
)
left_out=(doc man info locale groff lintian bash-completion)

cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/fleet
suite=$(own_suite)
mkdir -p "$cache"
exec 9> "$cache/.lock"
flock 9

newest_cached() { find "$cache" -mindepth 2 -maxdepth 2 -name .installed -printf '%T@ %h\n' | sort -n | sed -n '$s/^[^ ]* //p'; }

packages() {
  apt_ask apt-get install -s --no-install-recommends "${wanted[@]}" | sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1_\2/p' | sort
}

# The programs that the packages' own scripts call, before any of these ran.
extract() {
  local root=$1 package
  local -a options=("${left_out[@]/#/--exclude=./usr/share/}")
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/var/lib/dpkg/{info,updates,triggers} "$root"/{proc,dev,etc/dpkg/dpkg.cfg.d,debs}
  ln -s -t "$root" usr/bin usr/sbin usr/lib usr/lib64
  for package in "$apt_state"/archives/*.deb; do
    # By tar: it follows the merged folders' links, where dpkg-deb -x would replace them.
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink "${options[@]}"
  done
  ln -s mawk "$root/usr/bin/awk"
  : > "$root/var/lib/dpkg/status"
  printf 'force-unsafe-io\n' > "$root/etc/dpkg/dpkg.cfg.d/small"
  printf 'path-exclude=/usr/share/%s/*\n' "${left_out[@]}" >> "$root/etc/dpkg/dpkg.cfg.d/small"
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" # no script starts a service
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mv "$apt_state"/archives/*.deb "$root/debs"
}

# In namespaces of its own: no process, mount or packet of a package's script reaches this machine.
install() {
  # shellcheck disable=SC2016
  env -i PATH=/usr/sbin:/usr/bin DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8 \
    unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net bash -euc '
      mount -t proc none "$1/proc"
      mount -t tmpfs none "$1/dev"
      for device in null zero full random urandom; do
        : > "$1/dev/$device"
        mount --bind "/dev/$device" "$1/dev/$device"
      done
      exec chroot "$1" bash -euc "
        dpkg --force-depends --install debs/base-passwd_*.deb debs/base-files_*.deb
        dpkg --force-depends --install debs/libc6_*.deb debs/perl-base_*.deb debs/mawk_*.deb debs/debconf_*.deb
        dpkg --force-depends --unpack debs/*.deb
        dpkg --configure --pending"' bash "$1"
}

make() {
  local target=$1 work
  rm -f "$apt_state"/archives/*.deb
  rm -rf "$cache"/.make.* # of an interrupted earlier run: we hold the lock
  work=$(mktemp -d "$cache/.make.XXXXXX")
  chmod 755 "$work"
  apt_ask apt-get install -qq -y --no-install-recommends --download-only "${wanted[@]}" > /dev/null
  extract "$work"
  install "$work" > "$cache/install.log" 2>&1 || { tail -n 20 "$cache/install.log" >&2; say "installing failed, see $cache/install.log"; exit 1; }
  rm -rf "$work"/{debs,usr/sbin/policy-rc.d} "$work"/var/cache/debconf/*-old
  touch "$work/.installed"
  rm -rf "$target"
  mv "$work" "$target"
}

if apt_open "$suite" "$cache/apt/$suite"; then
  list=$(packages)
  [ -n "$list" ] || { say "suite $suite has not all of ${wanted[*]}"; exit 1; }
  target=$cache/$suite-$(cat - "${BASH_SOURCE[0]}" <<< "$list" | sha256sum | cut -c 1-16)
  [ -e "$target/.installed" ] || make "$target"
else
  target=$(newest_cached)
  [ -n "$target" ] || { say "nothing in $cache and apt cannot fetch it: $(apt_complaint)"; exit 1; }
  say "apt does not answer, using $target"
fi
echo "$target"
