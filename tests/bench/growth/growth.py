#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the cost of `hostward check` grows with the files, the users and the findings of a host."""
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in ("common", "check", "instructions"):
    sys.path.insert(1, str(HERE.parent / folder))

import fixture  # noqa: E402
import machine  # noqa: E402
import record  # noqa: E402
import stats  # noqa: E402
from fill import fill  # noqa: E402
from host import BUILT, FIND, HOSTWARD, SOURCE, THREADS, Host, Sample, Subject, bare_walk, sample_of  # noqa: E402
from render import tables  # noqa: E402

FILES = (0, 1_000, 10_000, 100_000, 500_000, 1_000_000, 2_000_000)
USERS = (10, 100, 1_000, 10_000)
FINDINGS = (0, 10, 100, 1_000, 10_000)
LIMIT_S = 300
SLOW_S = 5  # what takes longer runs less often
SLOW_ROUNDS = 2
SUBJECTS = [Subject("hostward, all rules", HOSTWARD, (0, 10)), Subject(f"bare walk, {THREADS} threads", bare_walk(THREADS)),
            Subject("find", FIND)]


def point(size: int, samples: dict[str, list[Sample]]) -> dict:
    """The costs of one size; pure."""
    return {"size": size, "costs": {name: {"wall_s": stats.quartiles([s.wall_s for s in taken]), "peak_mib": max(s.peak_mib for s in taken)}
                                    for name, taken in samples.items()}}


def one_size(host: Host, rounds: int) -> dict[str, list[Sample]]:
    first = {subject.name: host.run(subject, LIMIT_S) for subject in SUBJECTS}  # warms the caches, not counted
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in SUBJECTS}
    for number in range(rounds):
        for subject in stats.in_turns(SUBJECTS, number):
            if number < SLOW_ROUNDS or first[subject.name].wall_s < SLOW_S:
                samples[subject.name].append(host.run(subject, LIMIT_S))
    return samples


def by_files(image: Path, rounds: int) -> Iterator[dict]:
    with Host(image) as host:
        for before, size in zip((0, *FILES), FILES):
            fill(host.root / "srv/files", before, size)
            yield point(host.entries(), one_size(host, rounds))
            print(f"bench: {size} files", file=sys.stderr)


def check_of(root: Path, *options: str) -> Subject:
    command = [BUILT / "hostward", "check", "--library", SOURCE / "hardening", "--profile", "cis-debian-12", "--format", "json", "--root", root]
    return Subject("hostward", [str(one) for one in (*command, *options)], (0, 10))


def run_here(subject: Subject) -> Sample:
    done = subprocess.run([BUILT / "measure", str(LIMIT_S), "/", *subject.command], capture_output=True, text=True, check=True)
    return sample_of(subject, done.stdout, done.stderr, LIMIT_S)


def made(root: Path, users: int, findings: int) -> None:
    fixture.make(root, users=users, files=0)
    fill(root / "srv/files", 0, findings)
    for path in (root / "srv").rglob("*.dat"):
        path.chmod(0o666)


def by_fixture(sizes: tuple[int, ...], rounds: int, what: str, *options: str) -> Iterator[dict]:
    """Of a small host's image that has more and more of one thing."""
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="hostward-growth-", dir="/var/tmp") as folder:
            made(Path(folder), **{"users": 10, "findings": 0, what: size})
            subject = check_of(Path(folder), *options)
            run_here(subject)
            yield point(size, {subject.name: [run_here(subject) for _ in range(rounds)]})


def main() -> int:
    parser = record.parser(__doc__, 5)
    parser.add_argument("--image", type=Path, required=True, help="of a host that may be filled")
    options = parser.parse_args()
    found = {"machine": machine.machine(), "users": list(by_fixture(USERS, options.rounds, "users", "--no-sweep")),
             "findings": list(by_fixture(FINDINGS, options.rounds, "findings")), "files": list(by_files(options.image, options.rounds))}
    if options.json:
        record.write(options.json, found)
    print(tables(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
