# SPDX-License-Identifier: Apache-2.0
"""What others pay: calls and packets to an address that is not guarded, without a guard, with ours, with what people use.

"nothing, again" is the same as "nothing": how far its ratio is from 1 is how far two figures here can be told apart.
"""
import contextlib
import shutil
import socket
import statistics
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import stats
from lab import CALLER, CGROUPS, FAR, IMDS, LINK, NEAR, PORT, RUN, TOP, Guard, Lab, as_caller, bpftool, note, run
from policies import policy

NOTHING = "nothing"
KINDS = {"udp-connect": ("calls", "udp-connect", "allowed", FAR, PORT, 60_000, 250, 1), "udp-send": ("calls", "udp-send", "allowed", FAR, PORT, 40_000, 250, 1),
         "tcp": ("calls", "tcp", "allowed", FAR, PORT, 3000, 25, 1), "stream": ("stream", FAR, PORT, 256)}


@dataclass
class Subject:
    name: str
    group: str  # "peers", "layers" or both
    attached: Callable[[], AbstractContextManager]
    cgroup: Path = CALLER
    user: int = 0


@contextlib.contextmanager
def undone(do: list, undo: list):
    """`undo` also when only a part of `do` worked."""
    try:
        for command in do:
            run(*command)
        yield
    finally:
        for command in undo:
            run(*command, check=False)  # what could not be done need not be undone


def iptables(program: str):
    """As the documentation of EC2 shows it: users other than root get nothing."""
    rule = ("OUTPUT", "--destination", IMDS, "--match", "owner", "!", "--uid-owner", "0", "--jump", "REJECT")
    return undone([(program, "--wait", "--append", *rule)], [(program, "--wait", "--delete", *rule)])


def nft_cgroup():
    """By the cgroup of the socket: what iptables cannot."""
    level = len(CALLER.relative_to(CGROUPS).parts)
    name = CALLER.relative_to(CGROUPS)
    nft = "/usr/sbin/nft"
    return undone([(nft, "add", "table", "inet", "bench"), (nft, "add", "chain", "inet", "bench", "out", "{ type filter hook output priority 0; }"),
                   (nft, "add", "rule", "inet", "bench", "out", "ip", "daddr", IMDS, "socket", "cgroupv2", "level", level, "!=", f'"{name}"', "reject")],
                  [(nft, "delete", "table", "inet", "bench")])


class Systemd:
    """A manager of its own below our cgroup; each unit of it is a cgroup with systemd's own programs."""
    PLACE = TOP / "systemd"
    ENVIRONMENT = {"XDG_RUNTIME_DIR": str(RUN / "systemd"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def __init__(self):
        for folder in (self.PLACE, RUN / "systemd", Path("/run/systemd/system")):  # the last: "systemd runs this machine"
            folder.mkdir(parents=True, exist_ok=True)
        self.manager = subprocess.Popen(["/lib/systemd/systemd", "--user", "--unit=basic.target", "--log-target=null"], env=self.ENVIRONMENT,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=as_caller(self.PLACE))
        for _ in range(50):
            time.sleep(0.1)
            if self._systemctl("is-active", "basic.target", check=False).returncode == 0:
                return
        raise RuntimeError("the manager does not answer")

    def _systemctl(self, *words, check: bool = True):
        return run("/usr/bin/systemctl", "--user", *words, check=check, env=self.ENVIRONMENT)

    @property
    def unit(self) -> Path:
        return self.PLACE / "app.slice/bench.service"

    @contextlib.contextmanager
    def denying(self):
        run("/usr/bin/systemd-run", "--user", "--quiet", "--unit=bench", f"--property=IPAddressDeny={IMDS}", "/bin/sleep", "600", env=self.ENVIRONMENT)
        try:
            if "sd_fw_egress" not in run("/usr/sbin/bpftool", "cgroup", "show", self.unit).stdout:
                raise RuntimeError("systemd attached no program to the unit")
            yield
        finally:
            self._systemctl("stop", "bench.service")

    def close(self) -> None:
        self.manager.terminate()
        self.manager.wait()


def packet() -> bytes:
    """A small UDP packet in an Ethernet frame, to an address that is not guarded."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 60, 1, 0, 64, socket.IPPROTO_UDP, 0, socket.inet_aton(NEAR), socket.inet_aton(FAR))
    return bytes(12) + struct.pack("!H", 0x0800) + ip + bytes(40)


def test_runs(program: tuple, runs: int) -> list[int]:
    """Nanoseconds of a program on a packet, by the kernel's own test run: means of half a million each."""
    frame = RUN / "packet"
    frame.write_bytes(packet())
    command = ("prog", "run", *program, "data_in", frame, "data_out", "/dev/null", "repeat", 500_000)
    return [bpftool(*command)["duration"] for _ in range(runs)]


class Programs:
    """empty.bpf.c, loaded."""

    def __init__(self):
        source, made, self.pins = Path(__file__).with_name("empty.bpf.c"), RUN / "empty.bpf.o", RUN / "bpf/empty"
        machine = run("/usr/bin/uname", "-m").stdout.strip()
        clang = shutil.which("clang-14") or shutil.which("clang")
        run(clang, "-g", "-O2", "-target", "bpf", "-mcpu=v2", "-isystem", f"/usr/include/{machine}-linux-gnu", "-c", source, "-o", made)
        run("/usr/sbin/bpftool", "prog", "loadall", made, self.pins)

    def in_cgroup(self, place: str, name: str):
        words = (TOP / "guarded", place, "pinned", self.pins / name)
        return undone([("/usr/sbin/bpftool", "cgroup", "attach", *words, "multi")], [("/usr/sbin/bpftool", "cgroup", "detach", *words)])

    def at_link(self):
        tc = "/usr/sbin/tc"
        return undone([(tc, "qdisc", "add", "dev", LINK, "clsact"),
                       (tc, "filter", "add", "dev", LINK, "egress", "bpf", "direct-action", "object-pinned", self.pins / "empty_tc")],
                      [(tc, "qdisc", "delete", "dev", LINK, "clsact")])


def without_clsact():
    run("/usr/sbin/tc", "qdisc", "delete", "dev", LINK, "clsact", check=False)  # the guard leaves an empty one: part of no other subject


class Guards:
    def __init__(self, lab: Lab):
        self.lab = lab

    @contextlib.contextmanager
    def rules(self, number: int, cgroup_layer: bool = True, tc_layer: bool = True):
        guard = Guard(self.lab, policy(number, "user", 0))
        try:
            with guard.loaded():
                if not tc_layer:
                    without_clsact()
                if not cgroup_layer:
                    guard.pinned("link_guard_egress").unlink()
                yield
        finally:
            without_clsact()


def subjects(lab: Lab, systemd: Systemd | None, programs: Programs) -> list[Subject]:
    guards = Guards(lab)
    found = [Subject(NOTHING, "peers layers", contextlib.nullcontext), Subject("nothing, again", "peers layers", contextlib.nullcontext)]
    found += [Subject(f"hostward, {n:,} rule{'s' * (n > 1)}", "peers layers" if n == 1 else "peers", lambda n=n: guards.rules(n)) for n in (1, 100, 1024)]
    found += [Subject("iptables owner (legacy)", "peers", lambda: iptables("/usr/sbin/iptables-legacy")),
              Subject("iptables owner (nft)", "peers", lambda: iptables("/usr/sbin/iptables-nft")),
              Subject("nft socket cgroupv2", "peers", nft_cgroup)]
    if systemd:
        found.append(Subject("systemd IPAddressDeny", "peers", systemd.denying, systemd.unit))
    found += [Subject("hostward, cgroup egress alone", "layers", lambda: guards.rules(1, tc_layer=False)),
              Subject("hostward, tc egress alone", "layers", lambda: guards.rules(1, cgroup_layer=False)),
              Subject("an empty program at connect", "layers", lambda: programs.in_cgroup("cgroup_inet4_connect", "empty_connect4")),
              Subject("an empty program at cgroup egress", "layers", lambda: programs.in_cgroup("cgroup_inet_egress", "empty_egress")),
              Subject("an empty program at tc egress", "layers", programs.at_link)]
    return found


def result(these: list[Subject], taken: dict) -> list[dict]:
    rows = []
    for subject in these:
        for kind in KINDS:
            own, base = taken[subject.name, kind], taken[NOTHING, kind]
            rows.append({"subject": subject.name, "group": subject.group, "kind": kind, "ns": stats.quartiles([s["p50"] for s in own]),
                         "cpu_ns": stats.quartiles([s["cpu"] for s in own]),
                         "ratio": stats.paired_ratio([s["p50"] for s in own], [s["p50"] for s in base]),
                         "more_ns": stats.paired_difference([s["p50"] for s in own], [s["p50"] for s in base])})
    return rows


def start_systemd() -> tuple[Systemd | None, list[str]]:
    try:
        return Systemd(), []
    except (OSError, RuntimeError) as error:
        return None, [f"systemd IPAddressDeny: {error}"]


def program_times(lab: Lab, programs: Programs, rounds: int) -> list[dict]:
    """Ours and empty ones, in turns."""
    taken: dict[str, list[int]] = {}
    with Guard(lab, policy(1024, "user", 0)).loaded() as guard:
        link = bpftool("link", "show", "pinned", guard.pinned("link_guard_egress"))
        subjects_of = {"hostward at cgroup egress": ("id", link["prog_id"]), "an empty one there": ("pinned", programs.pins / "empty_egress"),
                       "hostward at tc egress": ("pinned", guard.pinned("prog_guard_tc_ether")), "an empty one there, too": ("pinned", programs.pins / "empty_tc")}
        for _ in range(rounds):
            for name, program in subjects_of.items():
                taken.setdefault(name, []).extend(test_runs(program, 2))
    return [{"program": name, "fastest_ns": min(times), "median_ns": statistics.median(times)} for name, times in taken.items()]


def usable(subject: Subject, skipped: list[str]) -> bool:
    """Whether it can be attached here. Ours has to."""
    try:
        with subject.attached():
            return True
    except RuntimeError as error:
        if subject.name.startswith("hostward"):
            raise
        skipped.append(f"{subject.name}: {error}")
        return False


def measure(lab: Lab, rounds: int) -> dict:
    systemd, skipped = start_systemd()
    programs = Programs()
    these = [subject for subject in subjects(lab, systemd, programs) if usable(subject, skipped)]
    taken: dict[tuple, list[dict]] = {}
    try:
        for number in range(rounds):
            for subject in stats.in_turns(these, number):
                with subject.attached():
                    for kind in stats.in_turns(list(KINDS), number):
                        taken.setdefault((subject.name, kind), []).append(lab.call(*KINDS[kind], cgroup=subject.cgroup, user=subject.user))
            note(f"everybody: round {number + 1} of {rounds}")
    finally:
        if systemd:
            systemd.close()
    return {"rows": result(these, taken), "programs": program_times(lab, programs, rounds), "skipped": skipped}
