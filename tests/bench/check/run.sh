#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `hostward check` beside the tools people use, on a Debian of its own. Built before: hostward and bench_programs.
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

plain=$(tests/bench/check/fetch_root.sh 0)
big=$(tests/bench/check/fetch_root.sh "$files")
exec tests/bench/check/enter.sh tests/bench/check/check.py --plain "$plain" --big "$big" "${arguments[@]}"
