#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every step and at any moment, two runs at once, a full disk, a read-only one: afterwards each sink has every
report that was ever reported as kept, once, and nothing else is lost.

Steps are system calls: strace kills the driver when it enters the N-th of one name, for each that changes something.
"""
import ctypes
import json
import os
import random
import re
import signal
import subprocess
import time
import unittest

from scene import IS_QUICK, KEEP, Scene, document, report_id

STRACE = "/usr/bin/strace"
# What changes the disk or the world; reads and memory are no steps.
STEPS = "openat,write,fsync,rename,renameat,renameat2,unlinkat,mkdirat,flock,sendto,connect,close"
STEP_KILLS = 60 if IS_QUICK else 450
RANDOM_KILLS = 20 if IS_QUICK else 150
RUNS_TO_RECOVER = 3  # on a machine so busy that a sink's time is over, a report comes with a later run
KEEPING = ("files", "collector", "s3", "logs")  # those that keep every report by its id
CLONE_NEWNS = 0x20000


def new_mounts() -> None:
    """In the child: mounts of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, 1 << 18 | 1 << 14, None) != 0:
        raise OSError(ctypes.get_errno(), "no mounts of our own")


class Kills(Scene):
    def setUp(self):
        super().setUp()
        self.write_report(document(3))
        self.configure("files", "collector", "s3", "hub", "compliance", "logs", "inventory", more='timeout = "5s"\n')
        self.number = 0
        self.kept: set[str] = set()  # ids of which the driver said that they are on disk

    def read(self, output: str) -> None:
        lines = output.splitlines()
        self.kept |= {line.split()[1] for line in lines if line.startswith("added ")}
        self.assertNotIn("damaged", output)  # a kill damages nothing
        self.assertNotIn("dropped", output)

    def next_id(self) -> str:
        self.number += 1
        return report_id(self.number)

    def whole_number(self) -> int:
        """Sequence numbers that the file sink has are each another one."""
        numbers = [json.loads(path.read_text())["report"]["sequence"] for path in (self.folder / "files").glob("*.json")]
        self.assertEqual(len(numbers), len(set(numbers)))
        return len(numbers)

    def check(self) -> None:
        spool = self.folder / "state/spool"
        for _ in range(RUNS_TO_RECOVER):
            self.read("\n".join(self.run_driver("deliver")))
            if not list((spool / "reports").iterdir()):
                break
        everything = {report_id(i) for i in range(1, self.number + 1)}
        for sink in KEEPING:
            held = self.ids_in(sink)
            self.assertLessEqual(self.kept, set(held), sink)
            self.assertLessEqual(set(held), everything, sink)
            if sink != "logs":  # knows no ids: they are in its events
                self.assertEqual(len(held), len(set(held)), sink)
        self.assertEqual(len(self.state.findings), 3)
        self.assertEqual(self.whole_number(), len(self.ids_in("files")))
        self.assertEqual(list((spool / "reports").iterdir()), [])
        self.assertEqual(list((spool / "damaged").iterdir()), [])

    @unittest.skipUnless(os.path.exists(STRACE), "strace is not installed")
    def test_kill_at_every_step(self):
        steps = self.steps()
        self.assertGreater(len(steps), 100)
        killed = 0
        if IS_QUICK:
            steps = random.Random(3).sample(steps, STEP_KILLS)
        while killed < STEP_KILLS:
            self.assertLess(self.number + len(steps), KEEP, f"only {killed} of so many runs were killed")
            for name, number in steps:
                done = self.strace("-e", f"inject={name}:signal=KILL:when={number}", *self.command("both", self.next_id()))
                self.read(done.stdout)
                killed += done.returncode != 0
        self.check()

    @staticmethod
    def strace(*arguments: str) -> subprocess.CompletedProcess:
        # The leak detector of a sanitized build cannot work below strace.
        return subprocess.run([STRACE, "-f", "-qq", "-o", "/dev/null", *arguments], capture_output=True, text=True,
                              timeout=120, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})

    def steps(self) -> list[tuple[str, int]]:
        """System calls of a whole run from where the program has read its configuration: name, and which one of these."""
        trace = self.folder / "trace"
        self.read(self.strace("-o", str(trace), "-e", f"trace={STEPS}", *self.command("both", self.next_id())).stdout)
        counts, steps, has_begun = {}, [], False
        for line in trace.read_text().splitlines():
            name = re.match(r"(?:\d+ +)?(\w+)\(", line)
            if not name:
                continue
            counts[name.group(1)] = counts.get(name.group(1), 0) + 1
            has_begun = has_begun or "setup.json" in line
            if has_begun:
                steps.append((name.group(1), counts[name.group(1)]))
        return steps

    def test_kill_at_any_moment(self):
        self.read("\n".join(self.run_driver("both", self.next_id())))  # the mock reads its models now: longer than a run
        usual_s = self.timed_run(60.0)
        chance = random.Random(11)
        killed = 0
        while killed < RANDOM_KILLS:
            self.assertLess(self.number, KEEP, f"only {killed} of so many runs were killed before their end")
            took_s = self.timed_run(chance.uniform(0, 1.3 * usual_s))
            if took_s is None:
                killed += 1
            else:  # how long a run takes changes with what else the machine does
                usual_s = (3 * usual_s + took_s) / 4
        self.check()

    def timed_run(self, kill_after_s: float) -> float | None:
        """How long a run took; None: it was killed."""
        begin = time.monotonic()
        process = subprocess.Popen(self.command("both", self.next_id()), stdout=subprocess.PIPE, text=True)
        try:
            output, _ = process.communicate(timeout=kill_after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate(timeout=60)
        took_s = time.monotonic() - begin
        self.read(output)
        if process.returncode == -signal.SIGKILL:
            return None
        self.assertEqual(process.returncode, 0, output)
        return took_s

    def test_two_runs_at_once(self):
        runs = [subprocess.Popen(self.command("both", self.next_id()), stdout=subprocess.PIPE, text=True)
                for _ in range(6)]
        outputs = [run.communicate(timeout=120)[0] for run in runs]
        for run, output in zip(runs, outputs):
            self.read(output)
            if run.returncode != 0:
                self.assertIn("another run is at work", output)
        self.assertIn(0, [run.returncode for run in runs])
        self.check()


@unittest.skipUnless(os.geteuid() == 0, "needs root for a small disk")
class Disk(Scene):
    def setUp(self):
        super().setUp()
        self.write_report(document(30))
        self.configure("files")
        (self.folder / "state").mkdir()

    def on_small_disk(self, *steps: list[str], size: str = "64k") -> str:
        """Runs all commands in one mount namespace in which the state's folder is a small tmpfs."""
        state = str(self.folder / "state")

        def prepare():
            new_mounts()
            subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "none", state], check=True)

        script = [sys_python(), "-c", "import json,subprocess,sys\n"
                  "for c in json.loads(sys.argv[1]): subprocess.run(c)", json.dumps(steps)]
        done = subprocess.run(script, preexec_fn=prepare, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_full_disk(self):
        many = [self.command("add", report_id(i)) for i in range(1, 12)]
        output = self.on_small_disk(*many, self.command("deliver"))
        added = [line.split()[1] for line in output.splitlines() if line.startswith("added ")]
        self.assertTrue(0 < len(added) < 11, output)
        self.assertIn("No space left on device", output)
        self.assertNotIn("dropped", output)
        self.assertEqual(self.ids_in("files"), added)  # all that were kept arrive

    def test_read_only_disk(self):
        state = str(self.folder / "state")
        remount = ["/bin/mount", "-o", "remount,ro", state]
        output = self.on_small_disk(self.command("add", report_id(1)), remount, self.command("both", report_id(2)),
                                    ["/bin/mount", "-o", "remount,rw", state], self.command("deliver"))
        self.assertIn("Read-only file system", output)
        self.assertEqual(self.ids_in("files"), [report_id(1)])

    def test_the_file_sink_s_disk_is_full(self):
        (self.folder / "files").mkdir()
        target = str(self.folder / "files")
        fill = ["/bin/sh", "-c", 'head -c 200000 /dev/zero > "$0/fill" 2> /dev/null', target]
        mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=64k", "none", target]
        output = self.on_small_disk(mount, fill, self.command("both", report_id(1)), ["/bin/umount", target],
                                    self.command("deliver"))
        self.assertRegex(output, f"files {report_id(1)} later .*No space left on device")
        self.assertEqual(self.ids_in("files"), [report_id(1)])

    def test_a_damaged_report_holds_up_none(self):
        for number in (1, 2, 3):
            self.run_driver("add", report_id(number))
        victim = next((self.folder / "state/spool/reports").glob(f"*{report_id(2)}*"))
        victim.write_bytes(victim.read_bytes()[:-40])
        lines = self.run_driver("deliver")
        self.assertRegex(lines[0], f"note .*{report_id(2)}.* is damaged")
        self.assertEqual(self.ids_in("files"), [report_id(1), report_id(3)])
        self.run_driver("both", report_id(4))
        self.assertEqual(json.loads((self.folder / f"files/{report_id(4)}.json").read_text())["report"]["sequence"], 4)

    def test_a_full_spool_says_what_it_drops(self):
        self.configure("files", report='spool_size = "1MiB"')
        big = document(3)
        big["padding"] = "x" * 300_000
        self.write_report(big)
        for number in range(1, 6):
            self.run_driver("add", report_id(number))
        self.assertRegex(self.output, f"note the spool is full .*{report_id(2)}")
        self.run_driver("deliver")
        self.assertEqual(self.ids_in("files"), [report_id(3), report_id(4), report_id(5)])


def sys_python() -> str:
    return "/usr/bin/python3"


if __name__ == "__main__":
    unittest.main(warnings="ignore")
