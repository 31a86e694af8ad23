#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the program twice, in two folders of different length, and compares the two byte for byte. Takes as long as two builds.
# Usage: packaging/reproduce.sh [JOBS]
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${1:-$(nproc)}
work=$(mktemp -d "${TMPDIR:-/tmp}/hostward-reproduce.XXXXXX")
trap 'rm -rf "$work"' EXIT

for place in one a-much/longer/one; do
    mkdir -p "$work/$place"
    git -c safe.directory='*' -C "$source_dir" archive HEAD | tar -x -C "$work/$place"
    (cd "$work/$place" && cmake --preset release -DHOSTWARD_TESTS=OFF > /dev/null &&
        cmake --build build/release --target hostward -j "$jobs" -- --quiet)
done
cmp "$work/one/build/release/hostward" "$work/a-much/longer/one/build/release/hostward"
sha256sum "$work/one/build/release/hostward" | sed "s|  .*|  the same program from both|"
