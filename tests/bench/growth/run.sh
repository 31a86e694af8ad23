#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How the cost of a check grows. Built before: hostward and bench_programs.
# Usage: tests/bench/growth/run.sh [options of growth.py]   (root; tests/bench/run.sh calls it)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

# A sparse copy that grows, and goes with this script.
image=$(tests/bench/check/fetch_root.sh 0)
rm -f "${image%/*}"/growth.* # of an interrupted earlier run
copy=$(mktemp "${image%/*}/growth.XXXXXX")
trap 'rm -f "$copy"' EXIT
cp --sparse=always "$image" "$copy"
tests/bench/check/enter.sh tests/bench/growth/growth.py --image "$copy" "$@"
