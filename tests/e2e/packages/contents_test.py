#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is in the packages: files, sizes, what the program asks of its host, the word of lintian and rpmlint, the bill of materials,
and the same bytes whoever builds. Environment: HOSTWARD_BUILT, the build folder."""
import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from build import ROOT, Packages, output

MIB = 1 << 20
PROGRAM_MAX = 7 * MIB
PACKAGE_MAX = int(2.5 * MIB)
# Of RHEL 9 and Amazon Linux 2023, the oldest that it must run on (docs/packages.md).
FLOORS = {"GLIBC": (2, 34), "LIBSYSTEMD": (249,), "OPENSSL": (3, 0, 0), "GCC": (7, 0, 0)}
NEEDED = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libcrypto.so.3", "libsystemd.so.0", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
VERSION = re.compile(r"\(?([A-Z]+)_([\d.]+)\)?")
# What is in one kind of package only.
OF_DEB = {"/etc/apparmor.d/usr.sbin.hostward", "/usr/share/doc/hostward/changelog.Debian.gz", "/usr/share/doc/hostward/changelog.gz",
          "/usr/share/doc/hostward/copyright", "/usr/share/lintian/overrides/hostward"}
OF_RPM = {"/usr/share/doc/hostward/CHANGELOG.md", "/usr/share/licenses/hostward/LICENSE",
          *(f"/usr/share/doc/hostward/selinux/hostward.{kind}" for kind in ("fc", "if", "te"))}
EXPECTED = {"/usr/sbin/hostward", "/etc/hostward/hostward.toml", "/etc/hostward/report.toml",
            "/usr/lib/systemd/system/hostward-guard.service", "/usr/lib/systemd/system/hostward-report.timer",
            "/usr/lib/systemd/system-preset/90-hostward.preset", "/usr/lib/sysusers.d/hostward.conf",
            "/usr/lib/tmpfiles.d/hostward.conf", "/usr/share/bash-completion/completions/hostward",
            "/usr/share/man/man8/hostward.8.gz", "/usr/share/man/man5/hostward.toml.5.gz",
            "/usr/share/hostward/policies/debian.toml", "/usr/share/hostward/hardening/profiles/ec2.toml"}
CONFIG = {"/etc/hostward/hostward.toml", "/etc/hostward/report.toml"}


def files(tree: Path) -> set:
    return {f"/{path.relative_to(tree)}" for path in tree.rglob("*") if path.is_file()}


class Built(unittest.TestCase):
    """With the packages of this build, made once."""

    work = packages = None

    @classmethod
    def setUpClass(cls):
        if Built.packages is None:
            Built.work = Path(tempfile.mkdtemp(prefix="hostward-packages-test."))
            unittest.addModuleCleanup(shutil.rmtree, Built.work)
            Built.packages = Packages(Built.work / "one", LC_ALL="C.UTF-8", TZ="UTC")
        cls.tree = cls.packages.unpacked()
        cls.program = cls.tree / "usr/sbin/hostward"


class Contents(Built):
    def test_small_enough(self):
        sizes = {path.name: path.stat().st_size for path in (self.program, self.packages.deb, self.packages.rpm)}
        print(sizes)
        self.assertLessEqual(sizes["hostward"], PROGRAM_MAX)
        self.assertLessEqual(max(sizes[self.packages.deb.name], sizes[self.packages.rpm.name]), PACKAGE_MAX)

    def test_asks_nothing_newer_of_its_host(self):
        self.assertLessEqual(set(re.findall(r"NEEDED\s+(\S+)", output("objdump", "-p", self.program))), NEEDED)
        asked = {found.groups() for line in output("objdump", "-T", self.program).splitlines() if "*UND*" in line
                 for found in VERSION.finditer(line)}
        self.assertGreater(len(asked), 10)
        for kind, number in asked:
            self.assertIn(kind, FLOORS, f"{kind}_{number}")
            self.assertLessEqual(tuple(map(int, number.split("."))), FLOORS[kind], f"{kind}_{number}")

    def test_is_hardened_and_shows_nothing_of_its_own(self):
        dynamic = output("readelf", "-dW", self.program)
        self.assertIn("BIND_NOW", dynamic)
        self.assertIn("PIE", dynamic)
        self.assertNotRegex(dynamic, r"\((?:RPATH|RUNPATH)\)")
        self.assertIn("GNU_RELRO", output("readelf", "-lW", self.program))
        defined = [line for line in output("objdump", "-T", self.program).splitlines()
                   if re.match(r"[0-9a-f]{16} ", line) and "*UND*" not in line and "(GLIBC" not in line]
        self.assertEqual(defined, [], "symbols that a library of the host could take for its own")

    def test_names_no_folder_of_the_build(self):
        text = self.program.read_bytes()
        for folder in {str(ROOT), str(self.work), os.environ.get("HOSTWARD_BUILT", str(ROOT))}:
            self.assertNotIn(folder.encode() + b"/", text)

    def test_both_kinds_hold_the_same(self):
        of_deb = files(self.tree)
        listed = output("rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEMODES:perms}\\n]", self.packages.rpm).splitlines()
        of_rpm = {name for name, mode in (line.rsplit(" ", 1) for line in listed) if not mode.startswith("d")}
        self.assertEqual(of_deb - of_rpm, OF_DEB)
        self.assertEqual(of_rpm - of_deb, OF_RPM)
        self.assertLessEqual(EXPECTED, of_deb & of_rpm)
        units = {f"/usr/lib/systemd/system/{path.name}" for path in (ROOT / "packaging/systemd").iterdir()}
        self.assertEqual({name for name in of_deb if name.startswith("/usr/lib/systemd/system/")}, units)

    def test_configuration_is_the_administrators(self):
        control = output("dpkg-deb", "-f", self.packages.deb)
        self.assertRegex(control, r"Depends: .*libcurl4 \(")
        conffiles = output("dpkg-deb", "-I", self.packages.deb, "conffiles").split()
        self.assertEqual(set(conffiles), {*CONFIG, "/etc/apparmor.d/usr.sbin.hostward"})
        self.assertEqual(set(output("rpm", "-qpc", self.packages.rpm).split()), CONFIG)
        self.assertIn("libcurl.so.4()(64bit)", output("rpm", "-qp", "--requires", self.packages.rpm))
        shown = output(self.program, "config", "print", "--config", self.tree / "etc/hostward/hostward.toml", "--any-owner",
                       "--presets", self.tree / "usr/share/hostward/policies")
        self.assertIn('mode = "audit"', shown)

    def test_modes_and_owners(self):
        for line in output("dpkg-deb", "-c", self.packages.deb).splitlines():
            mode, owner, *_, name = line.split()
            self.assertEqual(owner, "root/root", name)
            wanted = "drwxr-xr-x" if mode.startswith("d") else "-rwxr-xr-x" if name.endswith("sbin/hostward") else "-rw-r--r--"
            self.assertEqual(mode, wanted, name)

    def test_lintian(self):
        output("lintian", "--allow-root", "--fail-on", "error,warning", self.packages.deb)

    def test_rpmlint(self):
        output("rpmlint", "-c", ROOT / "packaging/rpm/rpmlint.toml", self.packages.rpm)

    def test_mandatory_access_control_compiles(self):
        if shutil.which("apparmor_parser") is None:
            self.fail("apparmor_parser is not installed")
        output("apparmor_parser", "-Q", "-K", self.tree / "etc/apparmor.d/usr.sbin.hostward")
        folder = self.work / "selinux"
        shutil.copytree(ROOT / "packaging/selinux", folder)
        output("make", "-f", "/usr/share/selinux/devel/Makefile", "hostward.pp", cwd=folder)
        self.assertGreater((folder / "hostward.pp").stat().st_size, 1000)

    def test_completion(self):
        script = ('. "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _hostward; printf "%s\\n" "${COMPREPLY[@]}"')
        bash = ("bash", "-c", script, "bash", self.tree / "usr/share/bash-completion/completions/hostward")
        self.assertEqual(output(*bash, "hostward", "g").split(), ["guard"])
        self.assertEqual(output(*bash, "hostward", "guard", "un").split(), ["unload"])
        self.assertEqual(output(*bash, "hostward", "guard", "run", "--pin").split(), ["--pin-dir"])
        self.assertEqual(output(*bash, "hostward", "check", "--format", "oc").split(), ["ocsf"])
        self.assertEqual(output(*bash, "hostward", "check", "--root", "/us").split(), ["/usr"])


class Materials(Built):
    """SPDX 2.3: the fields that its JSON schema and clauses 6 to 11 require."""

    def setUp(self):
        self.document = json.loads(self.packages.sbom.read_text())

    def test_document(self):
        document = self.document
        self.assertEqual((document["spdxVersion"], document["dataLicense"], document["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        self.assertRegex(document["documentNamespace"], r"^https://[^#\s]+$")
        self.assertRegex(document["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertRegex(document["creationInfo"]["creators"][0], r"^(Tool|Organization|Person): \S")

    def test_every_element_is_whole_and_related(self):
        elements = [*self.document["packages"], *self.document["files"]]
        known = {one["SPDXID"] for one in elements}
        self.assertEqual(len(known), len(elements))
        for one in elements:
            self.assertRegex(one["SPDXID"], r"^SPDXRef-[A-Za-z0-9.-]+$")
        for one in self.document["packages"]:
            self.assertTrue(one["name"] and one["downloadLocation"] and one["licenseConcluded"] and one["copyrightText"])
        related = {one["relatedSpdxElement"] for one in self.document["relationships"]}
        self.assertEqual(related, known)
        for one in self.document["relationships"]:
            self.assertIn(one["spdxElementId"], known | {"SPDXRef-DOCUMENT"})

    def test_names_the_program_and_what_is_in_it(self):
        output("sha256sum", "--check", "--status", "-", cwd=self.packages.unpacked(), input="".join(
            f"{sum_['checksumValue']}  {self.document['files'][0]['fileName']}\n"
            for sum_ in self.document["files"][0]["checksums"] if sum_["algorithm"] == "SHA256"))
        linked = {kind: {one["relatedSpdxElement"].removeprefix("SPDXRef-Package-") for one in self.document["relationships"]
                         if one["relationshipType"] == kind} for kind in ("STATIC_LINK", "DYNAMIC_LINK")}
        self.assertLessEqual({"libbpf", "elfutils-libelf", "zlib", "re2", "sqlite", "libcap", "libseccomp", "libstdc--", "fmt", "spdlog",
                              "nlohmann-json", "CLI11", "tomlplusplus"}, linked["STATIC_LINK"])
        self.assertEqual(linked["DYNAMIC_LINK"], {"curl", "openssl", "systemd", "glibc", "libgcc"})


class Reproducible(Built):
    def test_same_bytes_whoever_builds(self):
        temporary, home = self.work / "tmp", self.work / "home"
        temporary.mkdir()
        home.mkdir()
        other = Packages(self.work / "another folder", umask=0o077, cwd="/", LC_ALL="C", TZ="Pacific/Auckland", HOME=str(home),
                         TMPDIR=str(temporary), DPKG_DEB_THREADS_MAX="2")
        for name in ("deb", "rpm", "sbom"):
            self.assertTrue(filecmp.cmp(getattr(self.packages, name), getattr(other, name), shallow=False), f"{name} differs")
        self.assertEqual([*home.iterdir(), *temporary.iterdir()], [])  # nothing is left with who builds


if __name__ == "__main__":
    if subprocess.run(["sh", "-c", "command -v lintian rpmlint rpmbuild > /dev/null"], check=False).returncode != 0:
        print("SKIP: lintian, rpmlint or rpmbuild is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
