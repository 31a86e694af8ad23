#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `hostward check` beside the tools people use, in a Debian root of its own. Built before: build/release/hostward.
# Usage: tests/bench/check/run.sh [--files N] [options of check.py]   (root; tests/bench/run.sh calls it)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

files=500000
arguments=()
while [ "$#" -gt 0 ]; do
    if [ "$1" = --files ]; then
        files=$2
        shift
    else
        arguments+=("$1")
    fi
    shift
done

root=$(tests/bench/check/fetch_root.sh "$files")
install -d "$root/bench"
install build/release/hostward "$root/bench/"
rm -rf "$root/bench/hardening"
cp -r hardening/rules hardening/profiles "$(install -d "$root/bench/hardening" && echo "$root/bench/hardening/")"
for program in walk_floor measure; do
    g++ -std=c++20 -O2 -static -pthread "tests/bench/check/$program.cpp" -o "$root/bench/$program"
done

# A mount namespace of its own in which the measured root is a file system's top, as on a host.
# shellcheck disable=SC2016
exec unshare --mount --pid --fork --net --propagation private bash -euo pipefail -c '
    root=$1
    shift
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind -o ro /sys "$root/sys"
    # OpenSCAP ends with an error on a host without a configured interface.
    ip link set lo up
    ip link add bench0 type veth peer name bench1
    ip address add 192.0.2.1/24 dev bench0
    ip link set bench0 up
    exec python3 tests/bench/check/check.py --root "$root" "$@"
' bash "$root" "${arguments[@]}"
