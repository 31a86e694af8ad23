#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Filter for CTest's output: passes it on, then lists every skip with its reason, then prints the totals last.

Usage: ctest --test-dir build/all | tests/report.py [--log LastTest.log] [--expected FILE] [--kernel RELEASE]

Exit code 1 when a skip is not in tests/expected_skips.txt: a test that silently stops running is a failure.
"""
import argparse
import fnmatch
import os
import re
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOTALS_BEGIN = re.compile(r"^\d+% tests passed")
TOTALS_END = re.compile(r"^Total Test time")
NOT_RUN = re.compile(r"^\s*\d+ - (\S+) \((Skipped|Disabled|Not Run)\)$")
LOG_TEST = re.compile(r"^\d+/\d+ Testing: (\S+)$")
GTEST_SKIP = re.compile(r"^\[  SKIPPED \] (\S+) \(\d+ ms\)$")
GTEST_REASON = re.compile(r"^\S+:\d+: Skipped$")
SKIP_LINE = re.compile(r"^SKIP: (.+)$")
RESULT = re.compile(r"^\s*\d+/\d+ Test\s+#\d+: ")
START = re.compile(r"^\s*Start\s+\d+: ")
NO_REASON = "no reason given"
# What a failed assertion or sanitizer says in one line, by GoogleTest, Python and the sanitizers.
WHY = re.compile(r"^(?:\w*(?:Error|Lost)\b.*|\S+: Failure|SUMMARY: .*|story\.py: .*)$")
WHY_LINES = 5
FAILURE_LINES = 100  # the end of a failed test's output; all of it is in CTest's log


@dataclass(frozen=True)
class Skip:
    test: str  # CTest name, with the GoogleTest case behind a colon
    reason: str


@dataclass
class Expected:
    kernel: str
    test: str
    reason: re.Pattern
    why: str
    line: int
    used: bool = False

    def accepts(self, skip: Skip) -> bool:
        return fnmatch.fnmatchcase(skip.test, self.test) and bool(self.reason.search(skip.reason))


def read_expected(path: Path) -> list[Expected]:
    """Lines `kernel release glob | test glob | reason regex | why it is accepted`."""
    entries = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split(" | ")]
        if len(fields) != 4 or not all(fields):
            sys.exit(f"{path}:{number}: need `kernel | test | reason | why`, four fields, none empty")
        entries.append(Expected(fields[0], fields[1], re.compile(fields[2]), fields[3], number))
    return entries


def skips_of(test: str, output: list[str]) -> list[Skip]:
    """What one test's output says was skipped."""
    found = []
    reason: list[str] = []
    collecting = False
    for line in output:
        case = GTEST_SKIP.match(line)
        plain = SKIP_LINE.match(line)
        if case:
            found.append(Skip(f"{test}:{case.group(1)}", " ".join(reason).strip() or NO_REASON))
            reason, collecting = [], False
        elif GTEST_REASON.match(line):
            reason, collecting = [], True
        elif collecting and not line.startswith("["):
            reason.append(line.strip())
        elif plain:
            found.append(Skip(test, plain.group(1)))
    return found


def read_log(path: Path) -> dict[str, list[str]]:
    """Output of every test by its name, from CTest's log."""
    outputs: dict[str, list[str]] = {}
    name = ""
    for line in path.read_text(errors="replace").splitlines():
        start = LOG_TEST.match(line)
        if start:
            name = start.group(1)
            outputs[name] = []
        elif name:
            outputs[name].append(line)
    return outputs


def all_skips(log: Path, not_run: list[tuple[str, str]]) -> list[Skip]:
    outputs = read_log(log)
    skips = [skip for test, output in outputs.items() for skip in skips_of(test, output)]
    named = {skip.test.split(":")[0] for skip in skips}
    skips += [Skip(test, f"{state}: {NO_REASON}") for test, state in not_run if test not in named]
    return skips


def print_skips(skips: list[Skip], expected: list[Expected]) -> int:
    """Prints every skip; returns how many nobody expected."""
    unexpected = 0
    print(f"\nSkipped: {len(skips)}")
    for skip in sorted(skips, key=lambda s: (s.test, s.reason)):
        entry = next((e for e in expected if e.accepts(skip)), None)
        if entry:
            entry.used = True
            print(f"  expected    {skip.test}: {skip.reason} [{entry.why}]")
        else:
            unexpected += 1
            print(f"  UNEXPECTED  {skip.test}: {skip.reason}")
    if unexpected:
        print(f"FAILED: {unexpected} skips that tests/expected_skips.txt does not accept on this machine")
    return unexpected


class Failure:
    """The output of a failed test while it comes: printed from its end, so that one failure does not hide the next."""

    def __init__(self):
        self._lines: deque[str] = deque(maxlen=FAILURE_LINES)
        self._count = 0

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._count += 1

    def print(self) -> None:
        if self._count > FAILURE_LINES:
            print(f"(the first {self._count - FAILURE_LINES} lines are in CTest's log)")
        for line in self._lines:
            print(line)
        # Once more behind a long output, where whoever reads its end finds it.
        for line in [line for line in self._lines if WHY.match(line)][-WHY_LINES:]:
            print(f"why: {line}")
        sys.stdout.flush()
        self.__init__()


def pass_through(stream) -> tuple[list[str], list[tuple[str, str]]]:
    """Prints CTest's output as it comes; keeps the totals and the tests that did not run."""
    totals: list[str] = []
    not_run: list[tuple[str, str]] = []
    holding = False
    failure = Failure()
    for line in stream:
        line = line.rstrip("\n")
        state = NOT_RUN.match(line)
        if state:
            not_run.append((state.group(1), state.group(2)))
        holding = holding or bool(TOTALS_BEGIN.match(line))
        ctests_own = holding or RESULT.match(line) or START.match(line)
        if ctests_own:
            failure.print()
        if holding:
            totals.append(line)
            holding = not TOTALS_END.match(line)
        elif ctests_own:
            print(line, flush=True)
        else:
            failure.add(line)
    failure.print()
    return totals, not_run


def main() -> int:
    parser = argparse.ArgumentParser(description="skip report behind CTest")
    parser.add_argument("--log", type=Path, default=HERE.parent / "build/all/Testing/Temporary/LastTest.log")
    parser.add_argument("--expected", type=Path, default=HERE / "expected_skips.txt")
    parser.add_argument("--kernel", default=os.uname().release)
    options = parser.parse_args()
    expected = [e for e in read_expected(options.expected) if fnmatch.fnmatchcase(options.kernel, e.kernel)]
    totals, not_run = pass_through(sys.stdin)
    if not totals or not options.log.exists():
        print("FAILED: CTest printed no totals or wrote no log", flush=True)
        return 1
    unexpected = print_skips(all_skips(options.log, not_run), expected)
    print()
    print("\n".join(totals), flush=True)
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
