# SPDX-License-Identifier: Apache-2.0
"""Lists that stand in two places are the same: configuration keys, event and journal fields, reasons, metrics, rows, findings."""
import json
import re

from tree import Case, Finding, Tree

PARSER = "agent/config/guard_parse.cpp"
POLICY_PAGE = "docs/man/hostward.toml.5"
REASONS = "agent/guard/reasons.cpp"
NEEDS = "agent/sandbox/capabilities.cpp"
NEED = re.compile(r"Need\{(CAP_\w+),\s*Program::(\w+),")
UNIT = "packaging/systemd/hostward-guard.service"
CHECK_UNIT = "packaging/systemd/hostward-check.service"
EVENTS = "agent/guard/events.cpp"
JOURNAL = "agent/guard/events_journal.cpp"
EVENTS_PAGE = "docs/events.md"
EVENT_SCHEMA = "docs/schema/event.schema.json"
METRICS = "agent/guard/metrics_text.cpp"
METRICS_PAGE = "docs/metrics.md"
THREATS = "docs/threat-model.md"
DIAGNOSE = "agent/guard/diagnose.cpp"
DOCTOR_PAGE = "docs/doctor.md"
EXPLAIN_PAGE = "docs/explain.md"
EXPLANATION = "tests/golden/cli/expected/explain_json.txt"
SIMULATION = "tests/golden/cli/expected/simulation_json.txt"
ANSWER_BLOCKS = re.compile(r"<!-- (explanation|simulation|callers):begin -->(.*?)<!-- \1:end -->", re.S)
CHECK = re.compile(r'^    Check\{"([\w-]+)", "\w+", \w+\},$', re.M)
FINDINGS_BLOCK = re.compile(r"<!-- findings:begin -->(.*?)<!-- findings:end -->", re.S)
# Every list of row ids besides the document: the product's own, and the table of kernels.
ROWS = "agent/guard/rows.cpp"
TABLE = "tests/vm/table.py"
ROW = re.compile(r'Row\{\s*(?:"([a-z0-9-]+)"|(k\w+)),\s*"[^"]*",\s*"(\w+)"')
CONSTANT = re.compile(r'constexpr std::string_view (k\w+) = "([a-z0-9-]+)"')
TABLE_ROW = re.compile(r'^    "([a-z0-9-]+)": "', re.M)
DOCUMENT_ROW = re.compile(r"^\| ([\w-]+) \| [^|]* \| ([^|]*) \|", re.M)
ROWS_BLOCK = re.compile(r"<!-- threat-rows:begin -->(.*?)<!-- threat-rows:end -->", re.S)
REASON_ROWS = re.compile(r"<!-- (reasons|hooks|lost|fields|journal):begin -->(.*?)<!-- \1:end -->", re.S)
FIRST_CELL = re.compile(r"^\| ([^|]+) \|", re.M)
NAME = re.compile(r"`([\w-]+)`")
METRIC = re.compile(r'^    \{"(hostward_\w+)", "(\w+)",', re.M)
METRIC_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|", re.M)
METRICS_BLOCK = re.compile(r"<!-- metrics:begin -->(.*?)<!-- metrics:end -->", re.S)


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


def names_in(table: str) -> set[str]:
    return {name for cell in FIRST_CELL.findall(table) for name in NAME.findall(cell)}


def check_reasons(tree: Tree) -> list[Finding]:
    source = tree.text(REASONS)
    blocks = dict(REASON_ROWS.findall(tree.text(EVENTS_PAGE)))
    findings = []
    for what, prefix in (("reasons", "HW_REASON"), ("hooks", "HW_HOOK"), ("lost", "HW_LOST")):
        in_code = set(re.findall(rf'Entry\{{{prefix}_\w+,\s*\{{"(\w+)"', source))
        findings += compare(EVENTS_PAGE, what, in_code, names_in(blocks.get(what, "")))
    fields = set(re.findall(r'\bout\["(\w+)"\] = ', tree.text(EVENTS)))
    schema = json.loads(tree.text(EVENT_SCHEMA))
    findings += compare(EVENT_SCHEMA, "field", fields, set(schema["properties"]))
    # A field that a released version lacks may be missing in its lines; ours has them all.
    findings += compare(EVENT_SCHEMA, "required field", fields, set(schema["required"]))
    return findings + compare(EVENTS_PAGE, "field", fields, names_in(blocks.get("fields", "")))


def check_journal(tree: Tree) -> list[Finding]:
    """The journal's fields are those of the line but the times, under longer names, and a few of its own."""
    source = tree.text(JOURNAL)
    times = set(re.findall(r'"(\w+)"', re.search(r"kTimes\{(.*?)\};", source).group(1)))
    of_the_line = set(re.findall(r'\bout\["(\w+)"\] = ', tree.text(EVENTS)))
    in_code = set(re.findall(r'\badd\(out, "(\w+)", ', source)) | {f"HOSTWARD_{name.upper()}" for name in of_the_line - times}
    in_page = names_in(dict(REASON_ROWS.findall(tree.text(EVENTS_PAGE))).get("journal", ""))
    identity = re.search(r'kMessageId = "(\w+)"', source).group(1)
    findings = compare(EVENTS_PAGE, "journal field", in_code, in_page)
    if f"`{identity}`" not in tree.text(EVENTS_PAGE):
        findings.append(Finding(EVENTS_PAGE, 1, f"the document does not have the MESSAGE_ID {identity}"))
    return findings + [Finding(JOURNAL, 1, f"there is no field {name} to leave out") for name in times - of_the_line]


def check_metrics(tree: Tree) -> list[Finding]:
    block = METRICS_BLOCK.search(tree.text(METRICS_PAGE))
    in_page = set(METRIC_ROW.findall(block.group(1) if block else ""))
    in_code = set(METRIC.findall(tree.text(METRICS)))
    if not in_code:
        return [Finding(METRICS, 1, "no table of metrics")]
    return compare(METRICS_PAGE, "metric", {" ".join(m) for m in in_code}, {" ".join(m) for m in in_page})


def rows_in_code(source: str) -> dict[str, str]:
    """Row id -> the layer that closes it."""
    constants = dict(CONSTANT.findall(source))
    return {literal or constants.get(constant, constant): layer for literal, constant, layer in ROW.findall(source)}


def check_rows(tree: Tree) -> list[Finding]:
    block = ROWS_BLOCK.search(tree.text(THREATS))
    in_page = dict(DOCUMENT_ROW.findall(block.group(1) if block else ""))
    in_page.pop("id", None)
    if not in_page:
        return [Finding(THREATS, 1, "no table of rows")]
    in_code = rows_in_code(tree.text(ROWS))
    findings = compare(THREATS, f"row ({ROWS})", set(in_code), set(in_page))
    if not findings and list(in_code) != list(in_page):
        findings.append(Finding(THREATS, 1, f"rows stand in another order than in {ROWS}"))
    for name, layer in in_code.items():
        if layer not in in_page.get(name, layer).replace(",", " ").split():
            findings.append(Finding(THREATS, 1, f"row {name}: the code says {layer}, the document {in_page[name]}"))
    if TABLE in tree.names():
        findings += compare(THREATS, f"row ({TABLE})", set(TABLE_ROW.findall(tree.text(TABLE))), set(in_page))
    return findings


def check_findings(tree: Tree) -> list[Finding]:
    page = tree.text(DOCTOR_PAGE)
    block = FINDINGS_BLOCK.search(page)
    in_page = re.findall(r"^\| `([\w-]+)` \|", block.group(1) if block else "", re.M)
    in_code = CHECK.findall(tree.text(DIAGNOSE))
    findings = compare(DOCTOR_PAGE, "finding", set(in_code), set(in_page))
    if not findings and in_code != in_page:
        findings.append(Finding(DOCTOR_PAGE, 1, f"findings stand in another order than in {DIAGNOSE}"))
    if f"asks {len(in_code)} questions" not in page:
        findings.append(Finding(DOCTOR_PAGE, 1, f"the document does not say that there are {len(in_code)} questions"))
    return findings


def check_answers(tree: Tree) -> list[Finding]:
    """What `guard explain --json` prints, as golden texts have it."""
    blocks = dict(ANSWER_BLOCKS.findall(tree.text(EXPLAIN_PAGE)))
    simulation = json.loads(tree.text(SIMULATION))
    answers = {"explanation": json.loads(tree.text(EXPLANATION).splitlines()[0]), "simulation": simulation,
               "callers": simulation["would_be_refused"]["callers"][0]}
    return [finding for name, answer in answers.items()
            for finding in compare(EXPLAIN_PAGE, f"field of {name}", set(answer), names_in(blocks.get(name, "")))]


def check_capabilities(tree: Tree) -> list[Finding]:
    needs = NEED.findall(tree.text(NEEDS))
    findings = []
    for unit, program in ((UNIT, "Guard"), (CHECK_UNIT, "Check")):
        bounding = re.search(r"^CapabilityBoundingSet=(.*)$", tree.text(unit), re.M)
        kept = {capability for capability, needing in needs if needing == program}
        findings += compare(unit, "capability", kept, set(bounding.group(1).split()) if bounding else set())
    return findings


def run(tree: Tree) -> list[Finding]:
    findings = []
    for paths, check in (((PARSER, POLICY_PAGE), check_keys), ((REASONS, EVENTS, EVENTS_PAGE, EVENT_SCHEMA), check_reasons),
                         ((JOURNAL, EVENTS, EVENTS_PAGE), check_journal),
                         ((METRICS, METRICS_PAGE), check_metrics), ((DIAGNOSE, DOCTOR_PAGE), check_findings),
                         ((EXPLAIN_PAGE, EXPLANATION, SIMULATION), check_answers), ((ROWS, THREATS), check_rows), ((NEEDS, UNIT, CHECK_UNIT), check_capabilities)):
        missing = [path for path in paths if path not in tree.names()]
        tree.checked += len(paths)
        findings += [Finding(path, 1, "missing: nothing to compare with") for path in missing] or check(tree)
    return findings


_FILES = {
    NEEDS: 'Need{CAP_BPF, Program::Guard, "x"},\nNeed{CAP_SYS_PTRACE,\n  Program::Guard, "y"},\nNeed{CAP_CHOWN, Program::Check, "z"},\n',
    UNIT: "[Service]\nCapabilityBoundingSet=CAP_SYS_PTRACE CAP_BPF\n",
    CHECK_UNIT: "[Service]\nCapabilityBoundingSet=CAP_CHOWN\n",
    PARSER: '    {"mode", false, x},\n    {"rule", false, x},\n',
    POLICY_PAGE: '.SS "[guard]"\n.TP\n.B mode\ntext\n.SS "[[guard.rule]]"\n.SS "Names"\n',
    REASONS: 'Entry{HW_REASON_RULE, {"rule", "x"}},\nEntry{HW_HOOK_TC, {"tc", "x"}},\nEntry{HW_LOST_A, {"a", "x"}},\n',
    EVENT_SCHEMA: '{"required": ["uid", "gid"], "properties": {"uid": {}, "gid": {}}}',
    METRICS: '    {"hostward_a", "gauge", "x"},\n    {"hostward_b_total", "counter",\n     "y"},\n',
    METRICS_PAGE: "<!-- metrics:begin -->\n| name | type | meaning |\n|---|---|---|\n| `hostward_a` | gauge | x |\n"
                  "| `hostward_b_total` | counter | y |\n<!-- metrics:end -->\n",
    EVENTS: 'out["uid"] = 1;\nout["gid"] = 2;\n',
    JOURNAL: 'kMessageId = "abc";\nkTimes{"gid"};\nadd(out, "MESSAGE", x);\n',
    EVENTS_PAGE: "<!-- fields:begin -->\n| name | meaning |\n|---|---|\n| `uid`, `gid` | x |\n<!-- fields:end -->\n"
                 "<!-- journal:begin -->\n| `MESSAGE` | x |\n| `HOSTWARD_UID` | `abc` |\n<!-- journal:end -->\n" + "".join(f"<!-- {kind}:begin -->\n| name | meaning |\n|---|---|\n| `{name}` | x |\n<!-- {kind}:end -->\n"
                         for kind, name in (("reasons", "rule"), ("hooks", "tc"), ("lost", "a"))),
    DIAGNOSE: '    Check{"a-b", "kernel", check_a},\n    Check{"c", "guard", check_c},\n',
    DOCTOR_PAGE: "asks 2 questions\n<!-- findings:begin -->\n| `a-b` | x |\n| `c` | y |\n<!-- findings:end -->\n",
    EXPLANATION: '{"rule": 1}\n{"rule": 2}\n',
    SIMULATION: '{"result": 1, "would_be_refused": {"callers": [{"user": 1}]}}\n',
    EXPLAIN_PAGE: "".join(f"<!-- {kind}:begin -->\n| {names} | x |\n<!-- {kind}:end -->\n" for kind, names in (
        ("explanation", "`rule`"), ("simulation", "`result`, `would_be_refused`"), ("callers", "`user`"))),
    THREATS: "<!-- threat-rows:begin -->\n| id | attack | stopped by | rest |\n|---|---|---|---|\n"
             "| tcp | x | connect | |\n| dnat | y | kernel, egress | |\n<!-- threat-rows:end -->\n",
    ROWS: 'constexpr std::string_view kDnat = "dnat";\nRow{"tcp", "title", "connect", x},\nRow{kDnat, "t", "egress", x},\n',
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
    _case("capability missing in the unit", "capability CAP_BPF is in the code", UNIT, " CAP_BPF", ""),
    _case("capability too much in the unit", "CAP_SYS_BOOT is in the document", UNIT, "CAP_BPF", "CAP_BPF CAP_SYS_BOOT"),
    _case("capability of the other unit", "CAP_BPF is in the document", CHECK_UNIT, "CAP_CHOWN", "CAP_CHOWN CAP_BPF"),
    _case("field not documented", "field gid is in the code", EVENTS_PAGE, ", `gid`", ""),
    _case("field removed from the code", "field gid is in the document", EVENTS, "gid", "uid"),
    _case("field not in the schema", "field gid is in the code", EVENT_SCHEMA, ', "gid": {}', ""),
    _case("field not required by the schema", "required field gid is in the code", EVENT_SCHEMA, ', "gid"]', "]"),
    _case("journal field not documented", "journal field MESSAGE is in the code", EVENTS_PAGE, "| `MESSAGE` | x |\n", ""),
    _case("journal field of the line not documented", "HOSTWARD_UID is in the code", EVENTS_PAGE, "HOSTWARD_UID", "UID"),
    _case("journal field that is left out", "HOSTWARD_GID is in the document", EVENTS_PAGE, "`HOSTWARD_UID`", "`HOSTWARD_UID`, `HOSTWARD_GID`"),
    _case("another message id", "MESSAGE_ID abc", EVENTS_PAGE, "`abc`", "`abd`"),
    _case("a time that is no field", "no field pid to leave out", JOURNAL, '"gid"', '"gid", "pid"'),
    _case("metric not documented", "metric hostward_a gauge is in the code", METRICS_PAGE, "`hostward_a`", "`hostward_c`"),
    _case("metric of another type", "metric hostward_b_total counter is in the code", METRICS_PAGE, "counter", "gauge"),
    _case("no metrics", "no table of metrics", METRICS, "hostward_", "other_"),
    _case("rows in another order", "order", ROWS, 'Row{"tcp", "title", "connect", x},\nRow{kDnat, "t", "egress", x},',
          'Row{kDnat, "t", "egress", x},\nRow{"tcp", "title", "connect", x},'),
    _case("row not documented", "row .* udp is in the code", ROWS, "tcp", "udp"),
    _case("row without code", "row .* dnat is in the document", ROWS, "kDnat,", "kOther,"),
    _case("row stopped by another layer", "code says tc", ROWS, '"egress"', '"tc"'),
    _case("finding not documented", "finding c is in the code", DOCTOR_PAGE, "`c`", "`d`"),
    _case("finding without code", "finding c is in the document", DIAGNOSE, '"c"', '"d"'),
    _case("findings in another order", "another order", DOCTOR_PAGE, "| `a-b` | x |\n| `c` | y |", "| `c` | y |\n| `a-b` | x |"),
    _case("findings miscounted", "there are 2 questions", DOCTOR_PAGE, "asks 2", "asks 3"),
    _case("field of an explanation not documented", "explanation why is in the code", EXPLANATION, "rule", "why"),
    _case("field of a simulation not documented", "simulation result is in the code", EXPLAIN_PAGE, "`result`, ", ""),
    _case("field of a caller removed", "callers user is in the document", SIMULATION, '"user"', '"exe"'),
    _case("no rows", "no table of rows", THREATS, "threat-rows", "rows"),
]
