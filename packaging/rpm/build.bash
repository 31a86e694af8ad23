# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by packaging/build.sh
# Sourced: build_rpm.

build_rpm() {
    local root=$work/rpm source
    stage "$root"
    place "$source_dir/LICENSE" "$root/usr/share/licenses/hostward/LICENSE"
    place "$source_dir/CHANGELOG.md" "$root/usr/share/doc/hostward/CHANGELOG.md"
    for source in te fc if; do
        place "$source_dir/packaging/selinux/hostward.$source" "$root/usr/share/doc/hostward/selinux/hostward.$source"
    done
    settle "$root"
    rpm_spec "$root" > "$work/hostward.spec"
    run_rpmbuild > "$work/rpmbuild.log" 2>&1 || {
        cat "$work/rpmbuild.log" >&2
        fail "rpmbuild failed"
    }
    cp "$work"/top/RPMS/*/*.rpm "$out/"
}

rpm_spec() {
    rpm_files "$1" > "$work/rpm-files"
    sed -e "s|@VERSION@|$version|; s|@RELEASE@|$release|; s|@MAINTAINER@|$maintainer|; s|@STAGE@|$1|" \
        -e "/@SCRIPTLETS@/{r $here/rpm/scriptlets
d}" -e "/@FILES@/{r $work/rpm-files
d}" "$here/rpm/hostward.spec.in"
}

# What is not /etc, with the folders that are ours alone.
rpm_files() {
    (cd "$1" && find usr/share/hostward usr/share/doc/hostward usr/share/licenses/hostward -type d | LC_ALL=C sort | sed 's|^|%dir /|')
    (cd "$1" && find usr -type f | LC_ALL=C sort | sed -e 's|^|/|' -e 's|^/usr/share/doc/|%doc &|' -e 's|^/usr/share/licenses/|%license &|')
}

# Nothing of the machine that builds: its name, its clock, what it would strip or compress, macros of who builds; and
# nothing is left there: rpm makes a database in HOME.
run_rpmbuild() {
    HOME=$work rpmbuild -bb "$work/hostward.spec" --quiet --target "$(uname -m)-linux" --buildroot "$work/buildroot" \
        --define "_topdir $work/top" --define "_tmppath $work" --define "_buildhost localhost" \
        --define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
        --define "source_date_epoch_from_changelog 0" --define "_build_id_links none" --define "__os_install_post %{nil}" \
        --define "_binary_payload w9.xzdio" --define "_source_filedigest_algorithm 8" --define "_binary_filedigest_algorithm 8" \
        --define "_docdir /usr/share/doc"
}
