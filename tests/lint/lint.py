#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one check of tests/lint/checks over the tree, or the check's own self-test.

Usage: tests/lint/lint.py [--root DIR] [--build DIR] [--self-test | --fix] CHECK

A check is a module with `run(tree) -> list[Finding]` and `CASES`. The self-test writes each case's files into
an empty folder and runs the check there: a planted violation must be found, a clean case must stay clean.
A check that looked at no file at all fails: it would pass for ever.
"""
import argparse
import importlib
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tree import SkipCheck, Tree  # noqa: E402

SKIP_EXIT = 77


def report(findings) -> None:
    for finding in sorted(findings, key=lambda f: (f.path, f.line, f.text)):
        print(f"{finding.path}:{finding.line}: {finding.text}")


def run_check(check, tree: Tree) -> int:
    findings = check.run(tree)
    report(findings)
    if tree.checked == 0:
        print("FAILED: the check looked at nothing")
        return 1
    print(f"{tree.checked} checked, {len(findings)} findings")
    return 1 if findings else 0


def judge_case(case, findings) -> str:
    """Why the case failed, or nothing."""
    if case.expect is None:
        return f"clean case gave findings: {[f.text for f in findings]}" if findings else ""
    hits = [f for f in findings if re.search(case.expect, f.text)]
    return "" if hits else f"not found: /{case.expect}/ among {[f.text for f in findings]}"


def self_test(check, root: Path, build: Path | None) -> int:
    failures = 0
    planted = 0
    for case in check.CASES:
        with tempfile.TemporaryDirectory(prefix="hostward-lint-") as folder:
            for name, text in case.files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            for name in case.executable:
                (Path(folder) / name).chmod(0o755)
            for name in case.copy:
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes((root / name).read_bytes())
            why = judge_case(case, check.run(Tree(Path(folder), build)))
        planted += case.expect is not None
        failures += bool(why)
        print(f"{'FAILED' if why else 'ok'}: {case.title}{': ' + why if why else ''}")
    if planted == 0:
        print("FAILED: no planted violation in CASES")
        return 1
    return 1 if failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="one lint check")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--fix", action="store_true", help="mend what the check can mend (includes)")
    parser.add_argument("check")
    options = parser.parse_args()
    check = importlib.import_module(f"checks.{options.check}")
    try:
        if options.fix:
            print("\n".join(check.fix(Tree(options.root, options.build))))
            return 0
        if options.self_test:
            return self_test(check, options.root, options.build)
        return run_check(check, Tree(options.root, options.build))
    except SkipCheck as skip:
        print(f"SKIP: {skip}")
        return SKIP_EXIT


if __name__ == "__main__":
    sys.exit(main())
