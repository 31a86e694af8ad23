# SPDX-License-Identifier: Apache-2.0
"""Links in the documents lead to files and headings that exist; paths in backticks exist."""
import re
from pathlib import PurePosixPath

from tree import Case, Finding, Tree

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$")
# Paths of the repository as documents quote them: `tests/run.sh`, `agent/base/result.h`.
QUOTED_PATH = re.compile(r"`((?:agent|ebpf|tests|docs|packaging|hardening)/[\w./-]+)`")


def anchors(tree: Tree, name: str) -> set[str]:
    found = set()
    for line in tree.lines(name):
        heading = HEADING.match(line)
        if heading:
            text = re.sub(r"[^\w\s-]", "", heading.group(1).lower().replace("`", ""))
            found.add(re.sub(r"\s", "-", text))
    return found


def resolve(name: str, target: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(name).parent.parts, *PurePosixPath(target).parts):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def check_link(tree: Tree, name: str, target: str) -> str | None:
    if re.match(r"^[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = resolve(name, path) if path else name
    if not (tree.root / file).exists():
        return f"link to {target}: no such file"
    if anchor and file.endswith(".md") and anchor not in anchors(tree, file):
        return f"link to {target}: no such heading"
    return None


def run(tree: Tree) -> list[Finding]:
    findings = []
    for name in tree.files("*.md"):
        for number, line in enumerate(tree.lines(name), 1):
            problems = [check_link(tree, name, target) for target in LINK.findall(line)]
            problems += [f"{path} does not exist" for path in QUOTED_PATH.findall(line)
                         if not (tree.root / path.rstrip("/.")).exists()]
            findings += [Finding(name, number, problem) for problem in problems if problem]
    return findings


CASES = [
    Case("good links", {"README.md": "# A b\n[x](docs/a.md#c-d) [y](#a-b) `docs/a.md`\n", "docs/a.md": "## C d\n[up](../README.md)\n"}),
    Case("missing file", {"README.md": "[x](docs/none.md)\n"}, "no such file"),
    Case("missing heading", {"README.md": "[x](#none)\n"}, "no such heading"),
    Case("missing quoted path", {"README.md": "see `tests/none.sh`\n"}, "does not exist"),
]
