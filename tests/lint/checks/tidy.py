# SPDX-License-Identifier: Apache-2.0
"""clang-tidy 14 with the checks of .clang-tidy, all of them errors, over the product's sources."""
import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from tidy_cache import TidyCache
from tree import Case, Finding, SkipCheck, Tree

PROBLEM = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning): (.+)$")
TIMEOUT_S = 300
# How far the analyzer follows the paths of one function. Its default of 225,000 takes most of the whole run's time for
# a few functions with many branches.
NODES_MAX = 10_000
# Seconds after which no further source is begun; 0: no bound. What was clean is remembered, so the next run goes on from there.
BUDGET_S = "HOSTWARD_TIDY_SECONDS"


def tidy(tree: Tree, name: str, arguments: list[str]) -> list[Finding]:
    # The compile commands are GCC's: some of its options clang does not have.
    analyzer = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={NODES_MAX}")]
    command = ["clang-tidy-14", "--quiet", "--extra-arg=-Wno-unknown-warning-option", *analyzer,
               f"--header-filter={re.escape(str(tree.root.resolve()))}/agent/.*", *arguments]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    findings = []
    for line in done.stdout.splitlines():
        match = PROBLEM.match(line)
        if match and ".skel.h" not in match.group(1):  # generated code is not ours to mend
            path = match.group(1).replace(str(tree.root.resolve()) + "/", "")
            findings.append(Finding(path, int(match.group(2)), match.group(3)))
    if done.returncode != 0 and not findings and ".skel.h" not in done.stdout:
        findings.append(Finding(name, 1, f"clang-tidy failed: {(done.stderr or done.stdout).strip()[-400:]}"))
    return findings


def tidy_once(tree: Tree, cache: TidyCache | None, deadline: float, name: str, arguments: list[str]) -> list[Finding] | None:
    """None: not looked at before the deadline."""
    key = cache.key(name) if cache else None
    if cache and cache.is_clean(key):
        return []
    if time.monotonic() > deadline:
        return None
    findings = tidy(tree, name, arguments)
    if cache and not findings:
        cache.remember_clean(key)
    return findings


def compiled_files(tree: Tree) -> set[str]:
    database = tree.build / "compile_commands.json" if tree.build else None
    if not database or not database.exists():
        raise SkipCheck("no compile_commands.json in the build folder")
    return {entry["file"] for entry in json.loads(database.read_text())}


def run(tree: Tree) -> list[Finding]:
    if not shutil.which("clang-tidy-14"):
        raise SkipCheck("clang-tidy-14 is not installed")
    names = tree.files("*.cpp", under=("agent/", "hardening/"))
    if not (tree.root / "CMakeLists.txt").exists():  # a case of the self-test: no build folder
        jobs = [(name, [name, "--", "-std=c++20", "-I."]) for name in names]
    else:
        compiled = compiled_files(tree)
        missing = [n for n in names if str(tree.root.resolve() / n) not in compiled]
        if missing:
            return [Finding(n, 1, "not in compile_commands.json: not built") for n in missing]
        jobs = [(name, ["-p", str(tree.build), name]) for name in names]
    cache = TidyCache(tree.root, tree.build) if tree.build and (tree.root / "CMakeLists.txt").exists() else None
    budget = float(os.environ.get(BUDGET_S, "0"))
    deadline = time.monotonic() + budget if budget > 0 else float("inf")
    with ThreadPoolExecutor(cpu_count()) as pool:
        results = list(pool.map(lambda job: tidy_once(tree, cache, deadline, *job), jobs))
    findings = list({f: None for found in results for f in found or []})
    left = results.count(None)
    if left and not findings:
        raise SkipCheck(f"{left} of {len(results)} sources not looked at within {budget:g} s: the next run goes on with them")
    return findings


CASES = [
    Case("clean source", {"agent/a.cpp": "namespace hostward {\nint twice(int x) { return 2 * x; }\n} // namespace hostward\n"},
         None, [".clang-tidy"]),
    Case("use after move", {"agent/a.cpp": (
        "#include <string>\n#include <utility>\nstd::string f(std::string a)\n{\n    std::string b = std::move(a);\n"
        "    return a + b;\n}\n")}, "bugprone-use-after-move", [".clang-tidy"]),
    Case("null dereference", {"agent/a.cpp": "int f()\n{\n    int* p = nullptr;\n    return *p;\n}\n"},
         "clang-analyzer", [".clang-tidy"]),
]
