#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the packages of a built tree, and their bill of materials. Same tree, same packages, byte for byte: docs/packages.md.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: packaging/build.sh [--build DIR] [--out DIR] [--release N] [--deb] [--rpm]

  --build DIR   a tree built by the preset release (build/release)
  --out DIR     where the packages go (BUILD/packages)
  --release N   revision of the package: a higher one is an upgrade (1)
  --deb, --rpm  only this kind [both]
  --help        this text

Environment: SOURCE_DATE_EPOCH, time of every file (that of the last commit);
             HOSTWARD_MAINTAINER, "Name <address>" in the packages.
TEXT
}

wrong_arguments() {
    echo "build.sh: $1" >&2
    usage >&2
    exit 2
}

fail() {
    echo "build.sh: $1" >&2
    exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(dirname "$here")
build=$source_dir/build/release
out=
release=1
kinds=()
while [ "$#" -gt 0 ]; do
    case "$1" in
    --build | --out | --release)
        [ "$#" -ge 2 ] || wrong_arguments "$1 needs a value"
        case "$1" in
        --build) build=$2 ;;
        --out) out=$2 ;;
        --release) release=$2 ;;
        esac
        shift
        ;;
    --deb | --rpm) kinds+=("${1#--}") ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) wrong_arguments "unknown argument '$1'" ;;
    esac
    shift
done
[[ $release =~ ^[1-9][0-9]{0,5}$ ]] || wrong_arguments "--release '$release' is no number from 1 to 999999"
[ "${#kinds[@]}" -gt 0 ] || kinds=(deb rpm)
[ -x "$build/hostward" ] || fail "there is no $build/hostward: cmake --preset release && cmake --build --preset release"
build=$(cd "$build" && pwd)
out=${out:-$build/packages}
mkdir -p "$out"
out=$(cd "$out" && pwd)

# Nothing of who builds where and when.
export LC_ALL=C TZ=UTC
umask 022
commit_time() { git -c safe.directory='*' -C "$source_dir" log -1 --format=%ct 2>/dev/null; }
# Without a repository: the day of the manual.
manual_time() { date -d "$(sed -n 's/^\.TH [^"]*"\([0-9-]*\)".*/\1/p' "$source_dir/docs/man/hostward.8")" +%s; }
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(commit_time || manual_time)}

cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
version=$(cached CMAKE_PROJECT_VERSION)
[ "$(cached CMAKE_BUILD_TYPE)" = Release ] || fail "$build is no Release build"
[ "$(cached HOSTWARD_SANITIZE)" = OFF ] || fail "$build is built with sanitizers"
# Read by the sourced files.
# shellcheck disable=SC2034
maintainer=${HOSTWARD_MAINTAINER:-hostward maintainers <hostward@localhost>}

work=$(mktemp -d "${TMPDIR:-/tmp}/hostward-packages.XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck source=packaging/common/stage.bash
. "$here/common/stage.bash"
# What a debugger asks for, beside the packages.
objcopy --only-keep-debug "$build/hostward" "$out/hostward-$version-$release.debug"
stage "$work/sbom"
python3 -B "$here/common/sbom.py" --build "$build" --program "$work/sbom/usr/sbin/hostward" --version "$version-$release" \
    > "$out/hostward-$version-$release.spdx.json"
for kind in "${kinds[@]}"; do
    # shellcheck source=packaging/deb/build.bash
    # shellcheck source=packaging/rpm/build.bash
    . "$here/$kind/build.bash"
    "build_$kind"
done
