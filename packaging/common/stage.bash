# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by packaging/build.sh
# Sourced: the files that both kinds of packages have.

# stage DIR: everything below a root of its own.
stage() {
    local root=$1 page
    DESTDIR=$root cmake --install "$build" --prefix /usr > /dev/null
    strip --strip-unneeded "$root/usr/sbin/hostward"
    place "$here/common/sysusers.conf" "$root/usr/lib/sysusers.d/hostward.conf"
    place "$here/common/tmpfiles.conf" "$root/usr/lib/tmpfiles.d/hostward.conf"
    place "$here/common/90-hostward.preset" "$root/usr/lib/systemd/system-preset/90-hostward.preset"
    place "$here/common/hostward.toml" "$root/etc/hostward/hostward.toml"
    place "$here/common/report.toml" "$root/etc/hostward/report.toml"
    place "$here/completion/hostward.bash" "$root/usr/share/bash-completion/completions/hostward"
    mkdir -p "$root/etc/hostward/policy.d"
    for page in "$root"/usr/share/man/man*/*; do
        gzip -9n "$page"
    done
}

# place SOURCE TARGET [MODE]
place() { install -D -m "${3:-0644}" "$1" "$2"; }

# settle DIR: one time and one set of modes, whatever umask and clock the build had.
settle() {
    find "$1" -type d -exec chmod 0755 {} +
    find "$1" -type f -perm /111 -exec chmod 0755 {} +
    find "$1" -type f ! -perm /111 -exec chmod 0644 {} +
    find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}
