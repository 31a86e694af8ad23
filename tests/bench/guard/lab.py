# SPDX-License-Identifier: Apache-2.0
"""Where the guard is measured: namespaces, a bpf file system and cgroups of the bench's own.

enter() starts the program again in namespaces that end with it, however it ends: what it mounted, attached, pinned and
started is gone then. What can stay are empty cgroups, which the next run removes.
"""
import contextlib
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CGROUPS = Path("/sys/fs/cgroup")  # cgroup2, in our mount namespace
TOP = CGROUPS / "hostward-bench"
CALLER = TOP / "guarded/bench.slice/caller.service"
RUN = Path("/run/hostward-bench")  # on a tmpfs of ours
IMDS = "169.254.169.254"
NEAR, FAR = "192.0.2.1", "192.0.2.2"
PORT = "7"
LINK = "bench0"
NOBODY = 65534
LIMIT_S = 60
INSIDE = "HOSTWARD_BENCH_INSIDE"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def enter() -> None:
    """Returns inside. Called first by run.py, by root."""
    if os.environ.get(INSIDE) == str(os.getppid()):
        return
    if os.geteuid() != 0:
        sys.exit("bench: needs root: for namespaces, cgroups and BPF")
    arguments = ["/usr/bin/unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation",
                 "private", sys.executable, "-B", *sys.argv]
    os.execve(arguments[0], arguments, {**ENVIRONMENT, INSIDE: "0"})  # the parent of a namespace's first process is 0


def run(*command, check: bool = True, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S, check=False, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    return done


def note(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def as_caller(cgroup: Path, cpu: int | None = None, user: int = 0):
    """For preexec_fn: a program is in its cgroup, on its CPU and its user before its first instruction."""
    def become() -> None:
        (cgroup / "cgroup.procs").write_text("0")
        if cpu is not None:
            os.sched_setaffinity(0, {cpu % os.cpu_count()})
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    return become


def remove_cgroups(top: Path) -> None:
    for folder, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(folder)


@dataclass
class Lab:
    hostward: Path
    simulator: Path
    caller: Path = RUN / "caller"
    far_ends: list = field(default_factory=list)

    def build(self) -> None:
        """Mounts, cgroups, the two ends of a link, and our programs."""
        for command in (("umount", "--lazy", CGROUPS), ("mount", "-t", "cgroup2", "cgroup2", CGROUPS),
                        ("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")):
            run(*command, check=command[0] != "umount")
        remove_cgroups(TOP)
        for folder in (RUN / "bpf", CALLER, CALLER.with_name("other.service"), TOP / "outside"):
            folder.mkdir(parents=True)
        run("mount", "-t", "bpf", "-o", "mode=0700", "bpf", RUN / "bpf")
        folder = Path(__file__).parent
        run("g++", "-std=c++20", "-O2", "-pthread", folder / "caller.cpp", "-o", self.caller)
        self._connect()

    def _connect(self) -> None:
        ip = "/usr/sbin/ip"
        run(ip, "link", "set", "lo", "up")
        run(ip, "address", "add", f"{IMDS}/32", "dev", "lo")
        run(ip, "address", "add", "fd00:ec2::254/128", "dev", "lo", "nodad")
        run(ip, "netns", "add", "far")
        run(ip, "link", "add", LINK, "type", "veth", "peer", "name", "bench1", "netns", "far")
        run(ip, "address", "add", f"{NEAR}/24", "dev", LINK)
        run(ip, "link", "set", LINK, "up")
        run(ip, "-n", "far", "address", "add", f"{FAR}/24", "dev", "bench1")
        run(ip, "-n", "far", "link", "set", "bench1", "up")
        self.far_end(FAR, "/usr/sbin/ip", "netns", "exec", "far")
        self.far_end(IMDS)

    def far_end(self, address: str, *where: str) -> None:
        process = subprocess.Popen([*where, self.caller, "far-end", address, PORT], stdout=subprocess.PIPE, bufsize=0,
                                   preexec_fn=as_caller(TOP / "outside", 1))
        Lines(process.stdout).next()  # it listens
        self.far_ends.append(process)

    def close(self) -> None:
        for process in self.far_ends:
            process.kill()
            process.wait()
        remove_cgroups(TOP)

    def call(self, *arguments, cgroup: Path = CALLER, user: int = 0, program: Path | None = None) -> dict:
        """One run of the caller in a guarded cgroup."""
        done = run(program or self.caller, *arguments, preexec_fn=as_caller(cgroup, user=user))
        return json.loads(done.stdout)


class Lines:
    """Lines of a pipe as they come. Not by a buffered reader: select(2) does not see what that holds."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.rest = b""

    def next(self, limit_s: float = LIMIT_S) -> str:
        while b"\n" not in self.rest:
            if not select.select([self.pipe], [], [], limit_s)[0]:
                raise RuntimeError("waited in vain for a line")
            more = os.read(self.pipe.fileno(), 1 << 16)
            if not more:
                raise RuntimeError(f"it ended: {self.rest.decode(errors='replace')[-600:]}")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode(errors="replace")


class Guard:
    """hostward with a policy, on the guarded cgroup."""

    def __init__(self, lab: Lab, policy: str):
        self.lab = lab
        self.folder = RUN / "guard"
        self.folder.mkdir(exist_ok=True)
        self.pins = RUN / "bpf/hostward"
        self.agent: subprocess.Popen | None = None
        self.write(policy)

    def write(self, policy: str) -> None:
        (self.folder / "hostward.toml").write_text(policy)

    def command(self, word: str) -> list[str]:
        return [str(self.lab.hostward), "guard", word, "--config", str(self.folder / "hostward.toml"), "--cgroup",
                str(TOP / "guarded"), "--pin-dir", str(self.pins), "--run-dir", str(self.folder)]

    @contextlib.contextmanager
    def loaded(self):
        run(*self.command("load"))
        try:
            yield self
        finally:
            run(*self.command("unload"))

    @contextlib.contextmanager
    def resident(self):
        """With the agent. `started_ns`: right before its exec."""
        self.started_ns = time.monotonic_ns()
        self.agent = subprocess.Popen(self.command("run"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0)
        self.lines = Lines(self.agent.stderr)
        try:
            self.await_line("guard ready")
            yield self
        finally:
            self.agent.terminate()
            self.agent.wait(LIMIT_S)
            self.agent.stderr.close()
            run(*self.command("unload"))

    def await_line(self, text: str) -> str:
        while text not in (line := self.lines.next()):
            pass
        return line

    def pinned(self, name: str) -> Path:
        (found,) = self.pins.glob(f"*/{name}")
        return found


def bpftool(*words) -> dict | list:
    return json.loads(run("/usr/sbin/bpftool", "-j", *words).stdout)
