# SPDX-License-Identifier: Apache-2.0
"""Installed presets are narrow, explained, acyclic and listed in docs/presets.md (--fix writes the list)."""
import re
import tomllib

from tree import Case, Finding, Tree

FOLDER = "packaging/policies/"
PAGE = "docs/presets.md"
BLOCK = re.compile(r"(<!-- presets:begin -->\n)(.*?)(<!-- presets:end -->)", re.S)
NAME = re.compile(r"[a-z0-9-]{1,64}")
CONDITIONS = ("user", "unit", "cgroup")


def preset_of(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".toml")


def load(tree: Tree) -> tuple[dict[str, dict], list[Finding]]:
    """Preset -> its [guard] table."""
    presets, findings = {}, []
    for name in tree.files("*", under=(FOLDER,)):
        if not name.endswith(".toml") or not NAME.fullmatch(preset_of(name)):
            findings.append(Finding(name, 1, "a preset is called NAME.toml, NAME of a-z, 0-9 and -"))
            continue
        try:
            content = tomllib.loads(tree.text(name))
        except tomllib.TOMLDecodeError as problem:
            findings.append(Finding(name, 1, f"not TOML: {problem}"))
            continue
        presets[preset_of(name)] = content.get("guard", {})
        if not about(tree, name):
            findings.append(Finding(name, 2, "the second line says in a comment whom the preset is for"))
    return presets, findings


def about(tree: Tree, name: str) -> str:
    """The comment that the file begins with, below the licence."""
    lines = []
    for line in tree.lines(name)[1:]:
        if not line.startswith("# "):
            break
        lines.append(line.removeprefix("# "))
    return " ".join(lines)


def check_rule(preset: str, rule: dict) -> list[str]:
    name = rule.get("name", "")
    faults = []
    if not name.startswith(f"{preset}."):
        faults.append(f"its name does not begin with {preset}.")
    if rule.get("action") != "allow":
        faults.append("a preset only allows")
    if not rule.get("why"):
        faults.append("it does not say why")
    if rule.get("endpoint") != "imds":
        faults.append('it is not for endpoint = "imds" alone')
    if not rule.get("user") or not (rule.get("unit") or rule.get("cgroup")):
        faults.append("it names no user, or neither unit nor cgroup")
    if "exe" in rule or "group" in rule:
        faults.append("it names more than user, unit and cgroup, which the test of every rule does not know")
    if rule.get("cgroup") and rule.get("scope") != "container":
        faults.append('a cgroup is for containers: scope = "container"')
    if rule.get("unit") and rule.get("scope") == "container":
        faults.append('a unit that has namespaces of its own is for scope = "any"')
    return [f"rule {name!r}: {fault}" for fault in faults]


def included(presets: dict, name: str, above: tuple = ()) -> tuple[list[str], list[str]]:
    """Presets that `name` is made of, and what is wrong with its includes."""
    found, faults = [], []
    for text in presets[name].get("include", []):
        part = text.removeprefix("preset:")
        if part not in presets:
            faults.append(f"includes {text!r}, which there is not")
        elif part in (*above, name):
            faults.append(f"includes itself through {text!r}")
        else:
            deeper, more = included(presets, part, (*above, name))
            found += [part, *deeper]
            faults += more
    return found, faults


def check_presets(presets: dict) -> list[Finding]:
    findings = []
    for name, guard in presets.items():
        faults = [fault for rule in guard.get("rule", []) for fault in check_rule(name, rule)]
        faults += included(presets, name)[1]
        if not guard.get("rule") and not guard.get("include"):
            faults.append("it holds nothing")
        findings += [Finding(f"{FOLDER}{name}.toml", 1, fault) for fault in faults]
    return findings


def cell(rule: dict) -> str:
    where = ", ".join(f"`{x}`" for x in rule.get("unit", []) + rule.get("cgroup", []))
    who = ", ".join(f"`{x}`" for x in rule.get("user", []))
    kind = {"container": ", in containers", "any": ", in any namespace"}.get(rule.get("scope"), "")
    return f"| `{rule.get('name', '')}` | {who} | {where}{kind} | {rule.get('why', '')} |"


def section(tree: Tree, name: str, guard: dict) -> str:
    out = f"### {name}\n\n{about(tree, FOLDER + name + '.toml')}\n"
    if guard.get("include"):
        out += "\nIncludes " + ", ".join(f"`{x}`" for x in guard["include"]) + ".\n"
    if guard.get("rule"):
        out += "\n| rule | user | where | why |\n|---|---|---|---|\n"
        out += "".join(cell(rule) + "\n" for rule in guard["rule"])
    return out


def listing(tree: Tree, presets: dict) -> str:
    order = sorted(presets, key=lambda name: ("include" not in presets[name], name))
    return "\n" + "\n".join(section(tree, name, presets[name]) for name in order) + "\n"


def check_page(tree: Tree, presets: dict) -> list[Finding]:
    block = BLOCK.search(tree.text(PAGE)) if PAGE in tree.names() else None
    if not block:
        return [Finding(PAGE, 1, "no list of presets")]
    same = block.group(2) == listing(tree, presets)
    return [] if same else [Finding(PAGE, 1, "the list differs from packaging/policies: lint.py --fix presets")]


def run(tree: Tree) -> list[Finding]:
    presets, findings = load(tree)
    if findings:
        return findings
    return check_presets(presets) + check_page(tree, presets)


def fix(tree: Tree) -> list[str]:
    """Writes the list anew."""
    presets, _ = load(tree)
    text = tree.text(PAGE)
    new = BLOCK.sub(lambda match: match.group(1) + listing(tree, presets) + match.group(3), text)
    (tree.root / PAGE).write_text(new)
    return [PAGE] if new != text else []


_RULE = ('[[guard.rule]]\nname = "a.x"\naction = "allow"\nuser = ["root"]\nunit = ["a.service"]\n'
         'endpoint = "imds"\nwhy = "reason"\n')
_A = "# SPDX\n# The a.\n" + _RULE
_B = '# SPDX\n# The b.\n[guard]\ninclude = ["preset:a"]\n'
_LIST = ("\n### b\n\nThe b.\n\nIncludes `preset:a`.\n\n### a\n\nThe a.\n\n| rule | user | where | why |\n|---|---|---|---|\n"
         "| `a.x` | `root` | `a.service` | reason |\n\n")
_FILES = {
    FOLDER + "a.toml": _A,
    FOLDER + "b.toml": _B,
    PAGE: f"# Presets\n<!-- presets:begin -->\n{_LIST}<!-- presets:end -->\n",
}


def _case(title_, expect, path=None, old="", new=""):
    files = dict(_FILES)
    if path:
        assert old in files[path], title_
        files[path] = files[path].replace(old, new)
    return Case(title_, files, expect)


_FILE = FOLDER + "a.toml"
CASES = [
    _case("all the same", None),
    _case("no reason", "does not say why", _FILE, 'why = "reason"\n', ""),
    _case("no user", "names no user", _FILE, 'user = ["root"]\n', ""),
    _case("user alone", "neither unit nor cgroup", _FILE, 'unit = ["a.service"]\n', ""),
    _case("a program", "more than user", _FILE, "why", 'exe = ["/bin/a"]\nwhy'),
    _case("a cgroup of the host", "for containers", _FILE, 'unit = ["a.service"]', 'cgroup = ["/a"]'),
    _case("a unit in a container", "namespaces of its own", _FILE, "why", 'scope = "container"\nwhy'),
    _case("every endpoint", "not for endpoint", _FILE, 'endpoint = "imds"\n', ""),
    _case("a denial", "only allows", _FILE, '"allow"', '"deny"'),
    _case("another preset's name", "does not begin with a\\.", _FILE, "a.x", "b.x"),
    _case("no title", "second line", _FILE, "# The a.\n", "\n"),
    _case("not TOML", "not TOML", _FILE, "[[guard.rule]]", "[[guard.rule"),
    _case("nothing in it", "holds nothing", FOLDER + "b.toml", 'include = ["preset:a"]\n', ""),
    _case("unknown part", "which there is not", FOLDER + "b.toml", "preset:a", "preset:c"),
    _case("circle", "includes itself", _FILE, "# The a.\n", '# The a.\n[guard]\ninclude = ["preset:b"]\n'),
    _case("list not renewed", "the list differs", PAGE, "reason", "another"),
    _case("no list", "no list", PAGE, "presets:begin", "begin"),
    Case("a file that is none", {**_FILES, FOLDER + "A b.toml": _A}, "is called NAME.toml"),
]
