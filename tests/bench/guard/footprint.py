# SPDX-License-Identifier: Apache-2.0
"""What the guard takes while nothing happens, at its start, at a change of policy and in a flood of denials."""
import os
import subprocess
import sys
import time
from pathlib import Path

import stats
from lab import CALLER, IMDS, NOBODY, PORT, Guard, Lab, Lines, as_caller, bpftool, note
from policies import HEAD, policy, rule

RULES = 1024
IDLE_S = 10
FLOOD_S = 3
KIB = 1024


def fields(text: str) -> dict:
    """`Name: 12 kB` lines."""
    return {name: value.split()[0] for name, _, value in (line.partition(":") for line in text.splitlines()) if value.split()}


def memory(pid: int) -> dict:
    found = fields(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return {"pss_mib": int(found["Pss"]) / KIB, "rss_mib": int(found["Rss"]) / KIB, "private_mib": int(found["Anonymous"]) / KIB}


def activity(pid: int) -> dict:
    """Over all threads."""
    seen = {"wakeups": 0, "cpu_ns": 0, "threads": 0}
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = fields((task / "status").read_text())
        seen["wakeups"] += int(status["voluntary_ctxt_switches"]) + int(status["nonvoluntary_ctxt_switches"])
        seen["cpu_ns"] += int((task / "schedstat").read_text().split()[0])
        seen["threads"] += 1
    return seen


def inner_maps(path: Path) -> list[int]:
    """Ids of the maps in a map of maps; bpftool shows them as bytes."""
    return [int.from_bytes((int(byte, 16) for byte in element["value"]), sys.byteorder) for element in bpftool("map", "dump", "pinned", path)]


def map_memory(path: Path) -> dict[int, int]:
    shown = bpftool("map", "show", "pinned", path)
    inner = inner_maps(path) if shown["type"] == "array_of_maps" else []
    return {shown["id"]: shown["bytes_memlock"], **{one: bpftool("map", "show", "id", one)["bytes_memlock"] for one in inner}}


def kernel_memory(guard: Guard) -> dict:
    """Of the pinned maps, the policy tables inside them, and the programs. As the kernel accounts it."""
    maps, programs = {}, {}
    for path in sorted(guard.pins.glob("*/*")):
        kind = path.name.split("_")[0]
        if kind == "map":
            maps.update(map_memory(path))
            continue
        shown = bpftool(kind, "show", "pinned", path)
        program = shown["prog_id"] if kind == "link" else shown["id"]
        programs[program] = bpftool("prog", "show", "id", program)["bytes_memlock"]
    return {"maps_kib": sum(maps.values()) / KIB, "programs_kib": sum(programs.values()) / KIB, "maps": len(maps), "programs": len(programs)}


def rates(pid: int, seconds: float) -> dict:
    before, begin = activity(pid), time.monotonic()
    time.sleep(seconds)
    after, taken = activity(pid), time.monotonic() - begin
    return {"seconds": taken, "wakeups_per_s": (after["wakeups"] - before["wakeups"]) / taken,
            "cpu_percent": (after["cpu_ns"] - before["cpu_ns"]) / taken / 1e7, "threads": after["threads"]}


class Asker:
    """Asks without a pause on the last CPU until the answer is what it waits for; `at_ns` is when."""

    def __init__(self, lab: Lab, which: str, user: int):
        self.process = subprocess.Popen([lab.caller, "until", which, IMDS, PORT], stdout=subprocess.PIPE, bufsize=0,
                                        preexec_fn=as_caller(CALLER, os.cpu_count() - 1, user))
        self.lines = Lines(self.process.stdout)
        self.lines.next()

    def at_ns(self) -> int:
        answer = int(self.lines.next())
        self.process.wait()
        return answer


def start_once(lab: Lab, text: str) -> tuple[float, float]:
    """Milliseconds from before the fork and exec until the first denial, and until the agent says it is ready."""
    asker = Asker(lab, "denied", NOBODY)
    guard = Guard(lab, text)
    with guard.resident():
        ready_ns = time.monotonic_ns()
        return (asker.at_ns() - guard.started_ns) / 1e6, (ready_ns - guard.started_ns) / 1e6


def swap_once(lab: Lab, guard: Guard, text: str, which: str) -> tuple[float, float]:
    """Milliseconds from SIGHUP until a caller sees the new policy, and until the agent says it is done."""
    asker = Asker(lab, which, NOBODY)
    guard.write(text)
    begin = time.monotonic_ns()
    guard.agent.send_signal(1)
    guard.await_line("is in force")
    done = time.monotonic_ns()
    return (asker.at_ns() - begin) / 1e6, (done - begin) / 1e6


def swaps(lab: Lab, guard: Guard, rules: int, rounds: int) -> dict:
    """The policy changes between one that allows a user, and one that does not."""
    allows, denies = (policy(rules, "user", user) for user in (NOBODY, 0))
    taken = [swap_once(lab, guard, *(((allows, "allowed"), (denies, "denied"))[number % 2])) for number in range(2 * rounds)]
    return {"rules": rules, "in_force_ms": stats.quartiles([t[0] for t in taken]), "complete_ms": stats.quartiles([t[1] for t in taken])}


def flood(lab: Lab, guard: Guard, users: int) -> dict:
    """Denied calls without a pause, by one user per CPU or by many one after the other."""
    before, begin, calls = activity(guard.agent.pid), time.monotonic(), 0
    number = 0
    while time.monotonic() - begin < FLOOD_S:
        lab.call("calls", "udp-connect", "denied", IMDS, PORT, 20000, 1000, os.cpu_count() if users == 1 else 1, user=NOBODY + number % users)
        calls += 20000 * (os.cpu_count() if users == 1 else 1)
        number += 1
    time.sleep(1.2)  # the agent takes a batch once a second
    after, taken = activity(guard.agent.pid), time.monotonic() - begin
    return {"users": users, "denials_per_s": calls / taken, "cpu_percent": (after["cpu_ns"] - before["cpu_ns"]) / taken / 1e7,
            "memory": memory(guard.agent.pid)}


def measure(lab: Lab, rounds: int) -> dict:
    small, large = HEAD + rule("caller", "user", [0]), policy(RULES, "user", 0)
    found: dict = {"rows": []}
    for rules, text in ((1, small), (RULES, large)):
        started = [start_once(lab, text) for _ in range(rounds)]
        note(f"footprint: {rules} rules: start {started}")
        guard = Guard(lab, text)
        with guard.resident():
            time.sleep(1.5)  # what the start left to do
            row = {"rules": rules, "enforcing_ms": stats.quartiles([s[0] for s in started]), "ready_ms": stats.quartiles([s[1] for s in started]),
                   "memory": memory(guard.agent.pid), "kernel": kernel_memory(guard), "idle": rates(guard.agent.pid, IDLE_S)}
            row["swap"] = swaps(lab, guard, rules, rounds)
            time.sleep(1)  # it says that a policy is in force before it is done
            row["memory_after_swaps"] = memory(guard.agent.pid)
            if rules == RULES:
                found["floods"] = [flood(lab, guard, users) for users in (1, 48)]
        note(f"footprint: {row}")
        found["rows"].append(row)
    return found
