# SPDX-License-Identifier: Apache-2.0
"""Headers start with `#pragma once`; includes stand in the order own header, project, third party, system, std."""
import re

from checks.layers import third_party_of
from tree import Case, Finding, Tree

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
KINDS = ["own header", "project", "third party", "system", "standard library"]


def kind_of(name: str, quote: str, header: str) -> int:
    stem = re.sub(r"(_test)?\.(bpf\.)?\w+$", "", name)
    if quote == '"':
        header_stem = header.rsplit(".", 1)[0]
        own = stem.endswith(header_stem.split("/", 1)[-1]) and stem.split("/")[-1] == header_stem.split("/")[-1]
        return 0 if own and not name.endswith(".h") else 1
    if third_party_of(header) or "/skel/" in header:
        return 2
    return 3 if header.endswith(".h") or "/" in header else 4


def check_order(tree: Tree, name: str) -> list[Finding]:
    """Within a file the kinds may only rise. Includes inside #if blocks stand where the condition needs them."""
    findings = []
    highest = 0
    depth = 0
    for number, line in enumerate(tree.lines(name), 1):
        if re.match(r"^\s*#\s*if", line):
            depth += 1
        elif re.match(r"^\s*#\s*endif", line):
            depth -= 1
        include = INCLUDE.match(line)
        if not include or depth > 0:
            continue
        kind = kind_of(name, include.group(1), include.group(2))
        if kind < highest:
            findings.append(Finding(name, number, f"include order: {KINDS[kind]} after {KINDS[highest]}"))
        highest = max(highest, kind)
    return findings


def reorder(name: str, lines: list[str]) -> list[str]:
    """The first run of includes in the right order, a blank line between kinds. With anything else among them: as is."""
    first = next((i for i, line in enumerate(lines) if INCLUDE.match(line)), None)
    if first is None:
        return lines
    end = next((i for i in range(first, len(lines)) if lines[i].strip() and not INCLUDE.match(lines[i])), len(lines))
    groups: dict[int, list[str]] = {}
    for line in lines[first:end]:
        include = INCLUDE.match(line)
        if include:
            groups.setdefault(kind_of(name, include.group(1), include.group(2)), []).append(line)
    block = [line for kind in sorted(groups) for line in [*groups[kind], ""]]
    return lines[:first] + block + lines[end:]


def fix(tree: Tree) -> list[str]:
    """Rewrites the files with a wrong order; returns their names."""
    changed = []
    for name in tree.files("*.cpp", "*.h", under=("agent/", "hardening/", "tests/")):
        if check_order(tree, name):
            (tree.root / name).write_text("\n".join(reorder(name, tree.lines(name))).rstrip("\n") + "\n")
            changed.append(name)
    return changed


def run(tree: Tree) -> list[Finding]:
    findings = []
    for name in tree.files("*.h", under=("agent/", "ebpf/", "hardening/", "tests/")):
        if "#pragma once" not in tree.lines(name):
            findings.append(Finding(name, 1, "no #pragma once"))
    for name in tree.files("*.cpp", "*.h", under=("agent/", "hardening/", "tests/")):
        findings += check_order(tree, name)
    return findings


_GOOD = '#include "agent/a.h"\n\n#include "agent/b.h"\n\n#include <bpf/bpf.h>\n\n#include <unistd.h>\n\n#include <string>\n'
CASES = [
    Case("right order", {"agent/a.cpp": _GOOD, "agent/a.h": "#pragma once\n"}),
    Case("project after std", {"agent/a.cpp": '#include <string>\n#include "agent/b.h"\n'}, "project after standard"),
    Case("system after std", {"agent/a.cpp": "#include <string>\n#include <unistd.h>\n"}, "system after standard"),
    Case("third party after system", {"agent/a.cpp": "#include <unistd.h>\n#include <bpf/bpf.h>\n"}, "third party after"),
    Case("own header late", {"agent/a.cpp": '#include "agent/b.h"\n#include "agent/a.h"\n'}, "own header after"),
    Case("no pragma once", {"agent/a.h": "int f();\n"}, "no #pragma once"),
]
