# SPDX-License-Identifier: Apache-2.0
"""What a decision takes: UDP connect() to a guarded address, which sends nothing. Each call is timed by itself."""

from clients_request_cost import statistics_of_programs
import stats
from lab import CALLER, IMDS, NOBODY, PORT, RUN, Guard, Lab, bpftool, note, run
from policies import policy

RULES = (1, 4, 16, 64, 256, 1024)
IDENTITIES = ("user", "unit", "exe")
CALLS = 20_000
THREADS = (1, 2)
PERCENTILES = ("p50", "p99", "p999", "max")


def caller_of(identity: str, lab: Lab, allowed: bool) -> tuple:
    """(what the rule names, the cgroup, the user, the program) of a caller."""
    other = RUN / "other-caller"
    if not other.exists():
        run("/usr/bin/cp", lab.caller, other)
    if identity == "user":
        return 0, CALLER, 0 if allowed else NOBODY, lab.caller
    if identity == "unit":
        return CALLER.name, CALLER if allowed else CALLER.with_name("other.service"), 0, lab.caller
    return str(lab.caller), CALLER, 0, lab.caller if allowed else other


def one(lab: Lab, identity: str, verdict: str, threads: int) -> dict:
    _, cgroup, user, program = caller_of(identity, lab, verdict == "allowed")
    return lab.call("calls", "udp-connect", verdict, IMDS, PORT, CALLS, 1, threads, cgroup=cgroup, user=user, program=program)


def wanted(identity: str) -> list[tuple]:
    return [(verdict, threads) for verdict in ("allowed", "denied") for threads in (THREADS if identity == "user" else THREADS[:1])]


def measure_round(lab: Lab, number: int, taken: dict) -> None:
    for threads in THREADS:
        taken.setdefault(("nothing", 0, "allowed", threads), []).append(one(lab, "user", "allowed", threads))
    for rules in stats.in_turns(RULES, number):
        for identity in IDENTITIES:
            with Guard(lab, policy(rules, identity, caller_of(identity, lab, True)[0])).loaded():
                for verdict, threads in wanted(identity):
                    taken.setdefault((identity, rules, verdict, threads), []).append(one(lab, identity, verdict, threads))


def row(key: tuple, taken: dict) -> dict:
    identity, rules, verdict, threads = key
    base = taken["nothing", 0, "allowed", threads]
    made = {"identity": identity, "rules": rules, "verdict": verdict, "threads": threads}
    for name in PERCENTILES[:3]:
        made[name] = stats.quartiles([sample[name] for sample in taken[key]])
    made["max"] = max(sample["max"] for sample in taken[key])
    made["added"] = {name: stats.paired_difference([s[name] for s in taken[key]], [s[name] for s in base]) for name in PERCENTILES[:3]}
    return made


class Program:
    """Of a guard's hook, by the kernel's own statistics."""

    def __init__(self, guard: Guard, name: str):
        self.id = bpftool("link", "show", "pinned", guard.pinned(f"link_{name}"))["prog_id"]

    def read(self) -> tuple[int, int]:
        shown = bpftool("prog", "show", "id", self.id)
        return shown.get("run_time_ns", 0), shown.get("run_cnt", 0)


def program_time(lab: Lab, identity: str, rules: int, verdict: str) -> float:
    """Mean nanoseconds in guard_connect4 per call."""
    with Guard(lab, policy(rules, identity, caller_of(identity, lab, True)[0])).loaded() as guard, statistics_of_programs():
        program = Program(guard, "guard_connect4")
        time_before, runs_before = program.read()
        one(lab, identity, verdict, 1)
        time_after, runs_after = program.read()
    return (time_after - time_before) / (runs_after - runs_before)


def growth(rows: list[dict], verdict: str) -> float:
    """Exponent of the p99 by the number of rules, over all identities."""
    chosen = [r for r in rows if r["verdict"] == verdict and r["rules"] and r["threads"] == 1]
    return stats.exponent([r["rules"] for r in chosen], [r["p99"]["median"] for r in chosen])


def measure(lab: Lab, rounds: int) -> dict:
    taken: dict[tuple, list[dict]] = {}
    for number in range(max(1, rounds // 3)):  # 20,000 calls each are many already
        measure_round(lab, number, taken)
        note(f"decision: round {number + 1}")
    rows = [row(key, taken) for key in taken]
    cases = [(identity, rules) for identity in IDENTITIES for rules in RULES if identity == "user" or rules in RULES[::5]]
    times = [{"identity": identity, "rules": rules, "verdict": verdict, "ns": program_time(lab, identity, rules, verdict)}
             for identity, rules in cases for verdict in ("allowed", "denied")]
    return {"calls": CALLS, "rows": rows, "program": times, "exponent": {v: growth(rows, v) for v in ("allowed", "denied")}}
