#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every format of a report with every verdict and hostile text, held to its schema by validators that are not ours."""
import argparse
import html.parser
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import botocore.session
import botocore.validate
import jsonschema

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parent.parent.parent
FORMATS = {"text": "txt", "json": "json", "ocsf": "ocsf.json", "asff": "asff.json", "junit": "xml", "html": "html"}
HOSTILE = b"ID='<script>alert(1)</script>&\"'\\'' ]]>\xc3\xa9'\nPRETTY_NAME='bad \x1b[31m \xff\xfe <b>'\n"


def check(program, *words):
    return subprocess.run([program, "check", "--library", HERE / "library", "--profile", "fixture", *words],
                          capture_output=True, timeout=60, check=False)


class Formats(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name)
        (root / "image/etc").mkdir(parents=True)
        (root / "image/etc/os-release").write_bytes(HOSTILE)
        (root / "image/etc/hostname").write_bytes(b"na<me>\xff\n")
        wanted = [word for name in FORMATS for word in ("--format", name)]
        aws = ["--aws-account", "123456789012", "--aws-region", "eu-central-1", "--aws-instance", "i-0abc"]
        cls.done = check(cls.program, "--root", root / "image", "--tailoring", HERE / "tailoring.toml", *wanted, *aws,
                         "--output", root / "r")
        cls.texts = {name: (root / f"r.{suffix}").read_bytes().decode() for name, suffix in FORMATS.items()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_ends_with_findings(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (10, b""))

    def test_json_fits_its_schema(self):
        report = json.loads(self.texts["json"])
        schema = json.loads((SOURCE / "docs/schema/check-report.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(report)
        verdicts = {one["number"]: one["verdict"] for one in report["findings"]}
        self.assertEqual(verdicts, {"1.1": "pass", "1.2": "fail", "2.1": "fail", "2.2": "fail", "2.10": "not-applicable",
                                    "3.1": "manual", "3.2": "cannot-tell"})
        self.assertEqual(report["summary"] | {"score": 25}, {"pass": 1, "fail": 3, "cannot-tell": 1, "manual": 1,
                                                             "not-applicable": 1, "waived": 1, "score": 25})
        self.assertEqual([one["rule"] for one in report["orphan_waivers"]], ["gone"])
        self.assertEqual(report["host"]["name"], "na<me>\\xff")

    def test_schema_refuses_what_it_should(self):
        report = json.loads(self.texts["json"])
        schema = json.loads((SOURCE / "docs/schema/check-report.schema.json").read_text())
        report["findings"][0]["verdict"] = "fine"
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(report)

    def test_ocsf_is_a_compliance_finding(self):
        events = json.loads(self.texts["ocsf"])
        jsonschema.Draft202012Validator(json.loads((HERE / "ocsf_compliance_finding.json").read_text())).validate(events)
        by_number = {one["compliance"]["requirements"][0]: one for one in events}
        self.assertEqual(by_number["2.1"]["status"], "Suppressed")
        self.assertEqual(by_number["2.2"]["status"], "New")
        self.assertEqual(by_number["3.2"]["compliance"]["status_id"], 2)
        self.assertEqual(by_number["1.2"]["severity"], "Critical")
        self.assertEqual(len({one["finding_info"]["uid"] for one in events}), len(events))

    def test_asff_is_what_security_hub_takes(self):
        findings = json.loads(self.texts["asff"])
        model = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")
        problems = botocore.validate.ParamValidator().validate({"Findings": findings}, model.input_shape)
        self.assertFalse(problems.has_errors(), problems.generate_report())
        for one in findings:
            self.assertLessEqual(len(one["Title"]), 256)
            self.assertLessEqual(len(one["Description"]), 1024)
            self.assertIn(one["Compliance"]["Status"], ("PASSED", "FAILED", "WARNING", "NOT_AVAILABLE"))
        status = {one["GeneratorId"].split("/")[-1]: one["Compliance"]["Status"] for one in findings}
        self.assertEqual(status["3.2"], "WARNING")
        self.assertEqual(status["1.1"], "PASSED")
        # The validator does look: a type that is wrong is noticed.
        findings[0]["Title"] = 1
        self.assertTrue(botocore.validate.ParamValidator().validate({"Findings": findings}, model.input_shape).has_errors())

    def test_junit_fits_its_schema_and_counts(self):
        done = subprocess.run(["/usr/bin/xmllint", "--noout", "--schema", HERE / "junit.xsd", "-"],
                              input=self.texts["junit"].encode(), capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        for text in ('tests="7" failures="2" errors="1" skipped="3"', "cannot tell"):
            self.assertIn(text, self.texts["junit"])

    def test_html_runs_nothing_and_is_well_formed(self):
        page = Page()
        page.feed(self.texts["html"])
        self.assertEqual(page.open, [])
        self.assertLessEqual(page.seen, {"html", "head", "meta", "title", "style", "body", "h1", "p", "div", "svg", "circle",
                                         "text", "table", "tr", "th", "td", "i", "input", "label", "main", "details",
                                         "summary", "b", "span", "dl", "dt", "dd", "ul", "li", "pre", "code"})
        self.assertFalse([name for name in page.attributes if name.startswith("on") or name in ("src", "href")])
        self.assertIn("default-src 'none'", self.texts["html"])

    def test_text_has_no_control_characters(self):
        for name, text in self.texts.items():
            self.assertFalse([c for c in text if ord(c) < 32 and c != "\n"], name)
        self.assertIn("1 passed, 3 failed (1 waived), 1 cannot tell, 1 manual, 1 not applicable", self.texts["text"])

    def test_the_summary_comes_first_and_all_of_it_is_bounded(self):
        root = pathlib.Path(self.folder.name)
        words = ("--root", root / "image", "--tailoring", HERE / "tailoring.toml", "--summary-line")
        everything = check(self.program, *words, "--all").stdout.decode()
        first, _, text = everything.partition("\n")
        summary = json.loads(first)
        self.assertEqual(summary, {"version": 1, "summary": "check", "profile": "fixture", "host": "na<me>\\xff", "pass": 1,
                                   "fail": 3, "cannot-tell": 1, "manual": 1, "not-applicable": 1, "waived": 1,
                                   "score": 25.0, "truncated": False, "worst": ["fails", "fails-expired"]})
        done = check(self.program, *words, "--all", "--max-chars", "1000")
        self.assertEqual((done.returncode, done.stderr), (10, b""))
        self.assertLessEqual(len(done.stdout), 1000)
        shown = done.stdout.decode().splitlines()
        self.assertEqual(shown[0], first)
        left_out = len(text.splitlines()) - len(shown[1:-1])
        self.assertEqual(shown[1:-1], text.splitlines()[:-left_out])
        self.assertTrue(shown[-1].startswith(f"... and {left_out} more lines: hostward check --max-chars "), shown[-1])

    def test_the_summary_stands_alone_beside_files(self):
        file = pathlib.Path(self.folder.name) / "beside.json"
        root = pathlib.Path(self.folder.name) / "image"
        done = check(self.program, "--root", root, "--summary-line", "--format", "json", "--output", file)
        self.assertEqual(json.loads(done.stdout)["fail"], json.loads(file.read_text())["summary"]["fail"])

    def test_the_summary_says_why_there_is_none(self):
        done = check(self.program, "--root", "/nowhere", "--summary-line")
        self.assertIn("/nowhere", json.loads(done.stdout)["error"])
        self.assertNotIn(done.returncode, (0, 10, 168, 169, 194))

    def test_wrong_arguments_say_what_is_allowed(self):
        for words, expected in ((("--format", "asff"), b"--aws-account"), (("--format", "pdf"), b"text,json"),
                                (("--format", "json", "--format", "text"), b"--output"), (("--fail-on", "x"), b"level1"),
                                (("--set", "fails.x=1"), b"no parameter"), (("--level", "3"), b"--level")):
            done = check(self.program, *words)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(expected, done.stderr, words)
            self.assertEqual(done.stdout, b"")


class Page(html.parser.HTMLParser):
    """Which elements and attributes there are, and whether all are closed."""
    VOID = {"meta", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes = [], set(), set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    known, rest = parser.parse_known_args()
    Formats.program = known.program
    unittest.main(argv=[sys.argv[0], *rest])
