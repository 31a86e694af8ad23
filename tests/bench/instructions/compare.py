#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the instructions of hostward's work on fixed inputs to the counts in expected.json.

Usage: compare.py --program FIXED_WORK --compiler NAME [--update | --selftest]

More than the tolerance above is a slowdown: make it faster, or say in the commit why it is worth it and --update. More than
the tolerance below is an improvement that --update keeps. Counts are those of one compiler: another one is a skip.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fixture
from callgrind import Counts, read_counts

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parents[2] / "hardening"
EXPECTED = HERE / "expected.json"
TOLERANCE_PERCENT = 3
TIMES = 3
SELFTEST_TIMES = 10  # one more is a tenth more
SKIPPED = 77
VALGRIND = "/usr/bin/valgrind"


def count(program: Path, name: str, times: int, root: Path) -> Counts:
    """Of one work; addresses, environment and time are the same in every run."""
    with tempfile.TemporaryDirectory(prefix="hostward-count-") as folder:
        found = Path(folder) / "callgrind.out"
        command = ["/usr/bin/setarch", "-R", VALGRIND, "--tool=callgrind", "--instr-atstart=no", "--dump-line=no",
                   f"--callgrind-out-file={found}", str(program), name, str(times), str(root), str(LIBRARY), folder]
        done = subprocess.run(command, env={"LC_ALL": "C"}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{name}: exit code {done.returncode}: {done.stderr[-800:]}")
        return read_counts(found.read_text(), str(program))


def count_all(program: Path, names: list[str], times: int) -> dict[str, Counts]:
    with tempfile.TemporaryDirectory(prefix="hostward-fixture-") as folder:
        fixture.make(Path(folder))
        with ThreadPoolExecutor(2) as pool:
            counted = pool.map(lambda name: count(program, name, times, Path(folder)), names)
            return dict(zip(names, counted))


def change(expected: int, found: int) -> float:
    return (found - expected) / expected * 100 if expected else float(found != 0) * 100


def complaints(expected: dict[str, Counts], found: dict[str, Counts]) -> list[str]:
    """What is not as it was; pure."""
    said = [f"{name}: has no expected counts" for name in found if name not in expected]
    said += [f"{name}: is expected, and there is no such work" for name in expected if name not in found]
    for name in sorted(set(expected) & set(found)):
        for what in ("instructions", "library_calls"):
            was, now = getattr(expected[name], what), getattr(found[name], what)
            percent = change(was, now)
            if abs(percent) > TOLERANCE_PERCENT:
                said.append(f"{name}: {now:,} {what.replace('_', ' ')} where {was:,} are expected: {percent:+.1f} %, "
                            + ("slower" if percent > 0 else "faster: keep that"))
    return said


def read_expected() -> tuple[str, dict[str, Counts]]:
    kept = json.loads(EXPECTED.read_text())
    return kept["compiler"], {name: Counts(**counts) for name, counts in kept["works"].items()}


def update(compiler: str, found: dict[str, Counts]) -> None:
    works = {name: {"instructions": one.instructions, "library_calls": one.library_calls} for name, one in sorted(found.items())}
    EXPECTED.write_text(json.dumps({"compiler": compiler, "times": TIMES, "works": works}, indent=2) + "\n")


def selftest(program: Path) -> int:
    """The same twice; a tenth more work is seen, and a tenth less."""
    name = "decide"
    tried = (SELFTEST_TIMES + more for more in (0, 0, 1, -1))
    base, again, slower, faster = (count_all(program, [name], times) for times in tried)
    wrong = []
    if complaints(base, again):
        wrong.append(f"two runs differ: {base} and {again}")
    for planted, word in ((slower, "slower"), (faster, "faster")):
        said = complaints(base, planted)
        if len(said) != 2 or not all(word in one for one in said):
            wrong.append(f"a tenth {word} is not seen: {base} and {planted}: {said}")
    print("\n".join(wrong) or f"seen: {complaints(base, slower)[0]}")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--compiler", required=True, help="name, version and target of what built it")
    parser.add_argument("--update", action="store_true", help="write expected.json")
    parser.add_argument("--selftest", action="store_true", help="see that a planted slowdown is found")
    options = parser.parse_args()
    program = options.program.resolve()
    if options.selftest:
        return selftest(program)
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    if options.update:
        update(options.compiler, count_all(program, names, TIMES))
        return 0
    compiler, expected = read_expected()
    if compiler != options.compiler:
        print(f"SKIP: the counts are those of {compiler}, and this is built by {options.compiler}")
        return SKIPPED
    found = count_all(program, names, TIMES)
    said = complaints(expected, found)
    for name, one in found.items():
        print(f"{name}: {one.instructions:,} instructions, {one.library_calls:,} library calls")
    if said:
        print("\n".join(said), "\ncompare.py --update writes what is counted now", sep="")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
