#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/run.sh and tests/report.py: arguments, privilege, skips, totals, interrupt."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "tests/run.sh"
REPORT = ROOT / "tests/report.py"
TOTALS = "100% tests passed, 0 tests failed out of 2\n\nTotal Test time (real) =   0.01 sec\n"
LOG = """1/2 Testing: e2e/a
Output:
/src/a_test.cpp:7: Skipped
no such device: veth
[  SKIPPED ] A.B (0 ms)
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] A.B
2/2 Testing: e2e/b
Output:
SKIP: no npm
"""
ACCEPT_BOTH = "* | e2e/a:A.* | no such device | not here\n* | e2e/b | ^no npm$ | not here\n"


def report(expected: str, output: str = TOTALS, log: str = LOG, kernel: str = "6.1") -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "log").write_text(log)
        (Path(folder) / "expected").write_text(expected)
        command = [sys.executable, str(REPORT), "--log", f"{folder}/log", "--expected", f"{folder}/expected",
                   "--kernel", kernel]
        return subprocess.run(command, input=output, capture_output=True, text=True, check=False)


class Report(unittest.TestCase):
    def test_expected_skips_pass_and_totals_come_last(self):
        done = report(ACCEPT_BOTH)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("e2e/a:A.B: no such device: veth", done.stdout)
        self.assertIn("e2e/b: no npm", done.stdout)
        self.assertIn("Skipped: 2", done.stdout)
        self.assertTrue(done.stdout.endswith(TOTALS), done.stdout)

    def test_a_failures_output_is_shown_from_its_end_and_hides_nothing_after_it(self):
        long = "".join(f"line {number}\n" for number in range(300))
        output = ("      Start  1: vm/a\n 1/2 Test  #1: vm/a ....***Failed    1.00 sec\n" + long + "\n      Start  2: vm/b\n"
                  " 2/2 Test  #2: vm/b ....***Timeout   2.00 sec\nlast words of b\n\n" + TOTALS)
        shown = report(ACCEPT_BOTH, output=output).stdout
        self.assertIn("line 299\n", shown)
        self.assertNotIn("line 100\n", shown)
        self.assertIn("lines are in CTest's log)\n", shown)
        self.assertLess(shown.index("line 299"), shown.index("Start  2: vm/b"))
        self.assertLess(shown.index("vm/b ....***Timeout"), shown.index("last words of b"))

    def test_why_a_test_failed_stands_behind_its_output(self):
        output = (" 1/1 Test  #1: e2e/a ....***Failed    1.00 sec\nTraceback\nAssertionError: 3 != 4 : s3\n\nFAILED (failures=1)\n"
                  + TOTALS)
        shown = report(ACCEPT_BOTH, output=output).stdout
        self.assertIn("FAILED (failures=1)\nwhy: AssertionError: 3 != 4 : s3\n", shown)

    def test_unexpected_skip_fails(self):
        done = report("* | e2e/b | no npm | not here\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("UNEXPECTED  e2e/a:A.B", done.stdout)

    def test_another_reason_is_unexpected(self):
        self.assertEqual(report(ACCEPT_BOTH.replace("no such device", "no such file")).returncode, 1)

    def test_another_machine_is_unexpected(self):
        self.assertEqual(report(ACCEPT_BOTH.replace("* |", "5.10* |")).returncode, 1)

    def test_skip_known_to_ctest_alone_is_counted(self):
        not_run = "\nThe following tests did not run:\n\t  2 - e2e/c (Skipped)\n"
        done = report(ACCEPT_BOTH, TOTALS + not_run)
        self.assertEqual(done.returncode, 1)
        self.assertIn("UNEXPECTED  e2e/c", done.stdout)

    def test_no_totals_fails(self):
        self.assertEqual(report(ACCEPT_BOTH, "ctest crashed\n").returncode, 1)

    def test_malformed_expectation_fails(self):
        self.assertNotEqual(report("* | e2e/a | reason\n").returncode, 0)


class Run(unittest.TestCase):
    def run_script(self, *arguments, **options):
        return subprocess.run([str(RUN), *arguments], capture_output=True, text=True, check=False, timeout=60, **options)

    def test_help(self):
        done = self.run_script("--help")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(all(len(line) < 80 for line in done.stdout.splitlines()))

    def test_wrong_arguments(self):
        for arguments in (["--fast"], ["-R"], ["quick"], ["--quick", "--full"]):
            done = self.run_script(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("Usage:", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_not_root(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder)
            (tree / "tests").mkdir()
            tree.chmod(0o755)
            shutil.copy(RUN, tree / "tests/run.sh")
            done = subprocess.run([str(tree / "tests/run.sh")], capture_output=True, text=True, check=False,
                                  user="nobody", timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs root", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "run.sh needs root")
    def test_interrupt_ends_what_runs(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            self.interrupt(number, code)

    def interrupt(self, number: int, code: int):
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder)
            for name in ("tests", "packaging"):
                (tree / name).mkdir()
            shutil.copy(RUN, tree / "tests/run.sh")
            shutil.copy(ROOT / "packaging/run.bash", tree / "packaging/run.bash")
            stand_in = tree / "packaging/install-deps.sh"
            stand_in.write_text("#!/bin/sh\nsleep 300 &\necho $$ $! > pids.new\nmv pids.new pids\nwait\n")
            stand_in.chmod(0o755)
            script = subprocess.Popen([str(tree / "tests/run.sh")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            pids = self.wait_for(tree / "pids").split()
            script.send_signal(number)
            self.assertEqual(script.wait(timeout=30), code)
        for pid in pids:
            self.assertFalse(self.is_alive(int(pid)), f"process {pid} is left")

    def wait_for(self, path: Path) -> str:
        for _ in range(300):
            if path.exists():
                return path.read_text()
            time.sleep(0.1)
        self.fail(f"{path} never appeared")

    @staticmethod
    def is_alive(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False


if __name__ == "__main__":
    unittest.main()
