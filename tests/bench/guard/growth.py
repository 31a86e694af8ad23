# SPDX-License-Identifier: Apache-2.0
"""How the guard's costs grow: with rules, with what one rule names, with cgroups. Exponents of fits, 0 is flat and 1 linear."""
import os
import time

import stats
from lab import CALLER, IMDS, PORT, TOP, Guard, Lab, note, run
from policies import one_rule, policy, rule

SIZES = (1, 4, 16, 64, 256, 1024)
LARGER = (64, 256, 1024)  # what does not grow yet hides the growth: the fit of time starts here
CONTAINERS = (10, 100, 1000)


def loads(lab: Lab, text: str, rounds: int) -> dict:
    """Of `guard load` on nothing, a process that ends: milliseconds of CPU and the peak of its memory; and what a change takes a running agent."""
    cpu, peak = [], []
    for _ in range(rounds):
        guard = Guard(lab, text)
        pid = os.posix_spawn(guard.command("load")[0], guard.command("load"), os.environ,
                             file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)])
        _, status, used = os.wait4(pid, 0)
        if status != 0:
            raise RuntimeError(f"hostward guard load ended with {status}")
        cpu.append((used.ru_utime + used.ru_stime) * 1e3)
        peak.append(used.ru_maxrss / 1024)
        run(*guard.command("unload"))
    return {"cpu_ms": stats.quartiles(cpu), "peak_mib": max(peak)}


def compile_ms(lab: Lab, text: str, rounds: int) -> dict:
    """Wall clock of `config check`: read, resolved, compiled, nothing loaded."""
    guard, taken = Guard(lab, text), []
    command = [str(lab.hostward), "config", "check", "--config", str(guard.folder / "hostward.toml")]
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        run(*command)
        taken.append((time.perf_counter_ns() - begin) / 1e6)
    return stats.quartiles(taken)


def by_size(lab: Lab, rounds: int, kind: str, text_of) -> dict:
    rows = []
    for size in SIZES:
        text = text_of(size)
        rows.append({"size": size, "check_ms": compile_ms(lab, text, rounds), **loads(lab, text, max(1, rounds // 3))})
    late = [row for row in rows if row["size"] in LARGER]
    note(f"growth: {kind}")
    return {"kind": kind, "rows": rows, "exponent": {name: stats.exponent([row["size"] for row in late], values) for name, values in
                                                     (("check_ms", [row["check_ms"]["median"] for row in late]),
                                                      ("load_cpu_ms", [row["cpu_ms"]["median"] for row in late]),
                                                      ("peak_mib", [row["peak_mib"] for row in late]))}}


def containers(lab: Lab) -> dict:
    """A caller's first and second decision in each of many cgroups; the first has to match the cgroup's names."""
    place = TOP / "guarded/bench.slice/many"
    text = policy(64, "unit", CALLER.name) + rule("root", "user", [0])
    rows = []
    with Guard(lab, text).loaded():
        for size in CONTAINERS:
            for number in range(size):
                (place / str(number)).mkdir(parents=True, exist_ok=True)
            rows.append({"size": size, **lab.call("tour", place, size, IMDS, PORT, cgroup=CALLER)})
    return {"kind": "cgroups", "rows": rows, "exponent": {name: stats.exponent([row["size"] for row in rows], [row[name] for row in rows])
                                                          for name in ("first", "again")}}


def measure(lab: Lab, rounds: int) -> dict:
    fewer = max(1, rounds // 3)
    return {"policies": [by_size(lab, fewer, "rules by user", lambda n: policy(n, "user", 0)),
                         by_size(lab, fewer, "rules by unit", lambda n: policy(n, "unit", CALLER.name)),
                         by_size(lab, fewer, "users of one rule", lambda n: one_rule(n, "user", 0)),
                         by_size(lab, fewer, "units of one rule", lambda n: one_rule(n, "unit", CALLER.name))],
            "containers": containers(lab)}
