# SPDX-License-Identifier: Apache-2.0
"""What the delivery tests share: the mock, a configuration with every sink, a report, and the driver."""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "mock_aws"))
try:
    from server import ACCOUNT, INSTANCE, KEYS, REGION, MockAws
except ImportError as missing:
    print(f"SKIP: a Debian package is not installed: {missing}")
    sys.exit(77)

BUILT = Path(os.environ.get("HOSTWARD_BUILT", HERE.parents[3] / "build/dev"))
DRIVER = BUILT / "tests/e2e/report_driver"
IS_QUICK = bool(os.environ.get("HOSTWARD_QUICK"))
ROLE = "ASIAINSTANCEROLE0001"
ADMIN = "AKIAADMINISTRATOR001"
KEEP = 1000  # of the file sink
FINDINGS = 250  # three calls of Security Hub
AWS_SINKS = ("s3", "hub", "compliance", "logs")
SINKS = ("files", "collector", *AWS_SINKS, "inventory")
SERVICE = {"s3": "s3", "hub": "securityhub", "compliance": "ssm", "logs": "logs", "collector": "collector"}


def report_id(number: int) -> str:
    return f"01HW{number:022d}"


def finding(number: int, verdict: str) -> dict:
    out = {"number": f"1.{number}", "title": f"recommendation {number} with \"quotes\" and ünïcode", "automated": True,
           "verdict": verdict, "rule": f"rule-{number}", "severity": "high", "reason": "because",
           "evidence": [{"where": "/etc/x", "expected": "a", "found": "b" * (number * 20)}], "evidence_dropped": 0,
           "took_us": 1}
    if number == 7:
        out["waiver"] = {"rule": "rule-7", "reason": "agreed", "owner": "somebody", "state": "holds"}
    return out


def document(findings: int = FINDINGS) -> dict:
    verdicts = ["pass", "fail", "not-applicable", "manual", "cannot-tell"]
    check = {"version": 1, "hostward": "0", "profile": {"id": "ec2", "title": "EC2", "version": "1"}, "level": 1,
             "started": 1, "summary": {"pass": 1}, "orphan_waivers": [],
             "findings": [finding(i, "fail" if i == 7 else verdicts[i % 5]) for i in range(findings)]}
    return {"schema": "hostward.posture/1", "guard": {"known": True, "loaded": True, "mode": "enforce", "sealed": False},
            "identity": {"account_id": ACCOUNT, "instance_id": INSTANCE, "region": REGION}, "checks": [check]}


class Scene(unittest.TestCase):
    """A mock, and a folder with everything the driver reads."""
    tls = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="report-delivery-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.server = MockAws(tls=self.tls).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.state = self.server.state
        (self.folder / "ssm" / INSTANCE).mkdir(parents=True)
        self.setup = {"identity": {"account_id": ACCOUNT, "region": REGION, "instance_id": INSTANCE},
                      "keys": [self.key(ROLE)], "report": str(self.folder / "report.json")}
        self.write_report(document())
        self.configure(*SINKS)

    @staticmethod
    def key(access: str, **other) -> dict:
        return {"id": access, "secret": KEYS[access].secret, "token": KEYS[access].token, **other}

    def write_report(self, report: dict) -> None:
        (self.folder / "report.json").write_text(json.dumps(report))

    def table(self, sink: str) -> str:
        aws = f'endpoint = "{self.server.url}"\n'
        return f"[sink.{sink}]\n" + {
            "files": f'type = "file"\npath = "{self.folder}/files"\nkeep = {KEEP}\n',
            "collector": f'type = "https"\nurl = "{self.server.url}/collector"\n',
            "s3": f'type = "s3"\nbucket = "fleet"\nprefix = "prod/"\nexpected_bucket_owner = "{ACCOUNT}"\n{aws}',
            "hub": f'type = "securityhub"\n{aws}',
            "compliance": f'type = "ssm-compliance"\n{aws}',
            "logs": f'type = "cloudwatch-logs"\nlog_group = "/hostward/posture"\n{aws}',
            "inventory": f'type = "ssm-inventory"\npath = "{self.folder}/ssm"\n',
        }[sink]

    def configure(self, *sinks: str, more: str = "", report: str = "") -> None:
        """`more` is for every table of a sink that takes it, `report` for [report]."""
        text = f'[report]\nstate_dir = "{self.folder}/state"\n{report}\n'
        for sink in sinks:
            text += self.table(sink) + (more if sink not in ("files", "inventory") else "") + "\n"
        (self.folder / "report.toml").write_text(text)

    def command(self, *arguments: str) -> list[str]:
        # Whole at any moment: a driver that was started before may be about to read it.
        (self.folder / "setup.new").write_text(json.dumps(self.setup))
        (self.folder / "setup.new").rename(self.folder / "setup.json")
        return [str(DRIVER), str(self.folder / "report.toml"), str(self.folder / "setup.json"), *arguments]

    def run_driver(self, *arguments: str, **options) -> list[str]:
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=300, **options)
        self.assertEqual(done.stderr, "", done.stdout)
        self.output = done.stdout
        for key in KEYS.values():
            self.assertNotIn(key.secret, done.stdout)
            if key.token:
                self.assertNotIn(key.token, done.stdout)
        return done.stdout.splitlines()

    def line(self, sink: str, number: int = 1) -> str:
        """What the driver said of one report and sink."""
        start = f"{sink} {report_id(number)} "
        found = [line.removeprefix(start) for line in self.output.splitlines() if line.startswith(start)]
        self.assertEqual(len(found), 1, self.output)
        return found[0]

    def ids_in(self, sink: str) -> list[str]:
        """Ids of the reports that a sink has, each as often as it has it."""
        if sink == "files":
            return sorted(path.stem for path in (self.folder / "files").glob("*.json"))
        if sink == "collector":
            return sorted(self.state.collected)
        if sink == "s3":
            return sorted(key.rpartition("-")[2].removesuffix(".json.gz") for _, key in self.state.puts)
        streams = self.state.groups.get("/hostward/posture", {})
        messages = [json.loads(event["message"]) for event in streams.get(INSTANCE, [])]
        return sorted(event["report"] for event in messages if event["kind"] == "summary")

    def envelope_in_s3(self) -> dict:
        (data, _), = self.state.objects.values()
        return json.loads(gzip.decompress(data))
