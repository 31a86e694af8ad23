#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures `hostward check` beside the tools people use, on one host in one run.

The host is a Debian 12 root of its own (fetch_root.sh) in namespaces of its own: run.sh starts this inside them. All commands
run in it as root, in turns, so that what disturbs the machine disturbs them alike. Printed are medians with the
quartiles, and ratios to hostward in the same rounds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from render import tables

CONTENT = "/usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml"
PROFILE = "xccdf_org.ssgproject.content_profile_cis_level2_server"
KILLED = 128 + 9  # as measure.cpp tells it
HOSTWARD = ["/bench/hostward", "check", "--library", "/bench/hardening", "--profile", "cis-debian-12", "--level", "2", "--format", "json"]
FIND = ["/usr/bin/find", "/", "-xdev", "(", "-perm", "-0002", "-o", "-perm", "/6000", "-o", "-nouser", "-o", "-nogroup", ")"]


@dataclass
class Subject:
    name: str
    host: str  # "plain" or "big"
    command: list
    rounds: int
    codes: tuple = (0,)


@dataclass
class Sample:
    wall_s: float
    cpu_s: float
    peak_mib: float
    is_ended: bool  # by the limit: it takes longer


def subjects(options) -> list[Subject]:
    few, many = options.peer_rounds, options.rounds
    found = []
    for host in ("plain", "big"):
        found += [
            Subject("hostward, without sweep", host, [*HOSTWARD, "--no-sweep"], many, (0, 10)),
            Subject("hostward, all rules", host, HOSTWARD, many, (0, 10)),
            Subject("bare getdents64 + statx, 1 thread", host, ["/bench/walk_floor", "/"], many),
            Subject("find, the sweep alone", host, FIND, many),
            Subject("Lynis, all tests", host, ["/usr/sbin/lynis", "audit", "system", "--quiet", "--no-colors"], few, (0, 78)),
            Subject("OpenSCAP, CIS level 2", host, ["/usr/bin/oscap", "xccdf", "eval", "--profile", PROFILE, CONTENT], few, (0, 2)),
        ]
    return [s for s in found if s.rounds > 0]


def run_once(subject: Subject, root: Path, limit_s: int) -> Sample:
    """Wall clock, CPU of all its processes, and peak memory of the largest of them, as wait4(2) says."""
    command = [root / "bench/measure", str(limit_s), root, *subject.command]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    code, wall, cpu, peak_kib = done.stdout.split()
    is_ended = int(code) == KILLED and float(wall) >= limit_s
    if int(code) not in subject.codes and not is_ended:
        raise SystemExit(f"{subject.name}: exit code {code}: {done.stderr[-500:]}")
    return Sample(float(wall), float(cpu), int(peak_kib) / 1024, is_ended)


def measure(options, root: Path) -> dict:
    """One round runs every subject that still has rounds to go; the plain host is the big one without /srv/files."""
    samples: dict[tuple, list[Sample]] = {}
    for host in ("plain", "big"):
        if host == "plain":
            subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "empty", root / "srv"], check=True)
        these = [s for s in subjects(options) if s.host == host]
        for subject in these:
            if subject.rounds == options.rounds:
                run_once(subject, root, options.limit)  # warms the caches, not counted
        for number in range(max(s.rounds for s in these)):
            for subject in these:
                if number < subject.rounds:
                    samples.setdefault((host, subject.name), []).append(run_once(subject, root, options.limit))
                    print(f"bench: {host}, round {number + 1}: {subject.name}: {samples[host, subject.name][-1]}", file=sys.stderr)
        if host == "plain":
            subprocess.run(["/usr/bin/umount", root / "srv"], check=True)
    return samples


def spread(values: list[float]) -> dict:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": middle, "low": low, "high": high}


def result(samples: dict, root: Path, floor: dict) -> dict:
    rows = []
    for (host, name), taken in samples.items():
        rows.append({"host": host, "subject": name, "runs": len(taken), "wall_s": spread([s.wall_s for s in taken]),
                     "is_ended": any(s.is_ended for s in taken), "cpu_s": spread([s.cpu_s for s in taken]), "peak_mib": max(s.peak_mib for s in taken)})
    versions = {"content": (root / "etc/bench-content-version").read_text().strip()}
    for package in ("openscap-scanner", "lynis", "findutils"):
        asked = subprocess.run(["/usr/sbin/chroot", root, "/usr/bin/dpkg-query", "-W", "-f", "${Version}", package],
                               capture_output=True, text=True, check=True)
        versions[package] = asked.stdout
    return {"machine": machine(), "entries": floor, "versions": versions, "rows": rows}


def machine() -> dict:
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // (1 << 20)
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": memory, "kernel": os.uname().release}


def count_entries(root: Path) -> dict:
    def count() -> int:
        done = subprocess.run(["/usr/sbin/chroot", root, "/bench/walk_floor", "/"], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[0])
    big = count()
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "empty", root / "srv"], check=True)
    plain = count()
    subprocess.run(["/usr/bin/umount", root / "srv"], check=True)
    return {"plain": plain, "big": big}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15, help="of hostward, find and the bare walk (default: 15)")
    parser.add_argument("--peer-rounds", type=int, default=1, help="of OpenSCAP and Lynis; 0 leaves them out (default: 1)")
    parser.add_argument("--limit", type=int, default=1800, help="seconds for one run, which is then ended and shown as longer (default: 1800)")
    parser.add_argument("--json", type=Path, help="write the result here")
    options = parser.parse_args()
    floor = count_entries(options.root)
    found = result(measure(options, options.root), options.root, floor)
    text = json.dumps(found, indent=2) + "\n"
    if options.json:
        options.json.write_text(text)
    print(tables(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
