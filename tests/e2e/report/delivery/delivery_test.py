#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every sink delivers, in the form its service takes; its signed requests are refused after any changed byte; Debian's
AWS CLI reads back what was put."""
import io
import json
import os
import random
import subprocess
import unittest

from scene import (ACCOUNT, ADMIN, AWS_SINKS, FINDINGS, INSTANCE, IS_QUICK, KEEP, KEYS, REGION, SERVICE, SINKS, Scene, document,
                   report_id)
import signatures
from wire import BadRequest, Request, read_request

AWS_CLI = "/usr/bin/aws"
FLIPS = 200 if IS_QUICK else 1000  # of each sink
NOT_SENT_SIGNED = ("authorization", "content-length")


class Delivers(Scene):
    def test_every_sink_takes_a_report_once(self):
        self.run_driver("both", report_id(1))
        for sink in SINKS:
            self.assertEqual(self.line(sink), "done ", self.output)
        for sink in ("files", "collector", "s3", "logs"):
            self.assertEqual(self.ids_in(sink), [report_id(1)])
        lines = self.run_driver("deliver")
        self.assertEqual(lines, [])  # nothing waits

    def test_the_object_s_key_and_content(self):
        self.setup["created_s"] = 1_790_000_000  # 2026-09-21T14:13:20Z
        self.configure("s3")
        self.run_driver("both", report_id(1))
        (_, key), = self.state.objects
        self.assertEqual(key, f"prod/posture/v1/account={ACCOUNT}/region={REGION}/dt=2026-09-21/hour=14/"
                              f"{INSTANCE}-{report_id(1)}.json.gz")
        self.assertEqual(self.envelope_in_s3()["report"]["id"], report_id(1))
        (_, kept), = self.state.objects.values()
        self.assertEqual(kept, {"content-type": "application/json", "content-encoding": "gzip"})

    def test_findings(self):
        self.configure("hub")
        self.run_driver("both", report_id(1))
        self.assertEqual([len(call) for call in self.state.imports], [100, 100, 50])
        self.assertEqual(len(self.state.findings), FINDINGS)
        by_number = {one["GeneratorId"].rpartition(".")[2]: one for one in self.state.findings.values()}
        status = {number: one["Compliance"]["Status"] for number, one in by_number.items()}
        self.assertEqual([status[str(i)] for i in (0, 1, 2, 3, 4, 7)],
                         ["PASSED", "FAILED", "NOT_AVAILABLE", "NOT_AVAILABLE", "WARNING", "WARNING"])
        self.assertEqual(by_number["1"]["Severity"]["Label"], "HIGH")
        self.assertNotIn("Workflow", by_number["7"])
        # Fixed: the same finding, now passed.
        fixed = document()
        fixed["checks"][0]["findings"][1]["verdict"] = "pass"
        self.write_report(fixed)
        self.run_driver("both", report_id(2))
        self.assertEqual(len(self.state.findings), FINDINGS)
        self.assertEqual(self.state.findings[by_number["1"]["Id"]]["Compliance"]["Status"], "PASSED")

    def test_compliance_is_the_whole_list(self):
        self.configure("compliance")
        self.run_driver("both", report_id(1))
        (put,), = [self.state.compliance.values()]
        self.assertEqual(put["ResourceId"], INSTANCE)
        self.assertEqual(len(put["Items"]), FINDINGS * 3 // 5 + 1)  # number 7 is waived instead of not applicable
        items = {item["Id"]: item["Status"] for item in put["Items"]}
        self.assertEqual([items[f"ec2/1.{i}"] for i in (0, 1, 4, 7)],
                         ["COMPLIANT", "NON_COMPLIANT", "NON_COMPLIANT", "COMPLIANT"])

    def test_log_events(self):
        self.configure("logs")
        self.run_driver("both", report_id(1))
        events = [json.loads(event["message"]) for event in self.state.groups["/hostward/posture"][INSTANCE]]
        self.assertEqual([event["event"] for event in events], list(range(len(events))))
        self.assertEqual(len(events), 1 + FINDINGS * 2 // 5 + 1)
        self.assertNotIn("findings", events[0]["summary"]["checks"][0])
        self.assertEqual({event["verdict"] for event in events[1:]}, {"fail", "cannot-tell"})

    def test_inventory_files(self):
        self.configure("inventory")
        self.run_driver("both", report_id(1))
        custom = self.folder / "ssm" / INSTANCE / "inventory/custom"
        for name in ("hostward-posture.json", "hostward-findings.json"):
            held = json.loads((custom / name).read_text())
            self.assertTrue(held["TypeName"].startswith("Custom:"))
            rows = held["Content"] if isinstance(held["Content"], list) else [held["Content"]]
            for row in rows:
                self.assertLessEqual(len(row), 50)
                for attribute, value in row.items():
                    self.assertIsInstance(value, str)
                    self.assertLessEqual((len(attribute) <= 64, len(value) <= 4096), (True, True))
        self.assertEqual(json.loads((custom / "hostward-posture.json").read_text())["Content"]["GuardMode"], "enforce")
        self.assertEqual(sorted(path.name for path in custom.iterdir()), ["hostward-findings.json", "hostward-posture.json"])

    def test_old_files_go(self):
        self.configure("files")
        config = self.folder / "report.toml"
        config.write_text(config.read_text().replace(f"keep = {KEEP}", "keep = 2"))
        (self.folder / "files").mkdir()
        (self.folder / "files/mine.json").write_text("somebody's")
        self.run_driver("both", *[report_id(i) for i in range(5)])
        self.assertEqual(self.ids_in("files"), [report_id(3), report_id(4), "mine"])

    def test_large_reports_are_split_as_the_services_want(self):
        large = document(0)
        large["checks"][0]["findings"] = [
            {"number": f"1.{i}", "title": "t" * 600, "verdict": "fail", "reason": "r" * 1000,
             "evidence": [{"where": "w" * 300, "expected": "e", "found": "ü" * 2000}] * (20 if i == 0 else 0)}
            for i in range(1_200)]
        self.write_report(large)
        self.configure(*AWS_SINKS, "inventory")
        self.run_driver("both", report_id(1))
        for sink in (*AWS_SINKS, "inventory"):
            self.assertEqual(self.line(sink), "done ", self.output)
        self.assertEqual([len(call) for call in self.state.imports], [100] * 12)
        self.assertEqual(len(self.state.groups["/hostward/posture"][INSTANCE]), 1_201)
        puts = [request for request, _ in self.server.seen if request.header("x-amz-target").endswith("PutLogEvents")]
        self.assertGreater(len(puts), 1)
        files = list((self.folder / "ssm" / INSTANCE / "inventory/custom").iterdir())
        self.assertTrue(all(path.stat().st_size <= 3072 * 1024 for path in files))

    @unittest.skipIf(IS_QUICK, "a large report")
    def test_more_than_compliance_takes_is_refused_in_words(self):
        large = document(0)
        large["checks"][0]["findings"] = [{"number": f"1.{i}", "title": "t", "verdict": "fail"} for i in range(10_001)]
        self.write_report(large)
        self.configure("compliance")
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("compliance"), "refused .*10001 results, and Compliance takes 10000")
        self.assertEqual(self.server.seen, [])

    def test_no_secret_on_disk(self):
        self.run_driver("both", report_id(1))
        self.run_driver("add", report_id(2))
        secrets = [text.encode() for key in KEYS.values() for text in (key.secret, key.token) if text]
        searched = 0
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name != "setup.json":
                searched += 1
                for secret in secrets:
                    self.assertNotIn(secret, path.read_bytes(), path)
        self.assertGreater(searched, 8)

    def test_reports_of_other_versions_crash_no_sink(self):
        odd = [{}, {"checks": 1}, {"checks": [1, {"findings": [1, {"number": 1}, {}]}, None]}, {"guard": [1], "checks": {}},
               {"checks": [{"profile": {"id": "p"}, "findings": [{"number": "1", "verdict": "new", "evidence": [1]}]}]}]
        for number, report in enumerate(odd):
            with self.subTest(report):
                self.write_report(report)
                self.run_driver("both", report_id(number))
                for sink in SINKS:
                    self.assertEqual(self.line(sink, number), "done ", self.output)

    def test_without_an_identity(self):
        self.setup["identity"] = {}
        self.run_driver("both", report_id(1))
        for sink in ("files", "collector"):
            self.assertEqual(self.line(sink), "done ")
        for sink in ("hub", "compliance", "logs", "inventory"):
            self.assertRegex(self.line(sink), "refused .*does not say which instance")
        self.assertRegex(self.line("s3"), "later .*no region")


class Signed(Scene):
    """The verifier is botocore's signer. A change it would not see is one that reaches no service."""

    def raw(self, request: Request) -> bytes:
        named = signatures.AUTHORIZATION.fullmatch(request.header("authorization")).group(5).split(";")
        head = f"{request.method} {request.target} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in request.headers if name in (*named, *NOT_SENT_SIGNED))
        return head.encode() + b"\r\n" + request.body

    def accepted(self, raw: bytes) -> bool:
        try:
            request = read_request(io.BytesIO(raw), lambda: None)
            signatures.verify(request, self.server.keys, self.server.now_s(), REGION)
            return True
        except (BadRequest, signatures.Refused):
            return False

    def places(self, raw: bytes) -> list[int]:
        """Bytes that mean something: not the version, line ends, the space after a colon, and the length, which no
        signature holds (a wrong one is no request)."""
        out, start = [], 0
        head_end = raw.index(b"\r\n\r\n")
        for number, line in enumerate(raw[:head_end].split(b"\r\n")):
            if number == 0:
                out += range(start, start + len(line) - len(b" HTTP/1.1"))
            elif not line.startswith(b"content-length"):
                colon = line.index(b":")
                out += [*range(start, start + colon + 1), *range(start + colon + 2, start + len(line))]
            start += len(line) + 2
        return out + list(range(head_end + 4, len(raw)))

    def test_one_changed_byte_and_no_sink_s_request_passes(self):
        self.run_driver("both", report_id(1))
        chance = random.Random(5)
        for sink in AWS_SINKS:
            sent = [request for request, status in self.server.seen
                    if f"/{SERVICE[sink]}/aws4_request" in request.header("authorization") and status == 200]
            self.assertTrue(sent, sink)
            raw = self.raw(sent[-1])
            self.assertTrue(self.accepted(raw), sink)
            places = self.places(raw)
            head = [place for place in places if place < raw.index(b"\r\n\r\n")]
            done = 0
            while done < FLIPS:
                place = chance.choice(head if done % 2 else places)
                old, new = raw[place], chance.randrange(256)
                # Names of headers have no case, so that is no change.
                if new == old or bytes([new]).lower() == bytes([old]).lower() and self.in_name(raw, place):
                    continue
                changed = raw[:place] + bytes([new]) + raw[place + 1:]
                self.assertFalse(self.accepted(changed), f"{sink}: byte {place} {old:#x} -> {new:#x}")
                done += 1

    @staticmethod
    def in_name(raw: bytes, place: int) -> bool:
        if place > raw.index(b"\r\n\r\n") or place < raw.index(b"\r\n"):
            return False
        line = raw.rindex(b"\n", 0, place) + 1
        return place < raw.index(b":", line)

    def test_what_is_signed(self):
        self.run_driver("both", report_id(1))
        for request, _ in self.server.seen:
            if not request.header("authorization"):
                continue
            named = signatures.AUTHORIZATION.fullmatch(request.header("authorization")).group(5).split(";")
            for name in ("host", "x-amz-date", "x-amz-security-token", "content-type"):
                self.assertIn(name, named)
        put = next(request for request, _ in self.server.seen if request.method == "PUT")
        named = signatures.AUTHORIZATION.fullmatch(put.header("authorization")).group(5).split(";")
        for name in ("x-amz-content-sha256", "x-amz-checksum-sha256", "if-none-match", "x-amz-expected-bucket-owner"):
            self.assertIn(name, named)
        self.assertIn("account%3D" + ACCOUNT, put.target)


@unittest.skipUnless(os.path.exists(AWS_CLI), "awscli is not installed")
class ReadBack(Scene):
    def aws(self, *arguments: str):
        key = KEYS[ADMIN]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "AWS_ACCESS_KEY_ID": ADMIN, "AWS_PAGER": "",
                       "AWS_SECRET_ACCESS_KEY": key.secret, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
        done = subprocess.run([AWS_CLI, "--endpoint-url", self.server.url, "--output", "json", *arguments],
                              env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_debian_s_aws_cli_reads_everything(self):
        self.run_driver("both", report_id(1))
        listed = self.aws("s3", "ls", "--recursive", "s3://fleet/prod/")
        key = listed.split()[-1]
        copy = self.folder / "copy.gz"
        self.aws("s3", "cp", f"s3://fleet/{key}", str(copy))
        unpacked = subprocess.run(["/bin/gzip", "-dc", str(copy)], capture_output=True, check=True).stdout
        self.assertEqual(json.loads(unpacked)["report"]["id"], report_id(1))
        findings = json.loads(self.aws("securityhub", "get-findings"))["Findings"]
        self.assertEqual(len(findings), FINDINGS)
        events = json.loads(self.aws("logs", "get-log-events", "--log-group-name", "/hostward/posture",
                                     "--log-stream-name", INSTANCE))["events"]
        self.assertEqual(json.loads(events[0]["message"])["report"], report_id(1))
        items = json.loads(self.aws("ssm", "list-compliance-items"))["ComplianceItems"]
        self.assertEqual({item["ResourceId"] for item in items}, {INSTANCE})


if __name__ == "__main__":
    unittest.main(warnings="ignore")
