#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The machine harness itself: what must make a run fail does, and what a test leaves behind is seen and removed.

Usage: tests/vm/harness_test.py --build BUILD
"""
import argparse
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERNEL = "6.1"
BUILD = None
sys.path.insert(0, str(HERE))

import table  # noqa: E402
from initramfs import Archive  # noqa: E402


def run(script, *options):
    """One shell command in a machine: exit code and everything printed."""
    command = [sys.executable, HERE / "run.py", KERNEL, "--build", BUILD, *options, "--", "/usr/bin/bash", "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return answer.returncode, answer.stdout + answer.stderr


class Machine(unittest.TestCase):
    def test_a_passing_command_passes_with_its_output_and_environment(self):
        code, output = run('echo "vm=$HOSTWARD_VM kernel=$HOSTWARD_VM_KERNEL uid=$(id -u)"; cat /sys/kernel/security/lsm')
        self.assertEqual(code, 0, output)
        self.assertIn(f"vm=1 kernel={KERNEL} uid=0", output)
        self.assertRegex(output, r"(?m)^lockdown,.*\bbpf\b")

    def test_without_lsm_the_list_lacks_bpf(self):
        code, output = run("cat /sys/kernel/security/lsm", "--no-lsm")
        self.assertEqual(code, 0, output)
        self.assertNotRegex(output, r"(?m)^lockdown,.*\bbpf\b")

    def test_a_failing_command_fails_with_its_code(self):
        code, output = run("exit 3")
        self.assertEqual(code, 1, output)
        self.assertIn("FAILED, exit:3", output)

    def test_a_hanging_command_is_ended_and_its_output_kept(self):
        code, output = run("echo before; sleep 1000", "--limit", "3")
        self.assertEqual(code, 1, output)
        self.assertIn("before", output)
        self.assertIn("FAILED, timeout", output)

    def test_a_panic_fails_and_shows_the_console(self):
        code, output = run("echo c > /proc/sysrq-trigger")
        self.assertEqual(code, 1, output)
        self.assertIn("sysrq: Trigger a crash", output)

    def test_a_frozen_machine_is_seen_diagnosed_and_started_once_more(self):
        # Real-time loops on both processors: not even init gets to run.
        freeze = ("echo -1 > /proc/sys/kernel/sched_rt_runtime_us;"
                  "for cpu in 1 2; do taskset $cpu chrt -f 99 bash -c 'while :; do :; done' & done; wait")
        code, output = run(freeze, "--frozen-after", "15")
        self.assertEqual(code, 1, output)
        self.assertIn("the machine was lost in command: once more from there", output)
        self.assertEqual(output.count("the machine does not answer any more"), 2, output)
        self.assertIn("RIP=", output)
        self.assertIn("Kernel panic - not syncing: NMI", output)

    def test_an_early_power_off_fails(self):
        code, output = run("echo b > /proc/sysrq-trigger")
        self.assertEqual(code, 1, output)
        self.assertIn("stopped before all was done", output)

    def test_leftovers_are_counted(self):
        code, output = run("mkdir -p /sys/fs/cgroup/left/below; (setsid sleep 1000 &) ; exit 0")
        self.assertEqual(code, 0, output)
        self.assertIn("left behind: 1 processes, 2 cgroups", output)

    def test_what_a_usual_machine_offers(self):
        code, output = run("set -e; unshare -m sh -c 'mkdir /new && mount -t tmpfs none /new && mkdir /new/old && cd /new && pivot_root . old';"
                           "truncate -s 16M /disk; mkfs.ext4 -q /disk; mount -o loop /disk /mnt; ip netns add a;"
                           "ip link add v0 type veth peer name v1 netns a; nft add table inet t; iptables -t nat -S;"
                           "test -c /dev/net/tun; id nobody; grep -q cgroup2 /proc/mounts; echo all-there")
        self.assertEqual(code, 0, output)
        self.assertIn("all-there", output)


    def test_systemd_as_process_1(self):
        code, output = run("cat /proc/1/comm; systemd-run --quiet --unit=hello --wait --pipe cat /proc/self/cgroup", "--systemd")
        self.assertEqual(code, 0, output)
        self.assertIn("systemd\n0::/system.slice/hello.service\n", output)


class Sources(unittest.TestCase):
    """The mirrors come from apt's configuration, whatever its form."""

    def sources(self, name, text):
        with tempfile.TemporaryDirectory() as work:
            parts = Path(work, "parts")
            parts.mkdir()
            (parts / name).write_text(text)
            Path(work, "apt.conf").write_text(f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{parts}";\n'
                                              f'Dir::State::lists "{work}/lists";\n')
            script = 'set -eu; . "$1/apt.bash"; apt_suite=trixie; apt_state=$2; apt_write_sources; cat "$2/sources.list"'
            command = ["bash", "-c", script, "bash", HERE, work]
            environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "APT_CONFIG": f"{work}/apt.conf"}
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def setUp(self):
        lines = Path("/etc/os-release").read_text().splitlines()
        self.own = next(line.split("=", 1)[1] for line in lines if line.startswith("VERSION_CODENAME="))

    def expect(self, answer):
        signed = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        self.assertEqual(answer.stdout.splitlines(), [f"{signed} http://a.example.org/debian trixie main",
                                                      f"{signed} http://b.example.org/sec trixie-security main"], answer.stderr)

    def test_deb822(self):
        self.expect(self.sources("a.sources", f"""Types: deb
URIs: http://a.example.org/debian
Suites: {self.own}
Components: main

Types: deb
URIs: http://b.example.org/sec/
Suites: {self.own}-security
Components: main contrib

Types: deb
URIs: http://other.example.org/things
Suites: stable
Components: main
"""))

    def test_one_line(self):
        self.expect(self.sources("a.list", f"""# Debian
deb [arch=amd64] http://a.example.org/debian {self.own} main
deb http://b.example.org/sec {self.own}-security main contrib
deb http://other.example.org/things nodistro main
"""))

    def test_no_debian_at_all(self):
        answer = self.sources("a.list", "deb http://other.example.org/things nodistro main\n")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("no source of", answer.stderr)


class Packing(unittest.TestCase):
    def test_the_archive_is_what_cpio_reads_and_reproducible(self):
        with tempfile.TemporaryDirectory() as work:
            images = []
            for name in ("one", "two"):
                archive = Archive()
                archive.text("/etc/motd", "hello\n")
                archive.link("/usr/bin/sh", "busybox")
                archive.folder("/tmp", 0o1777)
                images.append(archive.write(Path(work, name)).read_bytes())
            self.assertEqual(images[0], images[1])
            listing = subprocess.run(["cpio", "-itv", "--quiet"], input=images[0], capture_output=True, check=True).stdout.decode()
            self.assertRegex(listing, r"drwxrwxrwt .* root .* tmp")
            self.assertRegex(listing, r"-rw-r--r-- .* 6 .* etc/motd")
            self.assertIn("usr/bin/sh -> busybox", listing)

    def test_it_is_packed_again_only_when_something_changed(self):
        with tempfile.TemporaryDirectory() as work:
            source, target = Path(work, "source"), Path(work, "image")
            source.write_text("first")
            archive = Archive()
            archive.copy(source, "/file")
            first = archive.write(target).stat().st_ino, target.read_bytes()
            target.write_bytes(b"kept")
            self.assertEqual(archive.write(target).read_bytes(), b"kept")
            source.write_text("second one")
            self.assertIn(b"second one", archive.write(target).read_bytes())
            self.assertIn(b"first", first[1])


class Table(unittest.TestCase):
    @staticmethod
    def column(result, passed=True):
        cell = {"result": result, "why": "because"}
        return {"kernel": "6.1", "release": "6.1.0", "rows": {"tcp": cell}, "facts": {"btf": {"result": "yes", "why": ""}},
                "tests": [{"name": "e2e/attacks", "passed": passed}]}

    def measured(self, **machines):
        with tempfile.TemporaryDirectory() as work:
            for name, data in machines.items():
                Path(work, name.replace("_", ".") + ".json").write_text(json.dumps(data))
            return table.measured(Path(work))

    def test_a_changed_row_and_a_row_nobody_measured_differ(self):
        written, absent = self.measured(**{"6_1": self.column("stopped")})
        self.assertIn("5.10", absent)
        self.assertEqual(table.differences(written, written), [])
        now, _ = self.measured(**{"6_1": self.column("open")})
        self.assertEqual(len(table.differences(now, written)), 1)
        self.assertEqual(now["6.1"]["rows"]["udp"]["result"], "missing")

    def test_another_running_kernel_is_not_compared_but_another_machine_is(self):
        now, _ = self.measured(native=self.column("stopped"))
        self.assertEqual(table.differences(now, {}), [])
        now, _ = self.measured(**{"6_1": self.column("stopped")})
        self.assertEqual(len(table.differences(now, {})), 1)

    def test_failed_tests_are_never_accepted(self):
        now, _ = self.measured(**{"6_1": self.column("stopped", passed=False)})
        with self.assertRaises(SystemExit):
            table.update(now, {})

    def test_the_document_takes_what_was_measured(self):
        now, _ = self.measured(**{"6_1": self.column("open")})
        text = table.with_blocks(table.DOCUMENT.read_text(), table.rendered(now))
        self.assertIn("| TCP connect (`tcp`) | **open** |", text)
        self.assertIn("- `tcp`: open on 6.1: because", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    own, rest = parser.parse_known_args()
    BUILD = own.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
