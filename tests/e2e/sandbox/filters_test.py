#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every filter in the kernel against the calls of docs/privilege.md, and what the units leave open.

Environment: HOSTWARD_BUILT, the build folder.
"""
import errno
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from tables import ROOT, TOLD, calls, capabilities, exposures

if os.geteuid() != 0:
    print("SKIP: needs root: what root may not do is tried")
    sys.exit(77)

SCENE = Path(os.environ.get("HOSTWARD_BUILT", ROOT / "build/release")) / "tests/e2e/sandbox_scene"
SILENT = ("x32", "i386")  # the kernel kills at once: no handler of ours speaks that convention
ERRORS = {"EPERM": errno.EPERM, "ENOSYS": errno.ENOSYS}
REFUSED = (*ERRORS.values(),)


def attempt(process: str, call: str, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(SCENE), "try", process, call, *more], capture_output=True, text=True, check=False, timeout=30)


class Filters(unittest.TestCase):
    def test_every_call_ends_as_the_page_says(self):
        table = calls()
        self.assertEqual({process for process, _ in table}, set(capabilities()))
        self.assertGreater(len(table), 250)
        for (process, call), word in table.items():
            if call in SILENT and platform.machine() != "x86_64":
                continue
            with self.subTest(process=process, call=call):
                self.judge(attempt(process, call), process, call, word)

    def judge(self, done, process, call, word):
        if word != "killed":
            self.assertEqual(done.returncode, 0, done.stderr)
            got = int(done.stdout)
            self.assertEqual(got, ERRORS[word]) if word in ERRORS else self.assertNotIn(got, REFUSED)
            return
        self.assertEqual(done.returncode, -signal.SIGSYS, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        told = TOLD.search(done.stderr)
        self.assertEqual(told is None, call in SILENT, done.stderr)
        if told:
            self.assertEqual(told[3], process)
            self.assertIn(told[2], {call, call.split("-")[0], "ptrace", "socket"})

    def test_log_mode_lets_pass(self):
        for process in capabilities():
            for call in ("ptrace", "kexec_load", "unshare"):
                done = attempt(process, call, "log")
                self.assertEqual(done.returncode, 0, f"{call} in {process}: {done.stderr}")

    def test_no_variable_lets_pass_but_that_one(self):
        """The program itself: log mode is loud, any other value is none."""
        program = SCENE.parents[2] / "hostward"
        for value, is_log in (("log", True), ("LOG", False), ("off", False), ("0", False), ("", False)):
            done = subprocess.run([str(program), "verify", "/dev/null", "--offline"], capture_output=True, text=True, check=False,
                                  env={"HOSTWARD_SECCOMP": value})
            self.assertEqual("NOT prevented" in done.stderr, is_log, f"{value}: {done.stderr}")


class Units(unittest.TestCase):
    def test_exposure_is_as_the_page_says(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        found = {}
        for name in exposures():
            done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", str(ROOT / "packaging/systemd" / name)],
                                  capture_output=True, text=True, check=False)
            found[name] = float(re.search(r"exposure level for .*: ([\d.]+)", done.stdout)[1])
        version = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        if version == "252":  # each version weighs differently
            self.assertEqual(found, exposures())
        self.assertLessEqual(found["hostward-report.service"], 1.5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
