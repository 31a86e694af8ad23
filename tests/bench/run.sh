#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures hostward beside the tools people use and prints the tables. With --record it writes them to docs/benchmarks.
# Each part is a folder here and can be run alone.
set -euo pipefail

all_parts=(guard check report growth)

usage() {
    cat <<'TEXT'
Usage: sudo tests/bench/run.sh [--record] [--part PART]... [--rounds N]
                               [--peer-rounds N] [--limit SECONDS] [--files N]

  --part PART      guard, check, report or growth; may be repeated (all)
  --rounds N       runs of each subject (each part has its own default)
  --peer-rounds N  check: runs of OpenSCAP and Lynis, minutes each; 0 leaves
                   them out (1)
  --limit SECONDS  check: a run that takes longer is ended and shown as longer
                   (1800)
  --files N        check: files of the big host (500000)
  --record         write docs/benchmarks/PART.json, the plots beside it and the
                   tables of docs/benchmarks.md
TEXT
}

wrong_arguments() {
    echo "run.sh: $1" >&2
    usage >&2
    exit 2
}

record=no
parts=()
rounds=()
check_options=()
while [ "$#" -gt 0 ]; do
    case "$1" in
    --record) record=yes ;;
    --part)
        [[ " ${all_parts[*]} " == *" ${2:-none} "* ]] || wrong_arguments "--part needs one of ${all_parts[*]}"
        parts+=("$2")
        shift
        ;;
    --rounds | --peer-rounds | --limit | --files)
        [[ "${2:-}" =~ ^[0-9]+$ ]] || wrong_arguments "$1 needs a number"
        if [ "$1" = --rounds ]; then rounds=("$1" "$2"); else check_options+=("$1" "$2"); fi
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
[ "${#parts[@]}" -gt 0 ] || parts=("${all_parts[@]}")

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ "$(id -u)" != 0 ]; then
    echo "run.sh: needs root: what is measured runs in namespaces, cgroups and a root file system of its own." >&2
    echo "run.sh: run it as: sudo tests/bench/run.sh" >&2
    exit 1
fi

# shellcheck source=packaging/run.bash
. packaging/run.bash

packaging/install-deps.sh build bench demo
mkdir -p build
run_quietly build/bench-configure.log cmake --preset release -DHOSTWARD_TEST_FOLDERS=bench
run cmake --build build/release --target hostward bench_programs -- --quiet

entry_of() { compgen -G "tests/bench/$1/run.*"; }

run_part() {
    local part=$1 options=("${rounds[@]}")
    [ "$part" != check ] || options+=("${check_options[@]}")
    [ "$record" = no ] || options+=(--json "docs/benchmarks/$part.json")
    run "$(entry_of "$part")" "${options[@]}"
}

# A part that fails does not take the others' figures away.
failed=()
for part in "${parts[@]}"; do
    run_part "$part" || failed+=("$part")
done
[ "$record" = no ] || tests/bench/render.py --write
[ "${#failed[@]}" -eq 0 ] || {
    echo "run.sh: failed: ${failed[*]}" >&2
    exit 1
}
