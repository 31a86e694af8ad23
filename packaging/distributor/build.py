#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a Systems Manager Distributor package of a .deb and a .rpm: a folder with manifest.json and one zip for each.

    packaging/distributor/build.py --version 0.1.0-1 --out DIR hostward_0.1.0-1_amd64.deb hostward-0.1.0-1.x86_64.rpm

The same packages give the same bytes, wherever and whenever. docs/install-ssm.md says what to do with the folder.
"""
import argparse
import hashlib
import json
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# As Distributor calls the distributions that take the kind of package, and the processor.
PLATFORMS = {".deb": ("debian", "ubuntu"), ".rpm": ("amazon", "redhat")}
ARCHITECTURE = "x86_64"
NAMES = {".deb": "_amd64.deb", ".rpm": ".x86_64.rpm"}
SCRIPTS = {"install.sh": "install.sh", "uninstall.sh": "uninstall.sh", "update.sh": "install.sh"}
BEGIN = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can have


def add(archive, name, content, mode):
    entry = zipfile.ZipInfo(name, BEGIN)
    entry.create_system = 3  # Unix: modes count
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = zipfile.ZIP_STORED  # packages are compressed already, and no library's version shows
    archive.writestr(entry, content)


def make_zip(package, target):
    with zipfile.ZipFile(target, "w") as archive:
        for name, source in SCRIPTS.items():
            add(archive, name, (HERE / source).read_bytes(), 0o755)
        add(archive, package.name, package.read_bytes(), 0o644)


def manifest(version, zips):
    content = {"schemaVersion": "2.0", "publisher": "hostward", "version": version, "packages": {}, "files": {}}
    for kind, file in sorted(zips.items()):
        for platform in PLATFORMS[kind]:
            content["packages"][platform] = {"_any": {ARCHITECTURE: {"file": file.name}}}
        content["files"][file.name] = {"checksums": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}}
    return json.dumps(content, indent=2) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description="Makes a Distributor package of a .deb and a .rpm.")
    parser.add_argument("--version", required=True, help="of the Distributor package, such as 0.1.0-1")
    parser.add_argument("--out", required=True, type=Path, help="folder, made if there is none")
    parser.add_argument("packages", nargs="+", type=Path, help="one of each kind at most")
    return parser.parse_args()


def main():
    known = arguments()
    zips = {}
    known.out.mkdir(parents=True, exist_ok=True)
    for package in known.packages:
        kind = package.suffix
        if kind not in NAMES or not package.name.endswith(NAMES[kind]):
            sys.exit(f"build.py: {package.name} does not end with one of {', '.join(NAMES.values())}")
        if kind in zips:
            sys.exit(f"build.py: two packages of the kind {kind}")
        zips[kind] = known.out / f"hostward{kind.replace('.', '-')}-{ARCHITECTURE}.zip"
        make_zip(package, zips[kind])
    (known.out / "manifest.json").write_text(manifest(known.version, zips), encoding="utf-8")


if __name__ == "__main__":
    main()
