#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the root of an instance of Debian 12 or 13 with mmdebstrap and prints its folder: what an image for EC2 has, and what the
# package of hostward depends on. Nothing is installed on this machine. Usage: tests/vm/instance/fetch_roots.sh bookworm|trixie
set -euo pipefail

# shellcheck source=tests/vm/apt.bash
. "$(dirname "${BASH_SOURCE[0]}")/../apt.bash"

wanted=systemd-sysv,udev,dbus,kmod,procps,iproute2,login,passwd,libpam-systemd,cloud-init,curl,ca-certificates,libssl3
suite=${1:-}
case "$suite" in
  bookworm) wanted+=,isc-dhcp-client,libcurl4 ;;
  trixie) wanted+=,dhcpcd-base,libcurl4t64 ;;
  *) echo "usage: $0 bookworm|trixie" >&2; exit 2 ;;
esac
leaner=()
for folder in doc man info locale groff lintian bash-completion; do leaner+=("--dpkgopt=path-exclude=/usr/share/$folder/*"); done

cache=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/instance
mkdir -p "$cache"
exec 9> "$cache/.lock.$suite"
flock 9

# shellcheck disable=SC2016 # the hooks are for another shell
make() {
  local work=$cache/.make.$suite
  rm -rf "$work" # of an interrupted earlier run: we hold the lock
  # The name server's file and the name are this machine's.
  mmdebstrap --quiet --mode=root --variant=minbase --include="$wanted" --aptopt='APT::Install-Recommends "false"' \
    "${leaner[@]}" \
    --customize-hook='rm -f "$1/etc/resolv.conf"' --customize-hook='echo image > "$1/etc/hostname"' \
    "$suite" "$work" "$apt_state/sources.list" > "$cache/make.$suite.log" 2>&1 ||
    { tail -n 20 "$cache/make.$suite.log" >&2; say "making $suite failed, see $cache/make.$suite.log"; exit 1; }
  rm -rf "$work/etc/apt/sources.list"
  mv "$work" "$1"
}

# Kept until the list of packages changes: which versions they have is not what is tried.
target=$cache/$suite-$(cat - "${BASH_SOURCE[0]}" <<< "$wanted" | sha256sum | cut -c 1-12)
if [ ! -d "$target" ]; then
  apt_open "$suite" "$cache/apt/$suite" || { say "apt cannot fetch $suite: $(apt_complaint)"; exit 1; }
  make "$target"
  find "$cache" -maxdepth 1 -name "$suite-*" ! -path "$target" -exec rm -rf {} +
fi
echo "$target"
