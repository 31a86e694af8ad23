#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Packages are installed in roots of real Debians, upgraded, removed and purged: nothing is left but what docs/packages.md says.
No systemd runs there: units are enabled, nothing is started. Environment: HOSTWARD_BUILT, the build folder."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from build import ROOT, Packages, output

sys.path.insert(0, str(ROOT / "tests/e2e/check"))
import images  # noqa: E402  (of the folder above)

FOLDERS = {}
STATE = {"/var/lib/hostward": "root:hostward 750", "/var/lib/hostward/posture": "root:hostward 750",
         "/var/lib/hostward/reports": "hostward:hostward 700", "/var/lib/hostward/spool": "hostward:hostward 700"}
LINKS = {"/etc/systemd/system/sysinit.target.wants/hostward-guard.service", "/etc/systemd/system/timers.target.wants/hostward-report.timer"}
# Of the package managers, not of the package.
BOOKKEEPING = re.compile(r"/var/(lib/(dpkg|rpm|apt|systemd/deb-systemd-helper)|log|cache)/|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$"
                         r"|/etc/\.(pwd|updated)|/root/\.rpmdb/|/run/|/tmp/|/dev/|/proc/|/mnt/|/etc/(machine-id|resolv.conf)$")


class Machine:
    """A Debian root with the packages at /mnt."""

    def __init__(self, layers, suite, packages):
        self.layers = layers
        self.tree, _ = layers.over(FOLDERS[suite])
        for package in packages:
            shutil.copy(package, self.tree / "mnt")
        subprocess.run(["mount", "-t", "proc", "proc", self.tree / "proc"], check=True)
        self.before = self.files()

    def close(self):
        subprocess.run(["umount", self.tree / "proc"], check=True)
        self.layers.close(self.tree)

    def run(self, *words, check=True):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        done = subprocess.run(["chroot", self.tree, *words], capture_output=True, text=True, check=False, env=environment)
        if check and done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def dpkg(self, *words):
        # The roots are without the recommended; what the package depends on is there, but libcurl under the name of the release.
        return self.run("dpkg", "--force-depends", *words)

    def rpm(self, *words):
        """This machine's rpm on a foreign root."""
        return output("rpm", "--root", self.tree, *words, env={**os.environ, "LC_ALL": "C"})

    def path(self, name) -> Path:
        return self.tree / name.lstrip("/")

    def files(self) -> set:
        found = output("find", self.tree, "-xdev", "-printf", "/%P\\n").splitlines()
        return {name for name in found if not BOOKKEEPING.search(name)}

    def new(self) -> set:
        return self.files() - self.before

    def account(self) -> bool:
        return self.run("getent", "passwd", "hostward", check=False).returncode == 0

    def owner(self, name) -> str:
        return self.run("stat", "-c", "%U:%G %a", name).stdout.strip()


class Lifecycle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = Path(tempfile.mkdtemp(prefix="hostward-lifecycle."))
        cls.old, cls.new = (Packages(cls.work / str(release), release) for release in (1, 2))
        cls.layers = images.Layers()

    @classmethod
    def tearDownClass(cls):
        cls.layers.remove()
        shutil.rmtree(cls.work)

    def machine(self, suite, kind):
        machine = Machine(self.layers, suite, (getattr(self.old, kind), getattr(self.new, kind)))
        self.addCleanup(machine.close)
        return machine

    def is_installed(self, machine):
        self.assertEqual(machine.run("hostward", "--version").stdout, "hostward 0.1.0\n")
        self.assertTrue(machine.account())
        for name, owner in STATE.items():
            self.assertEqual(machine.owner(name), owner, name)
        self.assertIn("mode audit, 0 warnings", machine.run("hostward", "config", "check").stdout)
        self.assertLessEqual(LINKS, machine.files())

    def deb_lifecycle(self, suite):
        machine = self.machine(suite, "deb")
        machine.dpkg("-i", f"/mnt/{self.old.deb.name}")
        self.is_installed(machine)
        # What the administrator changed stays through an upgrade: a file, a unit that was disabled, a drop-in.
        machine.path("/etc/hostward/hostward.toml").write_text("[guard]\nmode = \"audit\" # ours\n")
        machine.path("/etc/hostward/policy.d/50-ours.toml").write_text("[guard]\n")
        machine.run("systemctl", "disable", "hostward-report.timer")
        machine.path("/var/lib/hostward/reports/kept.json").write_text("{}\n")
        machine.dpkg("-i", f"/mnt/{self.new.deb.name}")
        self.assertIn("# ours", machine.path("/etc/hostward/hostward.toml").read_text())
        self.assertEqual(LINKS & machine.files(), {min(LINKS)})
        self.assertIn("-2", machine.run("dpkg-query", "-W", "-f", "${Version}", "hostward").stdout)
        # A removal keeps configuration and state, and no unit.
        machine.dpkg("-r", "hostward")
        left = {name for name in machine.new() if machine.path(name).is_file() or machine.path(name).is_symlink()}
        self.assertEqual(left, {"/etc/hostward/hostward.toml", "/etc/hostward/report.toml", "/etc/hostward/policy.d/50-ours.toml",
                                "/etc/apparmor.d/usr.sbin.hostward", "/var/lib/hostward/reports/kept.json"})
        # A purge keeps nothing.
        machine.dpkg("-P", "hostward")
        self.assertEqual(machine.new(), set())
        self.assertFalse(machine.account())
        # Nor does it remember: the next installation is a first one.
        machine.dpkg("-i", f"/mnt/{self.new.deb.name}")
        self.is_installed(machine)
        machine.dpkg("-P", "hostward")
        self.assertEqual(machine.new(), set())

    def test_deb_on_debian_12(self):
        self.deb_lifecycle("bookworm")

    def test_deb_on_debian_13(self):
        self.deb_lifecycle("trixie")

    def test_rpm(self):
        machine = self.machine("bookworm", "rpm")
        # Nothing there is rpm's, so nothing can be required.
        machine.rpm("-i", "--nodeps", machine.path(f"/mnt/{self.old.rpm.name}"))
        self.is_installed(machine)
        machine.path("/etc/hostward/hostward.toml").write_text("[guard]\nmode = \"audit\" # ours\n")
        machine.run("systemctl", "disable", "hostward-report.timer")
        machine.rpm("-U", "--nodeps", machine.path(f"/mnt/{self.new.rpm.name}"))
        self.assertIn("# ours", machine.path("/etc/hostward/hostward.toml").read_text())
        self.assertEqual(LINKS & machine.files(), {min(LINKS)})
        self.assertEqual(machine.rpm("-q", "--qf", "%{VERSION}-%{RELEASE}", "hostward"), "0.1.0-2")
        self.assertEqual(machine.rpm("-q", "--state", "hostward").count("not installed"), 0)
        machine.rpm("-e", "hostward")
        left = {name for name in machine.new() if machine.path(name).is_file() or machine.path(name).is_symlink()}
        self.assertEqual(left, {"/etc/hostward/hostward.toml.rpmsave"})
        self.assertTrue(machine.account(), "rpm's packages leave their users: files of the next user must not be the old one's")

    def test_without_libcurl_only_reports_fail(self):
        machine = self.machine("trixie", "deb")
        machine.dpkg("-i", f"/mnt/{self.old.deb.name}")
        for library in machine.tree.glob("usr/lib/*/libcurl.so.4*"):
            library.unlink()
        done = machine.run("hostward", "report", "--dry-run", check=False)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("libcurl.so.4 is not installed: ", done.stderr)
        self.assertEqual(machine.run("hostward", "check", "--profile", "ec2", "--list").returncode, 0)


if __name__ == "__main__":
    if shutil.which("rpm") is None:
        print("SKIP: rpm is not installed")
        sys.exit(77)
    FOLDERS.update(images.start(__file__))
    unittest.main(verbosity=2)
