#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh checkout to a guard at work: installs what is missing, builds, shows what it does.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: sudo packaging/quickstart.sh [--built DIR]

Installs the packages that the build needs, builds build/release/hostward and shows the guard
at work. Outside EC2 it uses a simulated metadata service in network namespaces of its own;
on EC2 the real one, in audit mode. Either way it guards only a cgroup of its own, and it
removes everything it made, also when interrupted.

  --built DIR   install and build nothing, use the programs in DIR (build/release)
  --help        this text

Exit code: 0 everything came out as it should, 1 otherwise, 2 wrong arguments.
TEXT
}

wrong_arguments() {
    echo "quickstart.sh: $1" >&2
    usage >&2
    exit 2
}

built=
while [ "$#" -gt 0 ]; do
    case "$1" in
    --built)
        [ "$#" -ge 2 ] || wrong_arguments "--built needs a folder"
        built=$2
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

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
if [ "$(id -u)" != 0 ]; then
    echo "quickstart.sh: needs root: it loads BPF programs. Run it as: sudo packaging/quickstart.sh" >&2
    exit 1
fi
# shellcheck source=packaging/run.bash
. "$here/run.bash"

if [ -z "$built" ]; then
    cd "$here/.."
    echo "== installing what the build needs"
    run packaging/install-deps.sh build demo
    echo "== building build/release/hostward"
    mkdir -p build
    run_quietly build/product-configure.log cmake --preset product
    run cmake --build build/release --target hostward imds_sim -j "$(nproc)" -- --quiet
    built=build/release
fi
built=$(realpath "$built")
for program in "$built/hostward" "$built/tests/imds_sim"; do
    [ -x "$program" ] || {
        echo "quickstart.sh: $program is missing: build it first, or leave --built out" >&2
        exit 1
    }
done

# In a mount namespace of its own: what the demonstration mounts ends with its last process, even after kill -9.
exec unshare --mount --propagation private -- "$here/demo.sh" "$built"
