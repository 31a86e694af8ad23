#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The examples' steps, as written, with the real package in a real Debian 12: built as an image is, in a chroot. What needs a
running system (the component's test phase, switching the guard, reports) is tried in the virtual machines of tests/vm/instance.
Environment: HOSTWARD_BUILT, the build folder of a release build."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "check"), str(HERE.parent / "clients")]

import harness  # noqa: E402
import images  # noqa: E402
import pages  # noqa: E402
import steps  # noqa: E402

PORT = 8000  # in a network namespace of this test's own
NAMESPACE = "hostward-examples"
CHARS_MAX, SUMMARY_MAX = 24000, 500
SERVER_LIMIT_S = 10
FOLDERS = {}


def package(folder):
    subprocess.run([steps.PACKAGING / "build.sh", "--build", os.environ["HOSTWARD_BUILT"], "--out", folder, "--deb"], check=True,
                   stdout=subprocess.DEVNULL)
    return next(folder.glob("hostward_*.deb"))


def newer_than(old, work):
    """The same package under a higher number; a real one's compression would be most of this test's time."""
    subprocess.run(["dpkg-deb", "-R", old, work], check=True)
    control = work / "DEBIAN/control"
    control.write_text(control.read_text().replace("-1\n", "-2\n", 1))
    new = old.with_name(old.name.replace("-1_", "-2_"))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", work, new], check=True, stdout=subprocess.DEVNULL)
    return new


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.layers = images.Layers()
        cls.addClassCleanup(cls.layers.remove)
        cls.served = Path(tempfile.mkdtemp(prefix="hostward-examples."))
        cls.addClassCleanup(shutil.rmtree, cls.served)
        cls.package = package(cls.served)
        cls.newer = newer_than(cls.package, cls.served / "work")
        cls.sha256 = hashlib.sha256(cls.package.read_bytes()).hexdigest()
        cls.network = harness.Namespace(NAMESPACE)
        cls.addClassCleanup(cls.network.remove)

    def setUp(self):
        self.tree, _ = self.layers.over(FOLDERS["bookworm"])
        self.addCleanup(self.layers.close, self.tree)
        # The images of AWS have curl; this one is smaller. Same Debian, same libraries.
        shutil.copy("/usr/bin/curl", self.tree / "usr/bin/curl")
        # Who asks is a question to /proc, the kernel's types and the cgroups. No pins: whatever guards this machine is not seen.
        self.mount("proc", "--bind", "-o", "ro", "/proc")
        self.mount("sys/kernel/btf", "--bind", "-o", "ro", "/sys/kernel/btf")
        self.mount("sys/fs/cgroup", "-t", "cgroup2", "-o", "ro", "cgroup2")
        shutil.copy(self.package, self.tree / "root" / self.package.name)
        self.given = {"PackageUrl": f"file:///root/{self.package.name}", "PackageSha256": self.sha256}
        self.assertEqual(self.inside("curl", "--version").returncode, 0, "the curl of this machine does not run in Debian 12")

    def mount(self, path, *words):
        target = self.tree / path
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", *words, target], check=True)
        self.addCleanup(subprocess.run, ["umount", target], check=True)

    def prefix(self):
        # systemctl shall not find out that this is a chroot, and do nothing: there is no systemd, and it says so.
        return self.network.command("env", "SYSTEMD_IGNORE_CHROOT=1", "chroot", str(self.tree))

    def inside(self, *command, **options):
        return subprocess.run([*self.prefix(), *command], capture_output=True, text=True, timeout=300, **options)

    def run_all(self, these):
        return [steps.run(step, self.prefix()) for step in these]

    def content(self, path):
        return (self.tree / path).read_text()

    def exists(self, path):
        return (self.tree / path).exists()

    def run_up_to_systemctl(self, step):
        """All of the step up to where it needs a running system."""
        done = steps.run(step, self.prefix(), check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("System has not been booted with systemd", done.stderr)

    def assert_summary(self, text, **expected):
        first = text.splitlines()[0]
        self.assertLessEqual(len(first), SUMMARY_MAX)
        self.assertLessEqual(len(text), CHARS_MAX)
        found = json.loads(first)
        self.assertEqual({name: found.get(name) for name in expected}, expected)
        return found

    def test_image_builder_then_ssm_then_distributor(self):
        self.run_all(steps.component("build", **self.given))
        self.assertEqual(self.content("etc/hostward/policy.d/20-presets.toml"), '[guard]\ninclude = ["preset:debian"]\n')
        self.assertEqual(self.content("etc/hostward/policy.d/90-enforce.toml"), '[guard]\nmode = "enforce"\n')
        self.assertTrue((self.tree / "etc/systemd/system/sysinit.target.wants/hostward-guard.service").is_symlink())
        policy = self.inside("hostward", "config", "print").stdout
        for rule in ("ssm-agent.agent", "cloud-init.stages", "hostward.report"):
            self.assertIn(f'name = "{rule}"', policy)
        checked = self.run_all(steps.component("validate", **self.given, FailOn="never"))[0].stdout
        self.assert_summary(checked, summary="check", profile="cis-debian-12")
        failed = steps.run(steps.component("validate", **self.given, FailOn="low")[0], self.prefix(), check=False)
        self.assertEqual(failed.returncode, 10, failed.stderr)
        self.packer_ends()
        self.ssm_on_the_image()
        self.distributor()

    def packer_ends(self, profile="cis-debian-12"):
        """The packer example's last script, on what its first one makes, too."""
        script = (steps.PACKAGING / "packer/validate.sh").read_text()
        done = self.inside("env", "FAIL_ON=never", "sh", "-c", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_summary(done.stdout, summary="check", profile=profile)

    def ssm_on_the_image(self):
        checked = self.run_all(steps.document("check", Level="1", FailOn="never"))[0].stdout
        summary = self.assert_summary(checked, summary="check", profile="cis-debian-12")
        self.assertGreater(summary["pass"] + summary["fail"], 50)
        failed = steps.run(steps.document("check", FailOn="high")[0], self.prefix(), check=False)
        self.assertEqual(failed.returncode, 10 if "high" in failed.stdout else 0)
        (self.tree / "etc/os-release").unlink()
        (self.tree / "etc/os-release").write_text('ID=debian\nVERSION_ID="99"\n')
        checked = self.run_all(steps.document("check", FailOn="never"))[0].stdout
        self.assert_summary(checked, summary="check", profile="ec2")
        self.packer_ends("ec2")
        shown = steps.run(steps.document("guard-mode")[0], self.prefix(), check=False)
        self.assertEqual(shown.returncode, 4, shown.stderr)  # no guard runs in a chroot
        self.assert_summary(shown.stdout, summary="guard", state="absent")

    def distributor(self):
        """An upgrade in place, then the end."""
        subprocess.run([sys.executable, "-B", steps.PACKAGING / "distributor/build.py", "--version", "0.1.0-2", "--out",
                        self.served / "distributor", self.newer], check=True)
        manifest = json.loads((self.served / "distributor/manifest.json").read_text())
        target = self.tree / "root/distributor"
        with zipfile.ZipFile(self.served / "distributor" / manifest["packages"]["debian"]["_any"]["x86_64"]["file"]) as archive:
            archive.extractall(target)
        for script, version in (("update.sh", "0.1.0-2"), ("uninstall.sh", "")):
            done = self.inside("sh", f"/root/distributor/{script}")
            self.assertEqual(done.returncode, 0, done.stderr)
            shown = self.inside("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "hostward").stdout
            self.assertEqual(shown.startswith("ii "), bool(version), shown)
            self.assertIn(version, shown)
            self.assertTrue(self.exists("etc/hostward/policy.d/90-enforce.toml"))
        self.assertFalse(self.exists("usr/sbin/hostward"))

    def test_what_is_wrong_changes_nothing(self):
        wrong = self.given | {"PackageSha256": "0" * 64}
        for step in (steps.component("build", **wrong)[0], steps.document("install", **wrong)[0],
                     *steps.user_data(package_url=wrong["PackageUrl"])):
            done = steps.run(step, self.prefix(), check=False)
            self.assertNotEqual(done.returncode, 0, step.name)
            self.assertIn("did NOT match", done.stderr)
            self.assertFalse(self.exists("usr/sbin/hostward"), step.name)
        shutil.rmtree(self.tree / "etc/hostward")  # what user data wrote for the package that did not come
        unknown = steps.run(steps.document("install", **self.given, Presets="nobody-has-this")[0], self.prefix(), check=False)
        self.assertNotEqual(unknown.returncode, 0)
        self.assertIn("nobody-has-this", unknown.stderr)
        self.assertEqual(list((self.tree / "etc/hostward/policy.d").iterdir()), [])
        self.assertEqual(list((self.tree / "run").glob("hostward-staged.*")), [])
        self.ssm_installs()

    def ssm_installs(self):
        """The rest of the story of the test above: the same document, with a preset that there is."""
        self.run_up_to_systemctl(steps.document("install", **self.given, Mode="enforce")[0])
        self.assertEqual(self.content("etc/hostward/policy.d/20-presets.toml"), '[guard]\ninclude = ["preset:debian"]\n')
        self.assertEqual(self.content("etc/hostward/policy.d/90-enforce.toml"), '[guard]\nmode = "enforce"\n')
        self.run_up_to_systemctl(steps.document("install", **self.given, Presets="debian,cloudwatch-agent")[0])
        self.assertIn('["preset:debian", "preset:cloudwatch-agent"]', self.content("etc/hostward/policy.d/20-presets.toml"))
        self.assertFalse(self.exists("etc/hostward/policy.d/90-enforce.toml"))
        lockout = steps.run(steps.document("guard-mode", Mode="enforce")[0], self.prefix(), check=False)
        self.assertEqual(lockout.returncode, 1, lockout.stderr)
        self.assertIn("would refuse the SSM agent", lockout.stderr)
        self.assertFalse(self.exists("etc/hostward/policy.d/90-enforce.toml"))

    def test_the_page_about_debian(self):
        for text in pages.commands("install-debian", "run: image"):
            done = self.inside("env", "-C", "/root", f"SHA256={self.sha256}", "sh", "-euc", text)
            self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}{done.stderr}")
            if "config print" in text:
                self.assertIn('name = "cloudwatch-agent.agent"', done.stdout)
        for gone in ("usr/sbin/hostward", "etc/hostward", "var/lib/hostward"):
            self.assertFalse(self.exists(gone), gone)

    def test_user_data_over_http(self):
        server = subprocess.Popen(self.network.command(sys.executable, "-m", "http.server", str(PORT), "--bind", "127.0.0.1",
                                                       "--directory", str(self.served)),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        url = f"http://127.0.0.1:{PORT}/{self.package.name}"
        deadline = time.monotonic() + SERVER_LIMIT_S
        while self.inside("curl", "-fsS", "-o", "/dev/null", url).returncode != 0:
            self.assertLess(time.monotonic(), deadline, "the server does not answer")
            time.sleep(0.05)
        settings = {"package_url": url, "package_sha256": self.sha256}
        self.run_up_to_systemctl(steps.user_data(**settings, mode="audit")[0])
        self.assertTrue(self.exists("usr/sbin/hostward"))
        self.assertFalse(self.exists("etc/hostward/policy.d/90-enforce.toml"))
        # The next boot changes nothing.
        second = steps.run(steps.user_data(**settings)[0], self.prefix())
        self.assertEqual(second.stdout, "")
        self.assertFalse(self.exists("etc/hostward/policy.d/90-enforce.toml"))
        self.run_all(steps.user_data_script(**settings))  # as an administrator would on a host that has it
        self.assertTrue(self.exists("etc/hostward/policy.d/90-enforce.toml"))


if __name__ == "__main__":
    FOLDERS = images.start(__file__)
    harness.require_commands("ip", "curl", "dpkg-deb")
    unittest.main()
