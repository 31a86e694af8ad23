# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by packaging/build.sh
# Sourced: build_deb. Why not debhelper: docs/decisions/0017-packages.md.

build_deb() {
    local root=$work/deb architecture script
    architecture=$(dpkg --print-architecture)
    stage "$root"
    deb_documents "$root"
    place "$here/deb/apparmor/usr.sbin.hostward" "$root/etc/apparmor.d/usr.sbin.hostward"
    place "$here/deb/lintian-overrides" "$root/usr/share/lintian/overrides/hostward"
    mkdir "$root/DEBIAN"
    deb_control "$root" "$architecture" > "$root/DEBIAN/control"
    (cd "$root" && find etc -type f | LC_ALL=C sort | sed 's|^|/|') > "$root/DEBIAN/conffiles"
    (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
    for script in postinst prerm postrm; do
        place "$here/deb/$script" "$root/DEBIAN/$script" 0755
    done
    settle "$root"
    # One thread: the blocks of xz, and with them the bytes, would depend on the number of processors.
    DPKG_DEB_THREADS_MAX=1 dpkg-deb --root-owner-group -Zxz --build "$root" \
        "$out/hostward_$version-${release}_$architecture.deb" > /dev/null
}

deb_documents() {
    local doc=$1/usr/share/doc/hostward
    place "$here/deb/copyright" "$doc/copyright"
    deb_changelog | gzip -9n > "$doc/changelog.Debian.gz"
    gzip -9nc "$source_dir/CHANGELOG.md" > "$doc/changelog.gz"
}

deb_changelog() {
    printf 'hostward (%s-%s) unstable; urgency=medium\n\n  * Version %s: changelog.gz says what is new.\n\n -- %s  %s\n' \
        "$version" "$release" "$version" "$maintainer" "$(date -R -d "@$SOURCE_DATE_EPOCH")"
}

# What the program is linked with, by dpkg-shlibdeps. Not libcurl: the program opens it itself.
deb_libraries() {
    local scratch=$work/shlibdeps
    mkdir -p "$scratch/debian"
    printf 'Source: hostward\n\nPackage: hostward\nArchitecture: any\n' > "$scratch/debian/control"
    (cd "$scratch" && dpkg-shlibdeps -O "$1/usr/sbin/hostward") | sed -n 's/^shlibs:Depends=//p'
}

deb_control() {
    local root=$1 architecture=$2 libraries
    libraries=$(deb_libraries "$root")
    cat <<TEXT
Package: hostward
Version: $version-$release
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
Depends: $libraries, libcurl4 (>= 7.76.0) | libcurl4t64, init-system-helpers (>= 1.54), systemd (>= 247)
Section: admin
Priority: optional
Description: guard of the EC2 instance metadata service, and hardening checks
 hostward decides in the kernel which users, units and programs of a host may
 reach the EC2 instance metadata service, compares the host with hardening
 profiles, and reports the result under an identity that the receiver can
 verify.
 .
 Installed, it records in audit mode and refuses nobody.
TEXT
}
