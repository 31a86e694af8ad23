# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone; the kernel ABI's headers as C and as C++."""
import subprocess
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from tree import Case, Finding, Tree

# What the BPF side alone includes: it needs clang's BPF target, which the build exercises.
BPF_ONLY = ("ebpf/",)
ABI = "ebpf/abi/"
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-D_GNU_SOURCE"]


def languages(name: str) -> list[tuple[str, list[str]]]:
    cxx = ("C++", ["g++", "-std=c++20", "-x", "c++"])
    return [("C", ["gcc", "-std=c11", "-x", "c"]), cxx] if name.startswith(ABI) else [cxx]


def compile_alone(tree: Tree, name: str) -> list[Finding]:
    findings = []
    for language, command in languages(name):
        # Included twice: `#pragma once` must hold. Included from stdin: a main file may not have it.
        source = f'#include "{name}"\n#include "{name}"\n'
        done = subprocess.run([*command, *WARNINGS, "-I", ".", "-"], cwd=tree.root, input=source, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            errors = [line for line in done.stderr.splitlines() if "error" in line]
            findings.append(Finding(name, 1, f"does not compile alone as {language}: {errors[0] if errors else done.stderr}"))
    return findings


def built_alone(tree: Tree, name: str) -> bool:
    """Its own source includes it before anything else: the build has compiled it alone (includes.py wants the pragma)."""
    source = name.removesuffix(".h") + ".cpp"
    if name.startswith(ABI) or not (tree.root / source).exists():
        return False
    first = next((line for line in tree.lines(source) if line.startswith("#")), "")
    return first in (f'#include "{name}"', f'#include "{name.rsplit("/", 1)[-1]}"')


def run(tree: Tree) -> list[Finding]:
    headers = [n for n in tree.files("*.h", under=("agent/", "ebpf/", "hardening/", "tests/"))
               if (n.startswith(ABI) or not n.startswith(BPF_ONLY)) and not built_alone(tree, n)]
    with ThreadPoolExecutor(cpu_count()) as pool:
        return [f for found in pool.map(lambda n: compile_alone(tree, n), headers) for f in found]


CASES = [
    Case("complete header", {"agent/a.h": "#pragma once\n#include <string>\nstd::string f();\n"}),
    Case("needs its includer", {"agent/a.h": "#pragma once\nstd::string f();\n"}, "alone as C\\+\\+"),
    Case("needs its includer, and has a source that includes it second", {
        "agent/a.h": "#pragma once\nstd::string f();\n", "agent/a.cpp": '#include <string>\n#include "agent/a.h"\n'}, "alone as C\\+\\+"),
    Case("compiled by its own source", {"agent/a.h": "#pragma once\nstd::string f();\n", "agent/a.cpp": '#include "agent/a.h"\n'}),
    Case("no pragma once", {"agent/a.h": "struct A {};\n"}, "redefinition"),
    Case("ABI header that is C++ only", {"ebpf/abi/a.h": "#pragma once\nclass A {};\n"}, "alone as C:"),
    Case("ABI header that is C only", {"ebpf/abi/a.h": "#pragma once\nstatic int new;\n"}, "alone as C\\+\\+"),
]
