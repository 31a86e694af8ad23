# SPDX-License-Identifier: Apache-2.0
"""Each folder includes and links only what the table in docs/architecture.md allows."""
import re

from tree import Case, Finding, Tree

DOCUMENT = "docs/architecture.md"
TABLE = re.compile(r"<!-- layers:begin -->(.*?)<!-- layers:end -->", re.S)
INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>")
LIBRARY_NAME = re.compile(r"`([^`]+)`")

# Third-party headers by the name the table uses.
THIRD_PARTY = {
    "spdlog": ("spdlog/",), "fmt": ("fmt/",), "toml++": ("toml++/",), "nlohmann": ("nlohmann/",),
    "libbpf": ("bpf/",),
    "libsystemd": ("systemd/",), "libcap": ("sys/capability.h",), "CLI11": ("CLI/",),
    "openssl": ("openssl/",), "libcurl": ("curl/",), "libseccomp": ("seccomp.h",), "RE2": ("re2/",),
    "SQLite": ("sqlite3.h",), "zlib": ("zlib.h",),
    "liburing": ("liburing.h",), "gtest": ("gtest/", "gmock/"), "benchmark": ("benchmark/",),
}
SYSTEM_PREFIXES = ("linux/", "sys/", "net/", "netinet/", "netpacket/", "arpa/", "asm/", "asm-generic/", "bits/")
# Flat C headers of the system; C++ standard headers have neither slash nor `.h`.
SYSTEM_HEADERS = {
    "dirent.h", "dlfcn.h", "elf.h", "endian.h", "errno.h", "fcntl.h", "fnmatch.h", "getopt.h", "glob.h", "grp.h", "gshadow.h",
    "ifaddrs.h", "inttypes.h", "limits.h", "locale.h", "malloc.h", "mntent.h", "netdb.h", "poll.h", "pthread.h", "pty.h",
    "pwd.h", "sched.h", "semaphore.h", "shadow.h", "signal.h", "spawn.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
    "stdio.h", "stdlib.h", "string.h", "strings.h", "syscall.h", "sysexits.h", "termios.h", "time.h", "ucontext.h",
    "unistd.h", "utime.h", "wait.h",
}
NAMES_IN_HEADERS = re.compile(r"\b(spdlog|fmt|toml|nlohmann|CLI)::|\bCURL\b|\bstruct bpf_\w+\s*\{")


def read_table(tree: Tree) -> dict[str, tuple[set, set]]:
    """Folder -> (own folders, third-party names) it may use."""
    block = TABLE.search(tree.text(DOCUMENT)) if (tree.root / DOCUMENT).exists() else None
    table = {}
    for line in (block.group(1) if block else "").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        names = LIBRARY_NAME.findall(cells[0])
        if len(cells) >= 3 and names:
            table[names[0]] = (set(LIBRARY_NAME.findall(cells[1])), set(LIBRARY_NAME.findall(cells[2])))
    return table


def folder_of(name: str, table: dict) -> str | None:
    """The table's folder that a file belongs to: the longest that is a prefix of its path."""
    fitting = [folder for folder in table if name.startswith(folder + "/")]
    return max(fitting, key=len, default=None)


def third_party_of(header: str) -> str | None:
    if header.endswith(".skel.h"):  # generated for libbpf
        return "libbpf"
    return next((name for name, prefixes in THIRD_PARTY.items() if header.startswith(prefixes)), None)


def is_system(header: str) -> bool:
    return header.startswith(SYSTEM_PREFIXES) or header in SYSTEM_HEADERS or re.fullmatch(r"[a-z_]+", header) is not None


def judge_include(name: str, header: str, table: dict) -> str | None:
    """What is wrong with this include, or nothing."""
    folder = folder_of(name, table)
    own, third = table[folder]
    package = third_party_of(header)
    if package:
        if name.endswith(".h") and folder != "ebpf":
            return f"header includes third-party {header}: forward-declare, include it in the .cpp"
        return None if package in third else f"{folder} may not use {package} ({header})"
    target = folder_of(header, table)
    if target:
        return None if target == folder or target in own else f"{folder} may not use {target} ({header})"
    return None if is_system(header) else f"unknown header {header}: name its library in tests/lint/checks/layers.py"


def check_file(tree: Tree, name: str, table: dict) -> list[Finding]:
    findings = []
    for number, line in enumerate(tree.code_lines(name), 1):
        include = INCLUDE.match(line)
        problem = judge_include(name, include.group(1), table) if include else None
        if problem:
            findings.append(Finding(name, number, problem))
        if name.endswith(".h") and not name.startswith("ebpf/") and NAMES_IN_HEADERS.search(line):
            findings.append(Finding(name, number, "header names a third-party type"))
    return findings


def check_links(tree: Tree, name: str, table: dict) -> list[Finding]:
    """The folder's own libraries in its CMakeLists.txt against the same table."""
    folder = folder_of(name, table)
    if not folder or folder.count("/") != 1:
        return []
    allowed = {use.split("/")[-1] for use in table[folder][0] | {folder}} | {"flags", "policy"}
    if "cli" in allowed:
        allowed.add("views")  # the part of agent/cli that the fuzzers link alone
    findings = []
    for call in re.finditer(r"(?:hostward_library|target_link_libraries)\(([^)]*)\)", tree.text(name)):
        for library in re.findall(r"\bhostward_(\w+)", call.group(1)):
            if library not in allowed:
                findings.append(Finding(name, 1, f"{folder} may not link hostward_{library}"))
    return findings


def run(tree: Tree) -> list[Finding]:
    table = read_table(tree)
    if not table:
        return [Finding(DOCUMENT, 1, "no layers table between the markers")]
    findings = []
    for name in tree.files("*.cpp", "*.h", "*.c", under=("agent/", "ebpf/", "hardening/")):
        if folder_of(name, table) is None:
            findings.append(Finding(name, 1, "folder is missing in the layers table"))
        else:
            findings += check_file(tree, name, table)
    for name in tree.files("CMakeLists.txt", under=("agent/", "hardening/")):
        findings += check_links(tree, name, table)
    return findings


_TABLE = """<!-- layers:begin -->
| folder | may use | third party |
|---|---|---|
| `agent/base` | - | `spdlog` |
| `agent/guard` | `agent/base`, `ebpf/abi` | `libbpf` |
| `ebpf/abi` | - | - |
| `ebpf` | `ebpf/abi` | `libbpf` |
<!-- layers:end -->
"""


def _case(title, expect, **files):
    return Case(title, {DOCUMENT: _TABLE, **files}, expect)


CASES = [
    _case("allowed includes", None, **{
        "agent/guard/a.cpp": '#include "agent/base/result.h"\n#include <bpf/libbpf.h>\n#include <string>\n'}),
    _case("upward include", "agent/base may not use agent/guard", **{
        "agent/base/a.cpp": '#include "agent/guard/policy.h"\n'}),
    _case("third party of another folder", "may not use toml", **{"agent/guard/a.cpp": "#include <toml++/toml.h>\n"}),
    _case("third party in a header", "header includes third-party", **{"agent/guard/a.h": "#include <bpf/bpf.h>\n"}),
    _case("third-party name in a header", "names a third-party type", **{"agent/base/a.h": "void f(spdlog::level);\n"}),
    _case("unknown library", "unknown header boost", **{"agent/base/a.cpp": "#include <boost/any.hpp>\n"}),
    _case("unlisted folder", "missing in the layers table", **{"agent/new/a.cpp": "int x;\n"}),
    _case("link against the layers", "may not link hostward_guard", **{
        "agent/base/CMakeLists.txt": "hostward_library(hostward_base hostward_guard)\n"}),
    _case("an include in a comment is none", None, **{"agent/base/a.cpp": '// #include "agent/guard/policy.h"\n'}),
    Case("no table", {DOCUMENT: "nothing", "agent/base/a.cpp": "\n"}, "no layers table"),
]
