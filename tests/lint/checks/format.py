# SPDX-License-Identifier: Apache-2.0
"""C++ is laid out as clang-format 14 does it. The kernel side (ebpf/) keeps the kernel's own style."""
import re
import shutil
import subprocess

from tree import Case, Finding, SkipCheck, Tree

WARNING = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning): (.+)$")


def run(tree: Tree) -> list[Finding]:
    if not shutil.which("clang-format-14"):
        raise SkipCheck("clang-format-14 is not installed")
    names = tree.files("*.cpp", "*.h", under=("agent/", "hardening/", "tests/"))
    if not names:
        return []
    done = subprocess.run(["clang-format-14", "--dry-run", *names], cwd=tree.root, capture_output=True, text=True, check=False)
    findings = {}
    for line in done.stderr.splitlines():
        match = WARNING.match(line)
        if match:
            findings.setdefault(match.group(1), Finding(match.group(1), int(match.group(2)), match.group(3)))
    if done.returncode != 0 and not findings:
        return [Finding(".clang-format", 1, done.stderr.strip())]
    return list(findings.values())


CASES = [
    Case("formatted", {"agent/a.cpp": "int f()\n{\n    g();\n    return 1;\n}\n"}, None, [".clang-format"]),
    Case("brace on the wrong line", {"agent/a.cpp": "int f() {\n    g();\n    return 1;\n}\n"}, "clang-format", [".clang-format"]),
    Case("tabs", {"tests/a.h": "struct A {\n\tint x;\n};\n"}, "clang-format", [".clang-format"]),
]
