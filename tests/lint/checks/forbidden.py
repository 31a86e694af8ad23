# SPDX-License-Identifier: Apache-2.0
"""Calls that must not appear. A line may opt out with `lint: allow(NAME): reason`."""
import re

from tree import Case, Finding, Tree

PRODUCT = ("agent/", "ebpf/", "hardening/")
EVERYWHERE = PRODUCT + ("tests/",)
# Not a member of something and not a qualified name of another namespace: f(, ::f(, std::f(.
CALL = r"(?<![\w.>:])(?:std::|::)?(?:{})\s*\("
RULES = [
    ("shell", EVERYWHERE, CALL.format("system|popen"), "no shell: run a program by its argument list"),
    ("unbounded", EVERYWHERE, CALL.format("sprintf|vsprintf|strcpy|strcat|gets|alloca"), "writes without a bound"),
    ("number", EVERYWHERE, CALL.format("atoi|atol|atoll|atof|stoi|stol|stoll|stoul|stoull|stod|stof"),
     "parse numbers with std::from_chars (parse_number)"),
    ("rand", EVERYWHERE, CALL.format("rand|srand|rand_r"), "not random: getrandom, or a seeded std engine in tests"),
    ("regex", EVERYWHERE, r"\bstd::(?:basic_)?regex\b", "std::regex recurses: it can run out of stack"),
    ("getenv", ("agent/", "hardening/"), CALL.format("getenv|secure_getenv|setenv|putenv"),
     "the environment is read by the composition root only"),
    ("new", PRODUCT, r"\bnew\b(?!\s*\()|\bnew\s*\(", "no new: std::make_unique or a value"),
    ("delete", PRODUCT, r"(?<!= )(?<!=)\bdelete\b", "no delete: an owner type"),
    ("free", PRODUCT, CALL.format("malloc|calloc|realloc|free|strdup"), "no malloc or free: an owner type"),
    ("printk", ("ebpf/",), r"\bbpf_(?:trace_)?printk\b", "no trace output in release objects"),
    ("assert-input", ("agent/cli/",), CALL.format("assert"), "outside input is never asserted"),
]
# The second is what the first calls before anything else: what was inherited, environment included, is put in order.
COMPOSITION_ROOT = ("agent/cli/", "agent/sandbox/process.cpp", "agent/sandbox/sandbox.cpp")
ALLOW = re.compile(r"lint: allow\((\w[\w-]*)\): \S")


def applies(rule: str, scope: tuple, name: str) -> bool:
    return name.startswith(scope) and not (rule == "getenv" and name.startswith(COMPOSITION_ROOT))


def check_file(tree: Tree, name: str) -> list[Finding]:
    findings = []
    raw = tree.lines(name)
    for number, line in enumerate(tree.code_lines(name), 1):
        if line.lstrip().startswith("#"):
            continue
        allowed = {match.group(1) for text in raw[max(0, number - 2):number] for match in [ALLOW.search(text)] if match}
        for rule, scope, pattern, why in RULES:
            if applies(rule, scope, name) and rule not in allowed and re.search(pattern, line):
                findings.append(Finding(name, number, f"forbidden ({rule}): {why}"))
    return findings


def run(tree: Tree) -> list[Finding]:
    return [f for name in tree.files("*.cpp", "*.h", "*.c", under=EVERYWHERE) for f in check_file(tree, name)]


def _plant(rule: str, code: str, path: str = "agent/base/a.cpp") -> Case:
    return Case(f"{rule}: {code}", {path: f"void f()\n{{\n    {code}\n}}\n"}, rf"forbidden \({rule}\)")


CASES = [
    _plant("shell", 'system("ls");'), _plant("shell", 'auto f = ::popen("ls", "r");', "tests/a.cpp"),
    _plant("unbounded", "sprintf(buffer, text);"), _plant("number", "auto x = std::stoi(text);"),
    _plant("number", "auto x = atoi(text);"), _plant("rand", "int x = rand();"), _plant("regex", "std::regex r;"),
    _plant("getenv", 'auto p = std::getenv("PATH");'), _plant("new", "auto p = new A(1);"),
    _plant("delete", "delete p;"), _plant("free", "::free(p);"), _plant("printk", 'bpf_printk("x");', "ebpf/a.bpf.c"),
    _plant("assert-input", "assert(argc > 1);", "agent/cli/a.cpp"),
    Case("harmless look-alikes", {"agent/base/a.cpp": (
        'A(const A&) = delete;\nauto s = "system(1) new delete";\nfile_system(x);\nx.free(y);\n// rand()\n'
        "int renewed = reader->rand();\n")}),
    Case("opt-out with a reason", {"agent/base/a.cpp": "// lint: allow(free): libfoo hands out malloc memory\n::free(p);\n"}),
    Case("opt-out without a reason", {"agent/base/a.cpp": "::free(p); // lint: allow(free)\n"}, "free"),
    Case("environment in the composition root", {"agent/cli/main.cpp": 'getenv("NOTIFY_SOCKET");\n'}),
]
