# SPDX-License-Identifier: Apache-2.0
"""The completion for bash is what its generator writes from the program's --help (--fix writes it)."""
import subprocess
import sys
from pathlib import Path

from tree import Case, Finding, SkipCheck, Tree

GENERATOR = "packaging/completion/generate.py"
COMPLETION = "packaging/completion/hostward.bash"
TIMEOUT_S = 60


def program(tree: Tree) -> Path:
    for path in (tree.root / "stand-in/hostward", *([tree.build / "hostward"] if tree.build else [])):
        if path.exists():
            return path
    raise SkipCheck("build/*/hostward is not built")


def generated(tree: Tree) -> subprocess.CompletedProcess:
    command = [sys.executable, "-B", tree.root / GENERATOR, program(tree)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)


def fix(tree: Tree) -> list[str]:
    (tree.root / COMPLETION).write_text(generated(tree).stdout)
    return [COMPLETION]


def run(tree: Tree) -> list[Finding]:
    done = generated(tree)
    if done.returncode != 0:
        return [Finding(GENERATOR, 1, f"failed: {done.stderr.strip().splitlines()[-1]}")]
    tree.checked += 1
    have, want = tree.text(COMPLETION).splitlines(), done.stdout.splitlines()
    for number, (old, new) in enumerate(zip(have + [""] * len(want), want + [""] * len(have)), 1):
        if old != new:
            return [Finding(COMPLETION, number, f"not what --help says: {new.strip() or 'nothing more'}")]
    return []


_PROGRAM = """#!/bin/sh
case "$*" in
--help) printf 'x\\nCommands:\\n  check    y\\n' ;;
'check --help') printf 'Options:\\n  -h,--help  z\\n  --root DIR  z\\n' ;;
esac
"""


def _case(title, expect, line):
    files = {COMPLETION: "", "stand-in/hostward": _PROGRAM.replace("--root", line)}
    return Case(title, files, expect, copy=[GENERATOR], executable=["stand-in/hostward"])


CASES = [
    _case("an option that is not completed", "not what --help says", "--other"),
    _case("a program without help", "failed|not what --help says", "'; exit 1; '"),
]
