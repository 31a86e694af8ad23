# SPDX-License-Identifier: Apache-2.0
"""Lists that exist in code and in documents are the same: configuration keys, reasons, rows, bounds."""
import re

from tree import Case, Finding, Tree

PARSER = "agent/config/guard_parse.cpp"
POLICY_PAGE = "docs/man/hostward.toml.5"
REASONS = "agent/guard/reasons.cpp"
EVENTS_PAGE = "docs/events.md"
THREATS = "docs/threat-model.md"
# Every list of row ids besides the document: the product's own, and the table of kernels.
ROW_SOURCES = {"agent/guard/rows.cpp": r'\{\s*(?:\.id = )?"([a-z0-9-]+)",', "tests/vm/table.py": r'^    "([a-z0-9-]+)": "'}
ROWS_BLOCK = re.compile(r"<!-- threat-rows:begin -->(.*?)<!-- threat-rows:end -->", re.S)
REASON_ROWS = re.compile(r"<!-- (reasons|hooks|lost):begin -->(.*?)<!-- \1:end -->", re.S)
FIRST_CELL = re.compile(r"^\| `?([\w-]+)`? \|", re.M)


def compare(path: str, what: str, in_code: set, in_document: set) -> list[Finding]:
    return ([Finding(path, 1, f"{what} {name} is in the code, not in the document") for name in in_code - in_document] +
            [Finding(path, 1, f"{what} {name} is in the document, not in the code") for name in in_document - in_code])


def check_keys(tree: Tree) -> list[Finding]:
    in_code = set(re.findall(r'^    \{"(\w+)", (?:true|false),', tree.text(PARSER), re.M))
    # The page's own tables of keys end where the prose begins.
    page = tree.text(POLICY_PAGE).split('.SS "[guard]"')[-1].split('.SS "Names')[0]
    in_page = set(re.findall(r"^\.TP\n\.B (\w+)$", page, re.M))
    # `endpoint` and `rule` are tables of [guard]: sections of the page.
    in_page |= set(re.findall(r"^\.SS \"\[\[guard\.(\w+)\]\]\"$", page, re.M))
    return compare(POLICY_PAGE, "configuration key", in_code, in_page)


def check_reasons(tree: Tree) -> list[Finding]:
    source = tree.text(REASONS)
    blocks = dict(REASON_ROWS.findall(tree.text(EVENTS_PAGE)))
    findings = []
    for what, prefix in (("reasons", "HW_REASON"), ("hooks", "HW_HOOK"), ("lost", "HW_LOST")):
        in_code = set(re.findall(rf'Entry\{{{prefix}_\w+,\s*\{{"(\w+)"', source))
        in_page = set(FIRST_CELL.findall(blocks.get(what, ""))) - {"name"}
        findings += compare(EVENTS_PAGE, what, in_code, in_page)
    return findings


def check_rows(tree: Tree) -> list[Finding]:
    block = ROWS_BLOCK.search(tree.text(THREATS))
    in_page = set(FIRST_CELL.findall(block.group(1) if block else "")) - {"id"}
    findings = [] if in_page else [Finding(THREATS, 1, "no table of rows")]
    for source, pattern in ROW_SOURCES.items():
        if (tree.root / source).exists():
            found = set(re.findall(pattern, tree.text(source), re.M))
            findings += compare(THREATS, f"row ({source})", found, in_page)
    return findings


def run(tree: Tree) -> list[Finding]:
    findings = []
    for paths, check in (((PARSER, POLICY_PAGE), check_keys), ((REASONS, EVENTS_PAGE), check_reasons),
                         ((THREATS,), check_rows)):
        missing = [path for path in paths if path not in tree.names()]
        tree.checked += len(paths)
        findings += [Finding(path, 1, "missing: nothing to compare with") for path in missing] or check(tree)
    return findings


_FILES = {
    PARSER: '    {"mode", false, x},\n    {"rule", false, x},\n',
    POLICY_PAGE: '.SS "[guard]"\n.TP\n.B mode\ntext\n.SS "[[guard.rule]]"\n.SS "Names"\n',
    REASONS: 'Entry{HW_REASON_RULE, {"rule", "x"}},\nEntry{HW_HOOK_TC, {"tc", "x"}},\nEntry{HW_LOST_A, {"a", "x"}},\n',
    EVENTS_PAGE: "".join(f"<!-- {kind}:begin -->\n| name | meaning |\n|---|---|\n| `{name}` | x |\n<!-- {kind}:end -->\n"
                         for kind, name in (("reasons", "rule"), ("hooks", "tc"), ("lost", "a"))),
    THREATS: "<!-- threat-rows:begin -->\n| id | attack |\n|---|---|\n| tcp | x |\n<!-- threat-rows:end -->\n",
    "agent/guard/rows.cpp": '    {"tcp", "title"},\n',
}


def _case(title, expect, path=None, old="", new=""):
    files = dict(_FILES)
    if path:
        assert old in files[path]
        files[path] = files[path].replace(old, new)
    return Case(title, files, expect)


CASES = [
    _case("all the same", None),
    _case("key not documented", "key mode is in the code", POLICY_PAGE, ".B mode", ".B made"),
    _case("key removed from the code", "key mode is in the document", PARSER, '"mode"', '"made"'),
    _case("reason not documented", "reasons rule is in the code", EVENTS_PAGE, "`rule`", "`ruled`"),
    _case("hook not documented", "hooks tc is in the code", EVENTS_PAGE, "`tc`", "`tcx`"),
    _case("counter not documented", "lost a is in the code", EVENTS_PAGE, "`a`", "`b`"),
    _case("row not documented", "row .* udp is in the code", "agent/guard/rows.cpp", "tcp", "udp"),
    _case("no rows", "no table of rows", THREATS, "threat-rows", "rows"),
]
