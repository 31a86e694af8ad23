#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures hostward beside the tools people use and prints the tables. With --record it writes them to docs/benchmarks.
# Usage: sudo tests/bench/run.sh [--record] [--rounds N] [--peer-rounds N] [--limit SECONDS] [--files N]
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: sudo tests/bench/run.sh [--record] [--rounds N] [--peer-rounds N] [--limit SECONDS] [--files N]

  --rounds N       runs of hostward, find and the bare walk (15)
  --peer-rounds N  runs of OpenSCAP and Lynis, minutes each; 0 leaves them out (1)
  --limit SECONDS  a run that takes longer is ended and shown as longer (1800)
  --files N        files of the big host (500000)
  --record         write docs/benchmarks/check.json and the tables of docs/benchmarks.md
TEXT
}

wrong_arguments() {
    echo "run.sh: $1" >&2
    usage >&2
    exit 2
}

record=no
files=500000
arguments=()
while [ "$#" -gt 0 ]; do
    case "$1" in
    --record) record=yes ;;
    --rounds | --peer-rounds | --limit | --files)
        [[ "${2:-}" =~ ^[0-9]+$ ]] || wrong_arguments "$1 needs a number"
        if [ "$1" = --files ]; then files=$2; else arguments+=("$1" "$2"); fi
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) wrong_arguments "unknown argument '$1'" ;;
    esac
    shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ "$(id -u)" != 0 ]; then
    echo "run.sh: needs root: the measured host is a root file system in namespaces of its own." >&2
    echo "run.sh: run it as: sudo tests/bench/run.sh" >&2
    exit 1
fi

packaging/install-deps.sh build bench demo
cmake --preset product > /dev/null
cmake --build build/release --target hostward -- --quiet
root=$(tests/bench/fetch_root.sh "$files")
install -d "$root/bench"
install build/release/hostward "$root/bench/"
rm -rf "$root/bench/hardening"
cp -r hardening/rules hardening/profiles "$(install -d "$root/bench/hardening" && echo "$root/bench/hardening/")"
for program in walk_floor measure; do
    g++ -std=c++20 -O2 -static -pthread "tests/bench/$program.cpp" -o "$root/bench/$program"
done

[ "$record" = no ] || arguments+=(--json docs/benchmarks/check.json)
# A mount namespace of its own in which the measured root is a file system's top, as on a host.
# shellcheck disable=SC2016
unshare --mount --pid --fork --net --propagation private bash -euo pipefail -c '
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
    exec python3 tests/bench/check.py --root "$root" "$@"
' bash "$root" "${arguments[@]}"
[ "$record" = no ] || tests/bench/render.py --write
