#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The processes of docs/privilege.md, run for real: what the kernel says they may do, and how they end.

Environment: HOSTWARD_BUILT, the build folder. Runs in a network and mount namespace of its own, and in a cgroup of its own.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from tables import ROOT, TOLD, capabilities

if os.geteuid() != 0:
    print("SKIP: needs root: what root gives up is looked at")
    sys.exit(77)
if not shutil.which("strace"):
    print("SKIP: strace is not installed")
    sys.exit(77)

BUILT = Path(os.environ.get("HOSTWARD_BUILT", ROOT / "build/release"))
HOSTWARD = str(BUILT / "hostward")
SCENE = str(BUILT / "tests/e2e/sandbox_scene")
LIBRARY = str(ROOT / "hardening")
WORK = Path("/mnt")
NOBODY = 65534
WAIT_S = 60
DELAY_US = 400_000  # after each seccomp(2): time to look at processes that live for milliseconds
KEXEC_LOAD = {"x86_64": 246, "aarch64": 104}[os.uname().machine]
CAPABILITY_BITS = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_SETGID": 6, "CAP_SETUID": 7,
                   "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_SYS_RESOURCE": 24,
                   "CAP_AUDIT_CONTROL": 30, "CAP_PERFMON": 38, "CAP_BPF": 39}
POLICY = '[guard]\nmode = "enforce"\n[[guard.rule]]\nname = "root"\naction = "allow"\nuser = ["root"]\n'
# The program file of a rule is looked at with the kernel's eyes.
PROGRAM_RULE = '[[guard.rule]]\nname = "program"\naction = "allow"\nexe = ["/usr/bin/curl"]\n'
REPORT = f'[report]\nstate_dir = "{WORK}/state"\nprofiles = ["ec2"]\n[sink.local]\ntype = "file"\npath = "{WORK}/state/reports"\n'


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError(f"waited in vain: {what}")


def status_of(pid) -> dict[str, str]:
    try:
        return dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    except (FileNotFoundError, ProcessLookupError):
        return {}


def field(status, name) -> str:
    return status.get(name, "").strip()


def mask(names) -> str:
    """As /proc has it, without what the test's own root lacks."""
    wanted = sum(1 << CAPABILITY_BITS[name] for name in names)
    return f"{wanted & int(field(status_of('self'), 'CapEff'), 16):016x}"


def cgroup2_mount() -> Path:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return Path(line.split()[4])
    raise RuntimeError("no cgroup2 is mounted")


class Processes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cgroup = cgroup2_mount() / f"hwtest-sandbox.{os.getpid()}"
        cls.cgroup.mkdir()
        cls.addClassCleanup(cls.cgroup.rmdir)
        for folder, kind, options in (("bpf", "bpf", "mode=0700"), ("run", "tmpfs", "mode=0755"), ("state", "tmpfs", "mode=0755")):
            (WORK / folder).mkdir()
            subprocess.run(["mount", "-t", kind, "-o", options, kind, str(WORK / folder)], check=True)
        (WORK / "hostward.toml").write_text(POLICY)
        (WORK / "report.toml").write_text(REPORT)

    def guard(self, *words) -> list[str]:
        return [HOSTWARD, "guard", *words, "--config", str(WORK / "hostward.toml"), "--cgroup", str(self.cgroup), "--pin-dir",
                str(WORK / "bpf/hostward"), "--run-dir", str(WORK / "run")]

    def commands(self) -> dict[str, list[str]]:
        check = ["--library", LIBRARY, "--profile", "ec2", "--no-sweep"]
        return {
            "config": [HOSTWARD, "config", "print", "--config", str(WORK / "hostward.toml")],
            "guard-read": self.guard("status"),
            "guard-explain": self.guard("explain", "--user", "root"),
            "guard-run": self.guard("run"),
            "guard-load": self.guard("load"),
            "guard-doctor": self.guard("doctor"),
            "check": [HOSTWARD, "check", *check],
            "report-collect": [HOSTWARD, "report", "--once", "--dry-run", "--config", str(WORK / "report.toml"), "--library", LIBRARY],
            "verify": [HOSTWARD, "verify", "--offline", "/dev/null"],
            "report": [HOSTWARD, "report", "--once", "--config", str(WORK / "report.toml")],
        }

    def confined(self, command, user=0) -> tuple[dict[str, str], str]:
        """/proc/PID/status of the program once it has its filter, and what it asked of the kernel until then."""
        trace = WORK / "trace"
        process = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=seccomp,prctl", "-e", f"inject=seccomp:delay_exit={DELAY_US}", "-o", str(trace),
             *(["/usr/bin/setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"] if user else []), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"AWS_EC2_METADATA_DISABLED": "true"})

        def look():
            if process.poll() is not None:
                raise AssertionError(f"{command} ended before it was seen with a filter")
            for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                status = status_of(pid)
                if field(status, "Name") == "hostward" and field(status, "Seccomp") == "2":
                    descriptors = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
                    return {**status, "descriptors": descriptors, "pid": pid}
            return None
        status = {}
        try:
            status = wait_for(f"{command} has a filter", look)
            os.kill(int(status["pid"]), signal.SIGTERM)  # `guard run` would not end
        finally:
            if not status:
                process.kill()
            process.wait(WAIT_S)
        return status, trace.read_text()

    def test_every_process_has_what_the_page_says_and_no_more(self):
        table = capabilities()
        commands = self.commands()
        self.assertEqual(set(commands), set(table))
        for process, command in commands.items():
            with self.subTest(process=process):
                status, trace = self.confined(command, NOBODY if process == "report" else 0)
                self.assertEqual(field(status, "NoNewPrivs"), "1")
                self.assertIn("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)", trace)
                self.assertLessEqual(status["descriptors"], {0, 1, 2})
                wanted = mask(table[process])
                for name in ("CapEff", "CapPrm"):
                    self.assertEqual(field(status, name), wanted, name)
                self.assertEqual((field(status, "CapInh"), field(status, "CapAmb")), ("0" * 16, "0" * 16))
                if process != "report":  # without CAP_SETPCAP it cannot change: no_new_privs stands before it
                    self.assertEqual(field(status, "CapBnd"), wanted)

    def test_what_a_policy_can_ask_for_is_allowed(self):
        (WORK / "programs.toml").write_text(POLICY + PROGRAM_RULE)
        config = ["--config", str(WORK / "programs.toml")]
        for command in (["config", "check"], ["config", "print"], ["guard", "explain", "--user", "root", "--exe", "/usr/bin/curl"]):
            with self.subTest(command=command[:2]):
                done = subprocess.run([HOSTWARD, *command, *config], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_named_output_costs_one_more(self):
        status, _ = self.confined([*self.commands()["check"], "--output", str(WORK / "state/out.txt")])
        self.assertEqual(field(status, "CapEff"), mask(capabilities()["check"] | {"CAP_DAC_OVERRIDE"}))

    def killed_by_a_forbidden_call(self, process, pid, errors) -> None:
        subprocess.run([SCENE, "inject", str(pid), str(KEXEC_LOAD)], check=True, timeout=WAIT_S)
        self.assertEqual(process.wait(WAIT_S), -signal.SIGSYS, errors())
        told = TOLD.search(errors())
        self.assertIsNotNone(told, errors())
        self.assertEqual(told[2], "kexec_load")

    def start(self, command, **other) -> subprocess.Popen:
        self.log = WORK / "log"
        with open(self.log, "wb") as log:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, **other)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        wait_for("the filter", lambda: field(status_of(process.pid), "Seccomp") == "2" or process.poll() is not None)
        self.assertIsNone(process.poll(), self.log.read_text())
        return process

    def test_a_forbidden_call_ends_the_agent_and_not_the_guard(self):
        process = self.start(self.guard("run"))
        self.addCleanup(subprocess.run, self.guard("unload"), check=False, capture_output=True)
        wait_for("the agent is ready", lambda: "guard ready" in self.log.read_text() or process.poll() is not None)
        self.assertEqual(field(status_of(process.pid), "CapEff"), mask(capabilities()["guard-run"]))
        self.killed_by_a_forbidden_call(process, process.pid, self.log.read_text)
        done = subprocess.run(self.guard("status"), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("enforc", done.stdout)

    def test_a_forbidden_call_ends_whoever_reads_untrusted_bytes(self):
        """Each of them waits for its input."""
        (WORK / "run/events.jsonl").touch()
        for command in ([HOSTWARD, "verify", "--offline", "-"], self.guard("events", "--follow"),
                        [*self.guard("learn"), "--events", "-"]):
            with self.subTest(command=command[1:3]):
                reader, writer = os.pipe()
                try:
                    process = self.start(command, stdin=reader)
                    self.killed_by_a_forbidden_call(process, process.pid, self.log.read_text)
                finally:
                    os.close(reader)
                    os.close(writer)

    def test_a_forbidden_call_ends_a_check(self):
        process = self.start([HOSTWARD, "check", "--library", LIBRARY, "--profile", "cis-debian-12"])
        self.killed_by_a_forbidden_call(process, process.pid, self.log.read_text)


if __name__ == "__main__":
    if os.environ.get("HOSTWARD_SANDBOX_INSIDE") != "yes":
        os.environ["HOSTWARD_SANDBOX_INSIDE"] = "yes"
        # Mounts of ours go with the namespace. /mnt: a file system of the test's own.
        inside = f"mount -t tmpfs tmpfs {WORK} && exec {sys.executable} -B {__file__} " + " ".join(sys.argv[1:])
        os.execvp("unshare", ["unshare", "--net", "--mount", "/bin/sh", "-c", inside])
    unittest.main(verbosity=2)
