#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packaging/quickstart.sh: what it shows, and that it leaves nothing behind, however it ends.

Environment: HOSTWARD_BUILT, the build folder with hostward and tests/imds_sim.
"""
import os
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
QUICKSTART = ROOT / "packaging/quickstart.sh"
BUILT = Path(os.environ.get("HOSTWARD_BUILT", ROOT / "build/release"))
NAME = "hostward-quickstart"
RUN_SECONDS = 60
INSTANCE = r"i-[0-9a-f]+"
REFUSED = r"refused \(EPERM\)"
# On EC2: the DMI table says so, and the metadata service is there without any network of ours.
EC2_STAGE = """
set -eu
mount -t tmpfs tmpfs /sys/devices/virtual
mkdir -p /sys/devices/virtual/dmi/id
echo i-0fedcba9876543210 > /sys/devices/virtual/dmi/id/board_asset_tag
ip link set lo up
ip address add 169.254.169.254/32 dev lo
ip link add eth0 type veth peer name eth1
ip link set eth0 up
"$1/tests/imds_sim" --listen 169.254.169.254 --port 80 > /dev/null &
simulator=$!
trap 'kill $simulator' EXIT
"$2" --built "$1" &
# Nothing of the guard on this machine's interfaces, at any moment.
while kill -0 $! 2> /dev/null; do
    if tc qdisc show dev eth0 | grep -q clsact; then echo TOUCHED; fi
    sleep 0.05
done
wait $!
"""


def cgroup2_mount() -> Path:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return Path(line.split()[4])
    raise RuntimeError("no cgroup2 is mounted")


def left_by(pid: int) -> list[str]:
    """What a run with this process number left: folders, cgroups, processes."""
    mark = f"{NAME}.{pid}"
    left = [str(p) for p in (Path("/run") / mark, cgroup2_mount() / mark) if p.exists()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "cgroup").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark.encode() in text:
            left.append(f"{process}: {text!r}")
    return left


def start(**options) -> subprocess.Popen:
    # The caller collects the output with communicate(), which closes the pipes.
    return subprocess.Popen([str(QUICKSTART), "--built", str(BUILT)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


def has_agent(pid: int) -> bool:
    return (cgroup2_mount() / f"{NAME}.{pid}").exists() and bool(
        [p for p in left_by(pid) if "guard" in p and "hostward" in p])


class Quickstart(unittest.TestCase):
    def row(self, output: str, title: str, *cells: str):
        columns = r"\s+".join([re.escape(title), *cells])
        self.assertRegex(output, re.compile(rf"^\s*{columns}\s*$", re.M))

    def wait_for_agent(self, process: subprocess.Popen):
        for _ in range(300):
            if has_agent(process.pid) or process.poll() is not None:
                break
            time.sleep(0.02)
        self.assertIsNone(process.poll(), "ended before the guard ran")

    def test_shows_the_guard(self):
        process = start()
        output, errors = process.communicate(timeout=RUN_SECONDS)
        self.assertEqual(process.returncode, 0, output + errors)
        self.row(output, "root in the allowed unit", INSTANCE, INSTANCE)
        self.row(output, "the allowed program, as nobody", INSTANCE, INSTANCE)
        self.row(output, "nobody with curl", INSTANCE, REFUSED)
        self.row(output, "root outside the unit", INSTANCE, REFUSED)
        self.row(output, "root in a container, same unit", INSTANCE, REFUSED)
        self.assertEqual(left_by(process.pid), [])

    def test_interrupted(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            process = start()
            self.wait_for_agent(process)
            process.send_signal(number)
            output, errors = process.communicate(timeout=RUN_SECONDS)
            self.assertEqual(process.returncode, code, output + errors)
            self.assertEqual(left_by(process.pid), [])

    def test_killed_and_started_again(self):
        killed = start()
        self.wait_for_agent(killed)
        killed.kill()
        killed.communicate(timeout=RUN_SECONDS)
        self.assertNotEqual(left_by(killed.pid), [], "kill -9 left nothing: this test shows nothing")
        process = start()
        output, errors = process.communicate(timeout=RUN_SECONDS)
        self.assertEqual(process.returncode, 0, output + errors)
        self.assertEqual(left_by(killed.pid) + left_by(process.pid), [])

    def test_on_ec2(self):
        command = ["unshare", "--net", "--mount", "--propagation", "private", "bash", "-c", EC2_STAGE, "bash",
                   str(BUILT), str(QUICKSTART)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("This is EC2", done.stdout)
        self.row(done.stdout, "nobody with curl", INSTANCE, INSTANCE)
        self.assertNotIn("TOUCHED", done.stdout)
        self.assertNotIn("container, same unit", done.stdout)
        # One request of each of the two that the policy does not name.
        self.assertRegex(done.stdout, r"default of imds\)\s+deny\s+0\s+0\s+[2-9]")

    def test_wrong_arguments(self):
        for arguments in (["--fast"], ["--built"], ["x"]):
            done = subprocess.run([str(QUICKSTART), *arguments], capture_output=True, text=True, check=False, timeout=10)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("Usage:", done.stderr)

    def test_what_is_missing_is_said(self):
        cases = (("mount -t tmpfs tmpfs /sys/kernel/btf", "CONFIG_DEBUG_INFO_BTF"),
                 ("mount --bind /dev/null /proc/filesystems", "no cgroup2"))
        for hide, message in cases:
            command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{hide} && exec "$@"', "sh",
                       str(QUICKSTART), "--built", str(BUILT)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(message, done.stderr)

    def test_not_root(self):
        # From standard input: the checkout may be in a folder that only root can enter.
        done = subprocess.run(["bash", "-s"], input=QUICKSTART.read_text(), capture_output=True, text=True, check=False,
                              timeout=10, user="nobody", cwd="/")
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs root", done.stderr)

    def test_not_built(self):
        done = subprocess.run([str(QUICKSTART), "--built", "/usr"], capture_output=True, text=True, check=False, timeout=10)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is missing", done.stderr)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIP: needs root for namespaces, cgroups and BPF")
        sys.exit(77)
    unittest.main()
