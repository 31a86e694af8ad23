#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds them and runs every test that this machine can run.
# The last lines are CTest's totals; the list of skipped tests with their reasons stands before them.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: sudo tests/run.sh [--quick | --full] [--list] [-R REGEX]

  --quick    the minutes-long subset: no virtual machines, no fuzzing, no tidy,
             smaller counts in the long tests
  --full     also what takes a second hour: every test on every kernel,
             a machine of its own for SSM's documents
  --list     build nothing, print the names of the tests
  -R REGEX   only the tests whose name matches
  --help     this text

Exit code: 0 all passed and every skip was expected, 1 otherwise,
           2 wrong arguments.
Environment: HOSTWARD_FUZZ_SECONDS (6), seconds per fuzz target;
             HOSTWARD_TIDY_SECONDS (480), for sources that clang-tidy has not
             found clean before; the next run goes on, --full has no bound;
             HOSTWARD_JOBS (number of processors), parallel jobs;
             HOSTWARD_CACHE (/var/cache/hostward-tests), for what is fetched
             and compiled.
TEXT
}

wrong_arguments() {
    echo "run.sh: $1" >&2
    usage >&2
    exit 2
}

quick=no
full=OFF
list=no
regex=
while [ "$#" -gt 0 ]; do
    case "$1" in
    --quick) quick=yes ;;
    --full) full=ON ;;
    --list) list=yes ;;
    -R)
        [ "$#" -ge 2 ] || wrong_arguments "-R needs a regular expression"
        regex=$2
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

[ "$quick$full" != yesON ] || wrong_arguments "--quick and --full exclude each other"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "$(id -u)" != 0 ]; then
    echo "run.sh: needs root: the tests load BPF programs and make namespaces and cgroups of their own." >&2
    echo "run.sh: run it as: sudo tests/run.sh" >&2
    exit 1
fi

jobs=${HOSTWARD_JOBS:-$(nproc)}
started=$SECONDS
# shellcheck source=packaging/run.bash
. packaging/run.bash

say() { printf '== %s (%d s)\n' "$1" "$((SECONDS - started))"; }

# Each test belongs to exactly one tree, so nothing is built or run twice:
# dev (clang, sanitizers) has the logic and the fuzz targets, release (GCC) the whole system as it ships and what the
# virtual machines run again.
trees=(dev release)
declare -A folders=([dev]="unit;golden;lint;fuzz" [release]="bpf;e2e;vm;bench")

# A clone compiles only what no clone on this machine has compiled before.
CCACHE_DIR=${HOSTWARD_CACHE:-/var/cache/hostward-tests}/ccache
export PYTHONDONTWRITEBYTECODE=1 CCACHE_DIR CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=2G

say "installing packages"
run packaging/install-deps.sh build package demo test

for tree in "${trees[@]}"; do
    say "configuring build/$tree"
    mkdir -p build
    # -g1: what the reports of sanitizers need; the rest of -g costs a run minutes.
    run_quietly "build/$tree-configure.log" cmake --preset "$tree" -DHOSTWARD_TEST_FOLDERS="${folders[$tree]}" -DHOSTWARD_FULL_TESTS=$full \
        -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
done

# One CTest project over the trees: one run, one total.
mkdir -p build/all
{
    printf 'subdirs('
    printf ' "%s"' "${trees[@]/#/$PWD/build/}"
    printf ')\n'
} >build/all/CTestTestfile.cmake

selection=()
[ -z "$regex" ] || selection+=(-R "$regex")
if [ "$quick" = yes ]; then
    selection+=(-LE '^(vm|fuzz|slow|lint-tidy)$')
    export HOSTWARD_QUICK=1
fi

if [ "$list" = yes ]; then
    run ctest --test-dir build/all -N "${selection[@]}"
    exit
fi

for tree in "${trees[@]}"; do
    say "building build/$tree"
    run cmake --build "build/$tree" -j "$jobs" -- --quiet
done

say "running the tests"
export HOSTWARD_FUZZ_SECONDS=${HOSTWARD_FUZZ_SECONDS:-6}
[ "$full" = ON ] || export HOSTWARD_TIDY_SECONDS=${HOSTWARD_TIDY_SECONDS:-480}
rm -f build/all/Testing/Temporary/LastTest.log
# shellcheck disable=SC2016
run bash -o pipefail -c 'ctest --test-dir build/all "$@" | python3 tests/report.py' bash \
    -j "$jobs" --output-on-failure --no-tests=error "${selection[@]}"
