# SPDX-License-Identifier: Apache-2.0
"""Functions have at most 60 lines, BPF hook bodies 50, files 500."""
import ast
import re

from tree import Case, Finding, Tree

FUNCTION_LINES_MAX = 60
HOOK_LINES_MAX = 50
FILE_LINES_MAX = 500
OPENS = re.compile(r"^(\s*)\{$")
# Lines that end a declaration whose body follows on the next line. clang-format puts a function's brace on a
# line of its own and every other brace on the line before, so this finds functions and nothing else.
BEFORE_BODY = re.compile(r"(\)|const|noexcept|override|final|\}|[\w>&*])\s*$")
SHELL_FUNCTION = re.compile(r"^(\s*)(?:function\s+)?[\w-]+\s*\(\)\s*\{$")


def bodies(lines: list[str]):
    """(line number, body lines, is a BPF hook) of each function."""
    for start, line in enumerate(lines):
        opening = OPENS.match(line)
        if not opening or start == 0 or not BEFORE_BODY.search(lines[start - 1]):
            continue
        closing = re.compile(rf"^{re.escape(opening.group(1))}\}}")
        end = next((i for i in range(start + 1, len(lines)) if closing.match(lines[i])), len(lines))
        hook = any("SEC(" in lines[i] for i in range(max(0, start - 3), start))
        yield start + 1, end - start - 1, hook


def check_code(tree: Tree, name: str) -> list[Finding]:
    findings = []
    for number, length, hook in bodies(tree.code_lines(name)):
        limit = HOOK_LINES_MAX if hook else FUNCTION_LINES_MAX
        if length > limit:
            findings.append(Finding(name, number, f"function of {length} lines, limit {limit}"))
    return findings


def check_python(tree: Tree, name: str) -> list[Finding]:
    findings = []
    for node in ast.walk(ast.parse(tree.text(name))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno
            if length > FUNCTION_LINES_MAX:
                findings.append(Finding(name, node.lineno, f"function of {length} lines, limit {FUNCTION_LINES_MAX}"))
    return findings


def check_shell(tree: Tree, name: str) -> list[Finding]:
    findings = []
    lines = tree.lines(name)
    for start, line in enumerate(lines):
        opening = SHELL_FUNCTION.match(line)
        if not opening:
            continue
        end = next((i for i in range(start, len(lines)) if lines[i] == opening.group(1) + "}"), len(lines))
        if end - start - 1 > FUNCTION_LINES_MAX:
            findings.append(Finding(name, start + 1, f"function of {end - start - 1} lines, limit {FUNCTION_LINES_MAX}"))
    return findings


def run(tree: Tree) -> list[Finding]:
    findings = []
    code = tree.files("*.cpp", "*.h", "*.c")
    python = tree.files("*.py")
    shell = tree.shell_files()
    for name in [*code, *python, *shell, *tree.files("CMakeLists.txt", "*.cmake")]:
        if len(tree.lines(name)) > FILE_LINES_MAX:
            findings.append(Finding(name, FILE_LINES_MAX, f"file of {len(tree.lines(name))} lines, limit {FILE_LINES_MAX}"))
    findings += [f for name in code for f in check_code(tree, name)]
    findings += [f for name in python for f in check_python(tree, name)]
    findings += [f for name in shell for f in check_shell(tree, name)]
    return findings


_SIXTY = "    g();\n" * 60
_CLASS = "class A {\npublic:\n    void f() const\n    {\n" + "        g();\n" * 61 + "    }\n};\n"
CASES = [
    Case("sixty lines", {"agent/a.cpp": f"void f()\n{{\n{_SIXTY}}}\n"}),
    Case("long function", {"agent/a.cpp": f"void f()\n{{\n{_SIXTY}    g();\n}}\n"}, "function of 61 lines"),
    Case("long method", {"agent/a.h": _CLASS}, "function of 61 lines"),
    Case("long test", {"tests/a.cpp": f"TEST(A, B)\n{{\n{_SIXTY}    g();\n}}\n"}, "function of 61 lines"),
    Case("long hook", {"ebpf/a.bpf.c": 'SEC("tc")\nint f(void *ctx)\n{\n' + "\tg();\n" * 51 + "}\n"}, "limit 50"),
    Case("long file", {"agent/a.cpp": "int x;\n" * 501}, "file of 501 lines"),
    Case("long Python function", {"tests/a.py": "def f():\n" + "    x = 1\n" * 61}, "function of 61 lines"),
    Case("long shell function", {"a.sh": "#!/bin/bash\nf() {\n" + "  true\n" * 61 + "}\n"}, "function of 61 lines"),
]
