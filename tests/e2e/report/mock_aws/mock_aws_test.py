#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The mock against real clients: boto3 is accepted, and refused with a wrong secret, token, clock or region."""
import datetime
import hashlib
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    print("SKIP: python3-boto3 is not installed")
    sys.exit(77)

from server import ACCOUNT, INSTANCE, KEYS, REGION, MockAws

ROLE = "ASIAINSTANCEROLE0001"


def client(server, service, **other):
    key = KEYS[ROLE]
    settings = {"aws_access_key_id": ROLE, "aws_secret_access_key": key.secret, "aws_session_token": key.token,
                "region_name": REGION, **other}
    return boto3.client(service, endpoint_url=server.url, **settings,
                        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, proxies={}))


def finding(number: int, **other) -> dict:
    now = datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"SchemaVersion": "2018-10-08", "Id": f"f/{number}", "GeneratorId": "g", "AwsAccountId": ACCOUNT,
            "ProductArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default", "CreatedAt": now,
            "UpdatedAt": now, "Title": "t", "Description": "d", "Severity": {"Label": "LOW"},
            "Resources": [{"Type": "Other", "Id": "r"}], **other}


class Mock(unittest.TestCase):
    def setUp(self):
        self.server = MockAws().start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_sts_names_the_key_s_owner(self):
        identity = "ASIAIDENTITYROLE0001"
        key = KEYS[identity]
        sts = client(self.server, "sts", aws_access_key_id=identity, aws_secret_access_key=key.secret,
                     aws_session_token=key.token)
        self.assertEqual(sts.get_caller_identity()["Arn"],
                         f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-instance/{INSTANCE}")

    def test_wrong_secret_token_and_region_are_refused(self):
        for change, code in [({"aws_secret_access_key": "no"}, "SignatureDoesNotMatch"),
                             ({"aws_session_token": None}, "UnrecognizedClientException"),
                             ({"aws_access_key_id": "ASIANOBODY"}, "InvalidClientTokenId"),
                             ({"region_name": "us-east-1"}, "SignatureDoesNotMatch")]:
            with self.subTest(change):
                self.refused(code, client(self.server, "sts", **change).get_caller_identity)

    def test_a_clock_ten_minutes_off_is_refused(self):
        self.server.faults.clock_offset_s = 600
        self.refused("InvalidSignatureException", client(self.server, "securityhub").get_findings)

    def test_expired_credentials_are_refused(self):
        self.server.keys["ASIAOLD"] = type(KEYS[ROLE])("s", "arn", ACCOUNT, "t", 1.0)
        old = client(self.server, "ssm", aws_access_key_id="ASIAOLD", aws_secret_access_key="s", aws_session_token="t")
        self.refused("ExpiredTokenException", old.list_compliance_items)

    def test_s3_keeps_and_lists_objects(self):
        s3 = client(self.server, "s3")
        key = "posture/v1/dt=2026-01-01/a b+ü.json.gz"
        s3.put_object(Bucket="fleet", Key=key, Body=b"x" * 1000, ChecksumAlgorithm="SHA256")
        self.assertEqual(s3.get_object(Bucket="fleet", Key=key)["Body"].read(), b"x" * 1000)
        self.assertEqual([o["Key"] for o in s3.list_objects_v2(Bucket="fleet", Prefix="posture/")["Contents"]], [key])
        self.refused("NoSuchBucket", s3.get_object, Bucket="other", Key=key)
        self.refused("AccessDenied", s3.get_object, Bucket="fleet", Key=key, ExpectedBucketOwner="999999999999")

    def test_security_hub_holds_findings_to_the_format(self):
        hub = client(self.server, "securityhub")
        answer = hub.batch_import_findings(Findings=[finding(1), finding(2, AwsAccountId="999999999999")])
        self.assertEqual((answer["SuccessCount"], answer["FailedCount"]), (1, 1))
        self.assertEqual([one["Id"] for one in hub.get_findings()["Findings"]], ["f/1"])
        self.refused("InvalidInputException", hub.batch_import_findings, Findings=[finding(i) for i in range(101)])

    def test_compliance_and_logs(self):
        item = {"Id": "1", "Severity": "HIGH", "Status": "COMPLIANT", "Title": "t"}
        ssm = client(self.server, "ssm")
        ssm.put_compliance_items(ResourceId=INSTANCE, ResourceType="ManagedInstance", ComplianceType="Custom:hostward",
                                 ExecutionSummary={"ExecutionTime": datetime.datetime.utcnow()}, Items=[item],
                                 ItemContentHash=hashlib.md5(b"").hexdigest())
        self.assertEqual(len(ssm.list_compliance_items()["ComplianceItems"]), 1)
        logs = client(self.server, "logs")
        event = {"timestamp": int(self.server.now_s() * 1000), "message": "m"}
        put = {"logGroupName": "g", "logStreamName": "s", "logEvents": [event]}
        self.refused("ResourceNotFoundException", logs.put_log_events, **put)
        logs.create_log_group(logGroupName="g")
        logs.create_log_stream(logGroupName="g", logStreamName="s")
        logs.put_log_events(**put)
        old = {**put, "logEvents": [{"timestamp": 1, "message": "m"}]}
        self.assertIn("rejectedLogEventsInfo", logs.put_log_events(**old))
        self.assertEqual(len(logs.get_log_events(logGroupName="g", logStreamName="s")["events"]), 1)

    def test_faults(self):
        self.server.faults.set({"do": "status", "status": 503, "code": "SlowDown", "times": 1, "service": "s3"})
        s3 = client(self.server, "s3")
        self.refused("SlowDown", s3.put_object, Bucket="fleet", Key="k", Body=b"")
        s3.put_object(Bucket="fleet", Key="k", Body=b"")


if __name__ == "__main__":
    unittest.main(warnings="ignore")
