# SPDX-License-Identifier: Apache-2.0
"""The program says what its manual says: commands, options, exit codes, width of --help, samples that are valid."""
import re
import subprocess
import tempfile
from pathlib import Path

from tree import Case, Finding, SkipCheck, Tree

MANUAL = "docs/man/hostward.8"
CODES = "agent/cli/exit_code.h"
SAMPLES = ("README.md", "docs/man/hostward.toml.5", "docs/presets.md")
PRESETS = "packaging/policies/"
COLUMNS_MAX = 79
TIMEOUT_S = 20
# Read by AWS SSM and EC2 Image Builder as "reboot this machine".
CODES_NEVER = {168, 169, 194}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# The program lists whole commands (`guard run`), a group of commands their last words (`run`).
SUBCOMMANDS = re.compile(r"^(?:sub)?commands:\s*\n(.*?)(?:\n\S|\Z)", re.M | re.S | re.I)
COMMAND_LINE = re.compile(r"^  (\w+(?: \w+)*)(?:  |$)", re.M)
TOML_BLOCK = re.compile(r"^```toml\n(.*?)^```", re.M | re.S)
MAN_EXAMPLE = re.compile(r"^\.EX\n(.*?)^\.EE", re.M | re.S)


def program(tree: Tree):
    for path in (tree.root / "stand-in/hostward", *([tree.build / "hostward"] if tree.build else [])):
        if path.exists():
            return path
    raise SkipCheck("build/*/hostward is not built")


def call(tree: Tree, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([program(tree), *arguments], capture_output=True, text=True, check=False, timeout=TIMEOUT_S)


def helps(tree: Tree, *command: str) -> dict[tuple, str]:
    """Every command's --help, by the command's words."""
    done = call(tree, *command, "--help")
    texts = {command: done.stdout if done.returncode == 0 and not done.stderr else ""}
    block = SUBCOMMANDS.search(done.stdout)
    for name in COMMAND_LINE.findall(block.group(1) if block else ""):
        words = name.split()
        texts |= helps(tree, *command, words[0]) if words[:-1] and (*command, words[0]) not in texts else {}
        texts |= helps(tree, *command, *words) if (*command, *words) not in texts else {}
    return texts


def check_helps(texts: dict[tuple, str]) -> list[Finding]:
    findings = []
    for command, text in texts.items():
        name = " ".join(("hostward", *command))
        if not text:
            findings.append(Finding(MANUAL, 1, f"{name} --help fails or does not print to standard output alone"))
        findings += [Finding(MANUAL, 1, f"{name} --help: line of {len(line)} columns")
                     for line in text.splitlines() if len(line) > COLUMNS_MAX]
    return findings


def differ(what: str, in_program: set, in_manual: set) -> list[Finding]:
    return ([Finding(MANUAL, 1, f"{what} {x} is in --help, not in the manual") for x in sorted(in_program - in_manual)] +
            [Finding(MANUAL, 1, f"{what} {x} is in the manual, not in --help") for x in sorted(in_manual - in_program)])


def check_manual(tree: Tree, texts: dict[tuple, str]) -> list[Finding]:
    manual = tree.text(MANUAL).replace("\\-", "-")
    options = {option for text in texts.values() for option in OPTION.findall(text)}
    leaves = {" ".join(command) for command, text in texts.items() if text and not SUBCOMMANDS.search(text)}
    described = set(re.findall(r"^\.TP\n\.B ([a-z]+(?: \w+)?)$", manual, re.M))
    return differ("option", options, set(OPTION.findall(manual))) + differ("command", leaves, described)


def check_codes(tree: Tree, texts: dict[tuple, str]) -> list[Finding]:
    in_code = {int(n) for n in re.findall(r"^\s+\w+ = (\d+),", tree.text(CODES), re.M)}
    section = tree.text(MANUAL).split(".SH", 1)[-1].split('"EXIT STATUS"')[-1].split(".SH")[0]
    in_manual = {int(n) for n in re.findall(r"^\.B (\d+)$", section, re.M)}
    footer = re.search(r"^Exit codes: (.*?)(?:\n\n|\Z)", texts.get((), ""), re.M | re.S)
    in_help = {int(n) for n in re.findall(r"\b(\d+) ", footer.group(1))} if footer else set()
    findings = [Finding(CODES, 1, f"exit code {n} must never be used") for n in in_code & CODES_NEVER]
    if in_code != in_manual:
        findings.append(Finding(MANUAL, 1, f"exit codes {sorted(in_manual)}, the code has {sorted(in_code)}"))
    if in_code != in_help:
        findings.append(Finding(MANUAL, 1, f"--help names exit codes {sorted(in_help)}, the code has {sorted(in_code)}"))
    if call(tree, "--no-such-option").returncode != 2:
        findings.append(Finding(CODES, 1, "a wrong option does not exit with 2"))
    return findings


def check_samples(tree: Tree) -> list[Finding]:
    findings = []
    for name in SAMPLES:
        text = tree.text(name) if name in tree.names() else ""
        samples = TOML_BLOCK.findall(text) + [s for s in MAN_EXAMPLE.findall(text) if "[[guard" in s]
        if not samples:
            findings.append(Finding(name, 1, "no sample of a policy"))
        for sample in samples:
            with tempfile.TemporaryDirectory(prefix="hostward-sample-") as folder:
                policy = Path(folder) / "hostward.toml"
                policy.write_text(sample.replace("\\-", "-"))
                (Path(folder) / "presets").mkdir()
                for preset in (n for n in tree.names() if n.startswith(PRESETS)):
                    (Path(folder) / "presets" / Path(preset).name).write_text(tree.text(preset))
                done = call(tree, "config", "check", "--config", str(policy))
            if done.returncode != 0:
                findings.append(Finding(name, 1, f"sample is refused: {(done.stderr or done.stdout).strip()}"))
    return findings


def run(tree: Tree) -> list[Finding]:
    texts = helps(tree)
    tree.checked += len(texts)
    return check_helps(texts) + check_manual(tree, texts) + check_codes(tree, texts) + check_samples(tree)


# A stand-in for the program: two commands and one option.
_PROGRAM = """#!/bin/sh
case "$*" in
--help) printf 'x\\nCommands:\\n  config check  y\\n\\nExit codes: 0 done, 2 wrong.\\n' ;;
'config --help') printf 'OPTIONS:\\n  --json  z\\nSUBCOMMANDS:\\n  check  y\\n' ;;
'config check --help') printf 'OPTIONS:\\n  --json  z\\n  --config FILE\\n' ;;
config*) ! grep -q wrong "$4" || exit 3 ;;
*) exit 2 ;;
esac
"""
_FILES = {
    MANUAL: ".TP\n.B config check\nx\n.SH OPTIONS\n.B \\-\\-json\n.B \\-\\-config\n"
            '.SH "EXIT STATUS"\n.TP\n.B 0\n.TP\n.B 2\n.SH X\n',
    CODES: "enum {\n    Ok = 0,\n    Usage = 2,\n};\n",
    "README.md": "```toml\n[guard]\n```\n",
    "docs/presets.md": "```toml\n[guard]\n```\n",
    "docs/man/hostward.toml.5": ".EX\n[[guard.rule]]\n.EE\n",
    "stand-in/hostward": _PROGRAM,
}


def _case(title, expect, path=None, old="", new=""):
    files = dict(_FILES)
    if path:
        assert old in files[path], title
        files[path] = files[path].replace(old, new)
    return Case(title, files, expect, executable=["stand-in/hostward"])


CASES = [
    _case("all the same", None),
    _case("wide help", "line of 9\\d columns", "stand-in/hostward", "FILE", "F" * 80),
    _case("help on standard error", "--help fails or does not", "stand-in/hostward", "--config FILE\\n'", "--config'>&2"),
    _case("option not in the manual", "option --json is in --help", MANUAL, "\\-\\-json", "json"),
    _case("option not in the program", "option --config is in the manual", "stand-in/hostward", "--config FILE", "FILE"),
    _case("command not in the manual", "command config check is in --help", MANUAL, "config check", "config other"),
    _case("exit code not in the manual", "exit codes \\[0\\], the code has", MANUAL, ".B 2", "2"),
    _case("exit code not in --help", "--help names exit codes \\[0\\]", "stand-in/hostward", "2 wrong", "wrong"),
    _case("forbidden exit code", "194 must never", CODES, "Usage = 2", "Usage = 194"),
    _case("wrong option accepted", "does not exit with 2", "stand-in/hostward", "exit 2", "exit 0"),
    _case("sample that is refused", "sample is refused", "README.md", "[guard]", "[guard]\nwrong"),
    _case("no sample", "no sample", "README.md", "toml", "text"),
]
