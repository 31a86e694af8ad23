# SPDX-License-Identifier: Apache-2.0
"""docs/reference/PROFILE.md says what hardening/profiles and hardening/rules say, docs/checks/primitives.md what the
primitives say of themselves (--fix writes the pages)."""
import re
import tomllib

from tree import Case, Finding, Tree

PROFILES = "hardening/profiles/"
RULES = "hardening/rules/"
PAGES = "docs/reference/"
CODE = "hardening/primitives/"
PRIMITIVES = "docs/checks/primitives.md"
TEXT = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
ARRAY = re.compile(r"std::array (k\w+)\{(\s*ArgumentSpec\{.*?)\};", re.S)
ARGUMENT = re.compile(r'ArgumentSpec\{\s*"(\w+)",\s*ValueType::(\w+),\s*(true|false),\s*' + TEXT, re.S)
PRIMITIVE = re.compile(r'const Primitive k\w+Primitive\{\s*"([\w-]+)",\s*' + TEXT + r',\s*(k\w+|\{\})', re.S)


def load(tree: Tree, folder: str) -> list[dict]:
    return [tomllib.loads(tree.text(name)) for name in sorted(tree.files("*.toml", under=(folder,)))]


def one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def level(row: dict) -> str:
    server, workstation = row.get("server", 0), row.get("workstation", 0)
    return " ".join([f"{server}S"] * bool(server) + [f"{workstation}W"] * bool(workstation))


def row_text(row: dict, rules: dict) -> str:
    rule = rules.get(row.get("rule", ""))
    what = f"[{one_line(rule['title'])}](#{row['rule']})" if rule else one_line(row.get("topic", ""))
    how = "" if row.get("automated", True) else "for a person"
    decided = how if rule else how or "not decided yet"
    changes = ", ".join(f"{name} = {value}" for name, value in row.get("parameters", {}).items())
    return f"| {row['number']} | {level(row)} | {what} | {one_line(changes)} | {decided} |\n"


def rule_text(rule: dict) -> str:
    out = f"### {rule['id']}\n\n{one_line(rule['title'])}. Severity: {rule['severity']}.\n\n{rule['rationale'].strip()}\n"
    out += f"\n```\n{rule['remediation'].strip()}\n```\n"
    for parameter in rule.get("parameter", []):
        out += f"\n- `{parameter['name']}`, {one_line(parameter['about'])}: `{parameter['default']}`"
    return out + ("\n" if rule.get("parameter") else "")


def page(profile: dict, rules: dict) -> str:
    about, rows = profile["profile"], profile["recommendation"]
    out = f"# {about['title']} v{about['version']}\n\n"
    out += ("Generated from `hardening/profiles` and `hardening/rules`: `tests/lint/lint.py --fix reference` writes it.\n"
            "Levels: S server, W workstation. The words are ours, the numbers and levels are the benchmark's.\n\n")
    out += "| number | level | what | parameters | |\n|---|---|---|---|---|\n"
    out += "".join(row_text(row, rules) for row in rows)
    used = sorted({row["rule"] for row in rows if row.get("rule") in rules})
    return out + "\n## Rules\n\n" + "\n".join(rule_text(rules[name]) for name in used)


def literal(text: str) -> str:
    """What C++ makes of adjacent literals."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace('\\"', '"').replace("\\\\", "\\")


def primitives(tree: Tree) -> str:
    found = {}
    for name in tree.files("*.cpp", under=(CODE,)):
        text = tree.text(name)
        arrays = {array: ARGUMENT.findall(body) for array, body in ARRAY.findall(text)}
        for primitive, about, array in PRIMITIVE.findall(text):
            found[primitive] = (literal(about), arrays.get(array, []), name)
    out = ("# Primitives\n\nGenerated from `hardening/primitives`: `tests/lint/lint.py --fix reference` writes it. Bold arguments are needed.\n"
           "How rules use them: [add-a-rule.md](add-a-rule.md).\n")
    for primitive, (about, arguments, name) in sorted(found.items()):
        out += f"\n## {primitive}\n\n{one_line(about)} `{name}`\n"
        out += "\n| argument | type | what |\n|---|---|---|\n" if arguments else ""
        for argument, kind, is_needed, what in arguments:
            shown = f"**{argument}**" if is_needed == "true" else argument
            out += f"| {shown} | {kind.lower()} | {one_line(literal(what))} |\n"
    return out


def pages(tree: Tree) -> dict[str, str]:
    rules = {rule["id"]: rule for file in load(tree, RULES) for rule in file.get("rule", [])}
    out = {f"{PAGES}{one['profile']['id']}.md": page(one, rules) for one in load(tree, PROFILES)}
    return {**out, PRIMITIVES: primitives(tree)}


def run(tree: Tree) -> list[Finding]:
    wanted = pages(tree)
    there = set(tree.files("*.md", under=(PAGES,))) | ({PRIMITIVES} & set(tree.names()))
    findings = [Finding(name, 1, "no such profile") for name in there - set(wanted)]
    for name, text in wanted.items():
        if name not in there or tree.text(name) != text:
            findings.append(Finding(name, 1, "differs from profiles and rules: lint.py --fix reference"))
    return findings


def fix(tree: Tree) -> list[str]:
    """Writes the pages anew."""
    changed = []
    for name, text in pages(tree).items():
        path = tree.root / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            changed.append(name)
    return changed


_PROFILE = ('recommendation = [\n  { number = "1.1", server = 1, rule = "a" },\n'
            '  { number = "1.2", server = 2, workstation = 2, automated = false, topic = "b" },\n]\n'
            '[profile]\nid = "p"\ntitle = "P"\nversion = "1"\n')
_RULE = '[[rule]]\nid = "a"\ntitle = "A | b"\nseverity = "low"\nrationale = "Why."\nremediation = "How."\n'
_PAGE = ("# P v1\n\nGenerated from `hardening/profiles` and `hardening/rules`: `tests/lint/lint.py --fix reference` writes it.\n"
         "Levels: S server, W workstation. The words are ours, the numbers and levels are the benchmark's.\n\n"
         "| number | level | what | parameters | |\n|---|---|---|---|---|\n"
         "| 1.1 | 1S | [A \\| b](#a) |  |  |\n| 1.2 | 2S 2W | b |  | for a person |\n"
         "\n## Rules\n\n### a\n\nA \\| b. Severity: low.\n\nWhy.\n\n```\nHow.\n```\n")
_CODE = ('constexpr std::array kArguments{\n    ArgumentSpec{"path", ValueType::List, true, "paths; "\n  "\\"any\\"", {}},\n};\n'
         'const Primitive kPPrimitive{"p-q", "It asks.",\n   kArguments, evaluate};\n')
_PRIMITIVES = ("# Primitives\n\nGenerated from `hardening/primitives`: `tests/lint/lint.py --fix reference` writes it. Bold arguments are needed.\n"
               "How rules use them: [add-a-rule.md](add-a-rule.md).\n\n## p-q\n\nIt asks. `hardening/primitives/p.cpp`\n"
               '\n| argument | type | what |\n|---|---|---|\n| **path** | list | paths; "any" |\n')
_FILES = {CODE + "p.cpp": _CODE, PRIMITIVES: _PRIMITIVES, PROFILES + "p.toml": _PROFILE, RULES + "r.toml": _RULE, PAGES + "p.md": _PAGE}
CASES = [
    Case("all the same", dict(_FILES)),
    Case("another level", {**_FILES, PROFILES + "p.toml": _PROFILE.replace("server = 1", "server = 2")}, "differs"),
    Case("another rule", {**_FILES, RULES + "r.toml": _RULE.replace("Why", "Because")}, "differs"),
    Case("no page", {name: text for name, text in _FILES.items() if not name.startswith(PAGES)}, "differs"),
    Case("another argument", {**_FILES, CODE + "p.cpp": _CODE.replace("true", "false")}, "differs"),
    Case("a page too many", {**_FILES, PAGES + "q.md": "x"}, "no such profile"),
]
