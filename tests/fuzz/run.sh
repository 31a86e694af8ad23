#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets one after the other and fails when one of them crashes, hangs or does nothing.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: tests/fuzz/run.sh [--build DIR] SECONDS [TARGET...]

  SECONDS      how long each target runs; - takes HOSTWARD_FUZZ_SECONDS (60)
  TARGET       names of targets; none: all
  --build DIR  use the fuzz tree in DIR as it is; without this option
               build/fuzz is configured and built first

What is found stays below DIR/fuzz: artifacts/TARGET-* are the inputs that
failed, corpus/TARGET/ what reached new code.
Exit code: 0 nothing found, 1 something found, 2 wrong arguments.
TEXT
}

wrong_arguments() {
    echo "run.sh: $1" >&2
    usage >&2
    exit 2
}

build=
seconds=
targets=()
while [ "$#" -gt 0 ]; do
    case "$1" in
    --build)
        [ "$#" -ge 2 ] || wrong_arguments "--build needs a folder"
        build=$2
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) if [ -z "$seconds" ]; then seconds=$1; else targets+=("$1"); fi ;;
    esac
    shift
done
[ "$seconds" != - ] || seconds=${HOSTWARD_FUZZ_SECONDS:-60}
[[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || wrong_arguments "SECONDS is '$seconds': allowed are 1 to 999999 and -"

if [ -z "$build" ]; then
    cd "$(dirname "${BASH_SOURCE[0]}")/../.."
    build=$PWD/build/fuzz
    cmake --preset fuzz -DHOSTWARD_TEST_FOLDERS=fuzz >/dev/null
    cmake --build build/fuzz --target fuzz_targets
fi
list=$build/fuzz_targets.txt
[ -s "$list" ] || wrong_arguments "no fuzz targets in '$build'"
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(cut -d ' ' -f 1 "$list")

# Inputs executed, from the statistics that a finished target prints.
executed() { sed -n 's/^stat::number_of_executed_units: *//p' "$1"; }

run_target() {
    local name=$1 max_len dictionary seeds seed_count units log options
    read -r _ max_len dictionary seeds < <(grep "^$name " "$list") || wrong_arguments "no target '$name'"
    read -ra seeds <<<"$seeds"
    seed_count=$(find "${seeds[@]}" -type f | wc -l)
    [ "$seed_count" -gt 0 ] || {
        echo "FAILED: $name has no seeds"
        return 1
    }
    mkdir -p "$build/fuzz/corpus/$name" "$build/fuzz/artifacts"
    log=$build/fuzz/$name.log
    options=(-max_total_time="$seconds" -max_len="$max_len" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
        -artifact_prefix="$build/fuzz/artifacts/$name-")
    [ "$dictionary" = - ] || options+=(-dict="$dictionary")
    if ! "$build/tests/fuzz/fuzz_$name" "${options[@]}" "$build/fuzz/corpus/$name" "${seeds[@]}" >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "FAILED: $name, input kept as $build/fuzz/artifacts/$name-*"
        return 1
    fi
    units=$(executed "$log")
    if [ "${units:-0}" -le "$seed_count" ]; then
        echo "FAILED: $name executed ${units:-0} inputs, its seeds alone are $seed_count"
        return 1
    fi
    echo "ok: $name, $units inputs in $seconds s"
}

failed=0
for target in "${targets[@]}"; do
    run_target "$target" || failed=1
done
exit "$failed"
