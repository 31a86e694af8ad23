#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures `hostward check` beside the tools people use, on one host in one run.

The host is a Debian 12 of its own (fetch_root.sh) in namespaces of its own: run.sh starts this inside them. All commands
run in it as root, in turns, so that what disturbs the machine disturbs them alike.
"""
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "common"))

import machine  # noqa: E402
import record  # noqa: E402
import stats  # noqa: E402
from host import FIND, HOSTWARD, THREADS, Host, Sample, Subject, bare_walk, call  # noqa: E402
from render import OURS, tables  # noqa: E402

CONTENT = "/usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml"
PROFILE = "xccdf_org.ssgproject.content_profile_cis_level2_server"
COLD_ROUNDS_MAX = 5
# Our sweep and the cheapest walk there is, with as many threads.
SWEEPS = {1: ("hostward, the sweep alone, 1 thread", "bare getdents64 + statx, 1 thread"),
          THREADS: (f"hostward, the sweep alone, {THREADS} threads", f"bare getdents64 + statx, {THREADS} threads")}
SUBJECTS = [
    Subject("hostward, without sweep", [*HOSTWARD, "--no-sweep"], (0, 10)),
    Subject(OURS, HOSTWARD, (0, 10)),
    *(Subject(ours, ["/bench/sweep_bench", str(threads)]) for threads, (ours, _) in SWEEPS.items()),
    *(Subject(floor, bare_walk(threads)) for threads, (_, floor) in SWEEPS.items()),
    Subject("find, the sweep alone", FIND),
]
PEERS = [
    Subject("Lynis, all tests", ["/usr/sbin/lynis", "audit", "system", "--quiet", "--no-colors"], (0, 78)),
    Subject("OpenSCAP, CIS level 2", ["/usr/bin/oscap", "xccdf", "eval", "--profile", PROFILE, CONTENT], (0, 2)),
]
COLD = ("hostward, without sweep", OURS, SWEEPS[THREADS][1], "find, the sweep alone")


@dataclass
class Taken:
    """Samples of one subject, by round."""
    subject: Subject
    samples: list[Sample]


def in_rounds(host: Host, subjects: list[Subject], rounds: int, limit_s: int, is_cold: bool) -> list[Taken]:
    taken = {subject.name: Taken(subject, []) for subject in subjects}
    for number in range(rounds):
        for subject in stats.in_turns(subjects, number):
            if is_cold:
                host.cool()
            sample = host.run(subject, limit_s)
            taken[subject.name].samples.append(sample)
            print(f"bench: round {number + 1}, {'cold' if is_cold else 'warm'}: {subject.name}: {sample}", file=sys.stderr)
    return list(taken.values())


def warmed(host: Host, options) -> list[Taken]:
    for subject in SUBJECTS:
        host.run(subject, options.limit)  # not counted
    return [*in_rounds(host, SUBJECTS, options.rounds, options.limit, False),
            *in_rounds(host, PEERS, options.peer_rounds, options.limit, False)]


def row(each: Taken, ours: Taken) -> dict:
    samples, paired = each.samples, ours.samples[:len(each.samples)]
    walls = [s.wall_s for s in samples[:len(paired)]]
    return {"subject": each.subject.name, "is_ended": any(s.is_ended for s in samples), "peak_mib": max(s.peak_mib for s in samples),
            "wall_s": stats.quartiles([s.wall_s for s in samples]), "cpu_s": stats.quartiles([s.cpu_s for s in samples]),
            "ratio": stats.paired_ratio(walls, [s.wall_s for s in paired])}


def rows(taken: list[Taken]) -> list[dict]:
    ours = next(each for each in taken if each.subject.name == OURS)
    return [row(each, ours) for each in taken if each.samples]


def against_floor(taken: list[Taken]) -> dict:
    """Our sweep beside the fastest bare walk of the same round with at most as many threads: two are not always faster."""
    walls = {each.subject.name: [s.wall_s for s in each.samples] for each in taken}
    fastest = {threads: [min(each) for each in zip(*(walls[floor] for other, (_, floor) in SWEEPS.items() if other <= threads))]
               for threads in SWEEPS}
    return {str(threads): stats.paired_ratio(walls[ours], fastest[threads]) for threads, (ours, _) in SWEEPS.items()}


def measured(image: Path, options) -> dict:
    with Host(image) as host:
        warm = warmed(host, options)
        cold = in_rounds(host, [s for s in SUBJECTS if s.name in COLD], min(options.rounds, COLD_ROUNDS_MAX), options.limit, True)
        return {"entries": host.entries(), "warm": rows(warm), "cold": rows(cold), "against_floor": against_floor(warm)}


def versions(image: Path) -> dict:
    with Host(image) as host:
        content = (host.root / "etc/bench-content-version").read_text().strip()
        return {"content": content, **machine.versions("openscap-scanner", "lynis", "findutils", root=host.root)}


def make_interface() -> None:
    """OpenSCAP ends with an error on a host without a configured one."""
    call("/usr/sbin/ip", "link", "set", "lo", "up")
    call("/usr/sbin/ip", "link", "add", "bench0", "type", "veth", "peer", "name", "bench1")
    call("/usr/sbin/ip", "address", "add", "192.0.2.1/24", "dev", "bench0")
    call("/usr/sbin/ip", "link", "set", "bench0", "up")


def main() -> int:
    parser = record.parser(__doc__, 15)
    parser.add_argument("--plain", type=Path, required=True, help="image of the plain host")
    parser.add_argument("--big", type=Path, required=True, help="image of the one with many files")
    parser.add_argument("--peer-rounds", type=int, default=1, help="of OpenSCAP and Lynis; 0 leaves them out (default: 1)")
    parser.add_argument("--limit", type=int, default=1800, help="seconds for one run, which is then ended and shown as longer (default: 1800)")
    options = parser.parse_args()
    make_interface()
    found = {"machine": machine.machine(), "versions": versions(options.plain),
             "hosts": [measured(image, options) for image in (options.plain, options.big)]}
    if options.json:
        record.write(options.json, found)
    print(tables(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
