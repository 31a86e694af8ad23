# SPDX-License-Identifier: Apache-2.0
"""Licence headers, no path or host of one machine, no word about how the work is organised, public links only."""
import re

from tree import Case, Finding, Tree

SPDX = "SPDX-License-Identifier:"
KERNEL_LICENCE = "GPL-2.0 OR BSD-2-Clause"
HEADER_LINES = 5
CODE = ("*.cpp", "*.h", "*.c", "*.py", "*.sh", "*.cmake", "CMakeLists.txt")
BINARY = ("*.bin", "*.png", "*.gz", "*.der", "*.pcap")
# Test data keeps its bytes: genuine documents, recorded answers, inputs of the fuzzers.
DATA = ("tests/fuzz/corpus/", "tests/imds_sim/trees/", "tests/fixtures/")

# Written so that this file does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:wor[k]|mn[t]/data|tm[p]/(?:hw|brief|bash))(?:/|-|\b)")
ORGANISATION = re.compile(
    r"\bissue\s*#?\d|\bTODO\(issue\s*\d|\bagent [A-Z]\b|\bsub-?agents?\b|\bmulti-agent\b|\bthe lead\b|\bteam-?mate"
    r"|\b(?:this|previous|next|earlier|my) sessio[n]\b|\bco-?pilo[t]\b|\bchat ?gp[t]\b|\bllm\b|\bai[- ]generated\b"
    r"|\blanguage mode[l]\b|\bcoding assistan[t]\b|\bclaud[e]\b", re.I)
URL = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])")
PUBLIC_HOSTS = re.compile(
    r"^(docs\.aws\.amazon\.com|docs\.kernel\.org|www\.kernel\.org|git\.kernel\.org|github\.com|man7\.org|keepachangelog\.com"
    r"|semver\.org|spdx\.org|www\.debian\.org|www\.apache\.org|freedesktop\.org|www\.freedesktop\.org|www\.rfc-editor\.org|datatracker\.ietf\.org"
    r"|toml\.io|json-schema\.org|schema\.ocsf\.io|www\.w3\.org|(?:[\w-]+\.)*example\.(?:com|org|net)|(?:[\w-]+\.)*(?:test|invalid|example|localhost)|localhost|HOST"
    r"|(?:[\w-]+\.)*(?:amazonaws\.com(?:\.cn)?|api\.aws)"
    r"|127\.[\d.]+|169\.254\.[\d.]+|192\.0\.2\.\d+|198\.51\.100\.\d+|10\.[\d.]+|\[(?:::1|fd00:[0-9a-f:]+)\])$")


def check_licence(tree: Tree, name: str) -> list[Finding]:
    head = "\n".join(tree.lines(name)[:HEADER_LINES])
    if SPDX not in head:
        return [Finding(name, 1, f"no {SPDX} in the first lines")]
    if name.startswith("ebpf/") and not name.endswith("CMakeLists.txt") and KERNEL_LICENCE not in head:
        return [Finding(name, 1, f"kernel side: licence must be {KERNEL_LICENCE}")]
    return []


def check_text(tree: Tree, name: str) -> list[Finding]:
    findings = []
    for number, line in enumerate(tree.lines(name), 1):
        if MACHINE_PATH.search(line):
            findings.append(Finding(name, number, f"path of one machine: {MACHINE_PATH.search(line).group(0)}"))
        if ORGANISATION.search(line):
            findings.append(Finding(name, number, f"word about the work, not the product: {ORGANISATION.search(line).group(0)}"))
        for host in URL.findall(line):
            if not PUBLIC_HOSTS.match(host):
                findings.append(Finding(name, number, f"host {host} is not on the list of public references"))
    return findings


def run(tree: Tree) -> list[Finding]:
    findings = []
    code = set(tree.files(*CODE)) | set(tree.shell_files())
    for name in sorted(code):
        findings += check_licence(tree, name)
    binary = set(tree.files(*BINARY))
    for name in tree.files("*"):
        if name not in binary and name != "LICENSE" and not name.startswith(DATA):
            findings += check_text(tree, name)
    return findings


_SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
CASES = [
    Case("clean", {"agent/a.cpp": _SPDX + "// see https://docs.kernel.org/bpf/ and /tmp/x\n"}),
    Case("compiled by Python's interpreter", {"tests/__pycache__/a.cpython-311.pyc": "this sessio" + "n\n"}),
    Case("no licence", {"agent/a.cpp": "int x;\n"}, "no SPDX"),
    Case("script without licence", {"a": "#!/bin/bash\ntrue\n"}, "no SPDX"),
    Case("kernel side under the wrong licence", {"ebpf/a.bpf.c": _SPDX}, "kernel side"),
    Case("machine path", {"README.md": "see /wor" + "k/main/x\n"}, "path of one machine"),
    Case("file of a working session", {"README.md": "see /tm" + "p/brief-x.md\n"}, "path of one machine"),
    Case("organisation", {"README.md": "see issu" + "e 12\n"}, "word about the work"),
    Case("private host", {"README.md": "https:/" + "/mirror.corp.local/debian\n"}, "mirror.corp.local"),
]
