#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the bill of materials of a build, SPDX 2.3 as JSON, from what the build really took: the archives of the link line, the
headers of the compiled files, the shared libraries of the program.

Usage: sbom.py --build DIR --program FILE --version V-N    (SOURCE_DATE_EPOCH is its time)
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

# Debian package that an archive or header is from -> (name, licence as SPDX writes it). A package that is not here stops the build:
# somebody has to read its licence first.
TAKEN = {
    "libbpf-dev": ("libbpf", "LGPL-2.1-only OR BSD-2-Clause"),
    "libelf-dev": ("elfutils-libelf", "LGPL-3.0-or-later OR GPL-2.0-or-later"),
    "zlib1g-dev": ("zlib", "Zlib"),
    "libre2-dev": ("re2", "BSD-3-Clause"),
    "libsqlite3-dev": ("sqlite", "blessing"),
    "libcap-dev": ("libcap", "BSD-3-Clause OR GPL-2.0-only"),
    "libseccomp-dev": ("libseccomp", "LGPL-2.1-only"),
    "libstdc++-12-dev": ("libstdc++", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libfmt-dev": ("fmt", "MIT"),
    "libspdlog-dev": ("spdlog", "MIT"),
    "nlohmann-json3-dev": ("nlohmann-json", "MIT"),
    "libcli11-dev": ("CLI11", "BSD-3-Clause"),
    "libtomlplusplus-dev": ("tomlplusplus", "MIT"),
}
# Libraries that are headers alone, by the folder below /usr/include.
HEADERS = ("CLI", "fmt", "nlohmann", "spdlog", "toml++")
# What stays the host's: library -> (name, licence). libcurl is opened by the program, not named in it.
SHARED = {
    "libcrypto.so.3": ("openssl", "Apache-2.0"),
    "libsystemd.so.0": ("systemd", "LGPL-2.1-or-later"),
    "libcurl.so.4": ("curl", "curl"),
    "libgcc_s.so.1": ("libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libc.so.6": ("glibc", "LGPL-2.1-or-later"),
    "libm.so.6": ("glibc", "LGPL-2.1-or-later"),
    "ld-linux-x86-64.so.2": ("glibc", "LGPL-2.1-or-later"),
    "ld-linux-aarch64.so.1": ("glibc", "LGPL-2.1-or-later"),
}
OPENED = ("libcurl.so.4",)


def output(*command) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def archives(build: Path) -> set[str]:
    """Of other projects, on the program's link line; libstdc++'s is named by the compiler."""
    link = output("ninja", "-C", build, "-t", "commands", "hostward").splitlines()[-1]
    found = {word for word in link.split() if re.fullmatch(r"/\S+\.a", word) and not word.startswith(f"{build}/")}
    if "-static-libstdc++" in link:
        found.add(os.path.realpath(output("g++", "-print-file-name=libstdc++.a").strip()))
    return found


def headers(build: Path) -> set[str]:
    """One header of each library that is headers alone, of what the program's own folders include."""
    wanted, is_own = {}, False
    for line in output("ninja", "-C", build, "-t", "deps").splitlines():
        if not line.startswith(" "):
            is_own = line.startswith(("agent/", "hardening/"))
        part = re.match(r"\s+/usr/include/([^/]+)/", line) if is_own else None
        if part and part.group(1) in HEADERS:
            wanted.setdefault(part.group(1), line.strip())
    return set(wanted.values())


def owners(files: set[str]) -> set[str]:
    """The Debian packages that these files are from."""
    lines = output("dpkg", "-S", *sorted(files)).splitlines()
    return {line.split(":")[0] for line in lines}


def needed(program: Path) -> list[str]:
    return re.findall(r"^\s+NEEDED\s+(\S+)$", output("objdump", "-p", program), re.M)


def identifier(text: str) -> str:
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def package(name: str, version: str, licence: str, **more) -> dict:
    return {"SPDXID": identifier(f"Package-{name}"), "name": name, "versionInfo": version, "licenseDeclared": licence,
            "licenseConcluded": licence, "copyrightText": "NOASSERTION", "downloadLocation": "NOASSERTION", "filesAnalyzed": False, **more}


def taken_package(owner: str) -> dict:
    if owner not in TAKEN:
        sys.exit(f"sbom.py: {owner} is linked, but its licence is not in the list")
    name, licence = TAKEN[owner]
    version = output("dpkg-query", "-W", "-f=${Version}", owner)
    source = output("dpkg-query", "-W", "-f=${source:Package}", owner)
    purl = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": f"pkg:deb/debian/{owner}@{version}"}
    return package(name, version, licence, externalRefs=[purl], sourceInfo=f"built from Debian's source package {source}")


def shared_packages(program: Path) -> list[dict]:
    found = {}
    for library in [*needed(program), *OPENED]:
        if library not in SHARED:
            sys.exit(f"sbom.py: {library} is needed at run time, but its licence is not in the list")
        name, licence = SHARED[library]
        found.setdefault(name, package(name, "NOASSERTION", licence, comment="the host's: "))["comment"] += library + " "
    for one in found.values():
        one["comment"] = one["comment"].strip()
        del one["versionInfo"]
    return [found[name] for name in sorted(found)]


def digest(kind: str, program: Path) -> dict:
    return {"algorithm": kind, "checksumValue": hashlib.new(kind.lower(), program.read_bytes()).hexdigest()}


def document(build: Path, program: Path, version: str) -> dict:
    taken = sorted((taken_package(owner) for owner in owners(archives(build) | headers(build))), key=lambda one: one["name"])
    shared = shared_packages(program)
    own = package("hostward", version, "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)", primaryPackagePurpose="APPLICATION")
    file = {"SPDXID": identifier("File-hostward"), "fileName": "./usr/sbin/hostward", "copyrightText": "NOASSERTION",
            "licenseConcluded": "NOASSERTION", "checksums": [digest(kind, program) for kind in ("SHA1", "SHA256")]}
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", own), (own["SPDXID"], "CONTAINS", file)]
    relations += [(file["SPDXID"], "STATIC_LINK", one) for one in taken] + [(file["SPDXID"], "DYNAMIC_LINK", one) for one in shared]
    created = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"hostward-{version}",
            "documentNamespace": f"https://spdx.org/spdxdocs/hostward-{version}-{file['checksums'][1]['checksumValue']}",
            "creationInfo": {"created": created, "creators": ["Tool: hostward-packaging"]},
            "packages": [own, *taken, *shared], "files": [file],
            "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b["SPDXID"]} for a, kind, b in relations]}


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--build", "--program"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    json.dump(document(options.build.resolve(), options.program, options.version), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
