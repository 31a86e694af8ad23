# SPDX-License-Identifier: Apache-2.0
"""Man pages render without a warning and have the sections that every page needs."""
import re
import shutil
import subprocess

from tree import Case, Finding, SkipCheck, Tree

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"]
PATTERNS = tuple(f"*.{section}" for section in (1, 5, 7, 8))


def check_page(tree: Tree, name: str) -> list[Finding]:
    command = ["man", "--warnings=w", "--encoding=UTF-8", "--local-file", name]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    findings = [Finding(name, 1, f"man: {line}") for line in done.stderr.splitlines() if line.strip()]
    if done.returncode != 0:
        findings.append(Finding(name, 1, f"man ended with {done.returncode}"))
    rendered = re.sub(r".\x08", "", done.stdout)
    for section in SECTIONS:
        if not re.search(rf"^{section}$", rendered, re.M):
            findings.append(Finding(name, 1, f"section {section} is missing"))
    return findings


def run(tree: Tree) -> list[Finding]:
    if not shutil.which("man"):
        raise SkipCheck("man is not installed")
    return [f for name in tree.files(*PATTERNS, under=("docs/man/",)) for f in check_page(tree, name)]


_PAGE = ".TH A 8\n.SH NAME\na \\- b\n.SH SYNOPSIS\na\n.SH DESCRIPTION\ntext\n.SH SEE ALSO\n.BR b (8)\n"
CASES = [
    Case("clean page", {"docs/man/a.8": _PAGE}),
    Case("unknown macro", {"docs/man/a.8": _PAGE + ".XYZ\n"}, "man: .*XYZ"),
    Case("missing section", {"docs/man/a.8": _PAGE.replace("SEE ALSO", "OTHER")}, "SEE ALSO is missing"),
]
