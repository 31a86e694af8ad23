#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Everything that goes wrong on the way: services that refuse, are slow or half dead, wrong clocks, expired keys,
certificates that are no good, partial failures. After it passes, each sink has the report once."""
import datetime
import ssl
import time
import unittest

from scene import KEYS, ROLE, SERVICE, Scene, document, report_id
from certificates import Authority
from server import MockAws

SIGNED = ("s3", "hub", "compliance", "logs")
REMOTE = ("collector", *SIGNED)
TIMEOUT = 'timeout = "2s"\n'


class Faults(Scene):
    def setUp(self):
        super().setUp()
        self.write_report(document(3))
        self.configure(*REMOTE, more=TIMEOUT)

    def deliver_with(self, *faults: dict, number: int = 1) -> None:
        self.server.faults.set(*faults)
        self.run_driver("both", report_id(number))

    def recovers(self) -> None:
        """Once the fault is over, all that waited arrives, once."""
        self.server.faults.set()
        self.server.faults.clock_offset_s = 0
        self.run_driver("deliver")
        for sink in REMOTE:
            self.assertEqual(self.line(sink), "done ", self.output)
        for sink in ("collector", "s3"):
            self.assertEqual(self.ids_in(sink), [report_id(1)])
        self.assertEqual(len(self.state.findings), 3)

    def test_outages_are_waited_for(self):
        for do, code in [({"do": "status", "status": 500}, "500"), ({"do": "status", "status": 503}, "503"),
                         ({"do": "status", "status": 429, "code": "ThrottlingException"}, "429"),
                         ({"do": "reset"}, ""), ({"do": "garbage"}, ""), ({"do": "early_end"}, "")]:
            with self.subTest(do):
                self.deliver_with(do)
                for sink in REMOTE:
                    self.assertRegex(self.line(sink), f"^later .*{code}", self.output)
                self.assertEqual(self.output.count("slept"), 2 * len(REMOTE), self.output)
                self.recovers()
                self.tearDown_and_again()

    def tearDown_and_again(self):
        self.doCleanups()
        self.setUp()

    def test_silence_and_single_bytes_end_with_the_timeout(self):
        for do in ("hang", "slow"):
            with self.subTest(do):
                self.configure("collector", "s3", more='timeout = "1s"\n')
                begin = time.monotonic()
                self.deliver_with({"do": do})
                self.assertLess(time.monotonic() - begin, 15)
                for sink in ("collector", "s3"):
                    self.assertRegex(self.line(sink), "^later ")
                self.configure(*REMOTE, more=TIMEOUT)
                self.recovers()
                self.tearDown_and_again()

    def test_a_fault_that_passes_costs_a_retry(self):
        for sink in REMOTE:
            with self.subTest(sink):
                self.configure(sink, more=TIMEOUT)
                self.deliver_with({"service": SERVICE[sink], "do": "status", "status": 503, "times": 2})
                self.assertEqual(self.line(sink), "done ")
                self.assertEqual(self.output.count("slept"), 2)
                self.tearDown_and_again()

    def test_retry_after(self):
        self.configure("collector")
        self.deliver_with({"do": "status", "status": 429, "headers": {"Retry-After": "7"}, "times": 1})
        self.assertIn("slept 7000", self.output)
        self.assertEqual(self.line("collector"), "done ")
        self.deliver_with({"do": "status", "status": 429, "headers": {"Retry-After": "3600"}}, number=2)
        self.assertNotIn("slept", self.output)
        self.assertRegex(self.line("collector", 2), "^later ")

    def test_what_the_receiver_never_takes_is_given_up(self):
        self.deliver_with({"do": "status", "status": 400, "code": "ValidationException"})
        for sink in REMOTE:
            self.assertRegex(self.line(sink), "^refused .*400", self.output)
        self.assertNotIn("slept", self.output)

    def test_a_collector_that_repeats_a_token_is_not_quoted(self):
        self.configure("collector")
        self.server.faults.set({"do": "status", "status": 400, "body": "no: " + "T" * 60})
        self.run_driver("both", report_id(1))
        self.assertEqual(self.line("collector"), "refused the collector answered 400")
        self.server.faults.set({"do": "status", "status": 400, "body": "no such report"})
        self.run_driver("both", report_id(2))
        self.assertEqual(self.line("collector", 2), "refused the collector answered 400: no such report")

    def test_a_refused_client_waits(self):
        self.deliver_with({"do": "status", "status": 403, "code": "AccessDeniedException"})
        for sink in REMOTE:
            self.assertRegex(self.line(sink), "^later .*403", self.output)
        self.recovers()

    def test_redirects_are_not_followed(self):
        other = MockAws().start()
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        self.deliver_with({"do": "redirect", "location": other.url})
        for sink in REMOTE:
            self.assertRegex(self.line(sink), "^later .*301")
        self.assertEqual(other.seen, [])

    def test_a_clock_ten_minutes_off(self):
        for offset in (-600, 600):
            with self.subTest(offset):
                self.server.faults.clock_offset_s = offset
                self.setup["created_s"] = int(time.time())
                self.run_driver("both", report_id(1))
                for sink in REMOTE:
                    self.assertEqual(self.line(sink), "done ", self.output)
                for sink in SIGNED:
                    self.assertEqual(self.statuses(sink).count(403), 1, sink)
                self.tearDown_and_again()

    def statuses(self, sink: str) -> list[int]:
        return [status for request, status in self.server.seen
                if f"/{SERVICE[sink]}/aws4_request" in request.header("authorization")]

    def test_a_wrong_secret_is_not_tried_for_ever(self):
        self.setup["keys"] = [{**self.key(ROLE), "secret": "wrong"}]
        self.run_driver("both", report_id(1))
        for sink in SIGNED:
            self.assertRegex(self.line(sink), "^later .*SignatureDoesNotMatch")
            self.assertEqual(self.statuses(sink), [403])
        self.setup["keys"] = [self.key(ROLE)]
        self.configure(*REMOTE)
        self.server.seen.clear()
        self.run_driver("deliver")
        for sink in SIGNED:
            self.assertEqual(self.line(sink), "done ")

    def test_expired_credentials_are_asked_anew_once(self):
        soon = time.time() + 3600  # by our own clock they last
        self.server.keys["ASIAOLD"] = type(KEYS[ROLE])("old-secret", KEYS[ROLE].arn, KEYS[ROLE].account, "old-token", 1.0)
        old = {"id": "ASIAOLD", "secret": "old-secret", "token": "old-token", "expires_s": int(soon)}
        self.setup["keys"] = [old, self.key(ROLE)]
        self.configure("s3", "hub", more=TIMEOUT)
        self.run_driver("both", report_id(1))
        self.assertEqual(self.output.count("credentials asked anew"), 1)
        self.assertEqual([self.line("s3"), self.line("hub")], ["done ", "done "])
        self.assertNotIn("old-token", self.output)
        # None that are better: it waits.
        self.setup["keys"] = [old]
        self.run_driver("both", report_id(2))
        self.assertRegex(self.line("s3", 2), "^later .*ExpiredToken")

    def test_no_credentials(self):
        self.setup["keys"] = []
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("s3"), "^later .*no instance profile")
        self.assertEqual(self.line("collector"), "done ")

    def test_a_missing_bucket_and_a_foreign_owner_wait(self):
        self.state.bucket_owners.clear()
        self.configure("s3")
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("s3"), "^later .*404 NoSuchBucket")
        self.state.bucket_owners["fleet"] = "999999999999"
        self.run_driver("deliver")
        self.assertRegex(self.line("s3"), "^later .*403 AccessDenied")

    def test_an_object_that_is_there_is_left_alone(self):
        self.configure("s3")
        self.setup["created_s"] = int(time.time())
        self.deliver_with({"do": "reset", "service": "s3", "times": 1})  # stored, but nobody was told
        self.assertEqual(self.line("s3"), "done ")
        self.assertEqual(len(self.state.puts), 1)
        self.assertEqual([status for request, status in self.server.seen], [200, 412])


class Partial(Scene):
    def test_findings_that_were_not_taken_are_failures(self):
        self.configure("hub")
        self.server.faults.set({"do": "partial", "service": "securityhub", "count": 2, "times": 1})
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("hub"), "^refused .*did not take 2 findings; the first: hostward/ec2/1.0/.* InvalidInput")
        self.assertEqual(len(self.state.findings), 248)  # the others were sent all the same

    def test_rejected_log_events_are_failures(self):
        self.configure("logs")
        self.server.faults.set({"do": "partial", "service": "logs", "count": 2})
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("logs"), "^refused .*rejected")

    def test_old_reports_are_not_for_logs(self):
        self.configure("logs")
        self.setup["created_s"] = int(time.time()) - 15 * 24 * 3600
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("logs"), "^refused .*14 days")
        self.assertEqual(self.server.seen, [])


class Tls(Scene):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.believed = f'ca_file = "{self.authority.ca_file}"\n{TIMEOUT}'

    def serve(self, pair) -> None:
        self.server = MockAws(tls=tuple(pair)).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.state = self.server.state
        self.configure("collector", "s3", more=self.believed)

    def test_a_good_certificate(self):
        self.serve(self.authority.issue("good"))
        self.run_driver("both", report_id(1))
        self.assertEqual([self.line("collector"), self.line("s3")], ["done ", "done "])

    def test_bad_ones_are_refused_before_anything_is_sent(self):
        day = datetime.timedelta(days=1)
        (self.folder / "other").mkdir()
        for name, pair in [("wrong name", self.authority.issue("name", "other.example.com")),
                           ("wrong address", self.authority.issue("address", "127.0.0.2")),
                           ("expired", self.authority.issue("expired", ends_in=-day)),
                           ("self-signed", self.authority.issue("alone", self_signed=True)),
                           ("other authority", Authority(self.folder / "other").issue("foreign"))]:
            with self.subTest(name):
                self.serve(pair)
                number = 10 + len(name)
                self.run_driver("both", report_id(number))
                lines = [line for line in self.output.splitlines() if line.startswith(("collector ", "s3 "))]
                self.assertEqual(len([line for line in lines if " later " in line]), 2, self.output)
                self.assertNotIn("slept", self.output)
                self.assertEqual(self.server.seen, [])

    def test_without_ca_file_the_system_decides(self):
        self.believed = TIMEOUT
        self.serve(self.authority.issue("good"))
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("s3"), "^later ")
        self.assertEqual(self.server.seen, [])

    def test_a_client_certificate(self):
        self.serve(self.authority.issue("good"))
        self.server.tls.verify_mode = ssl.CERT_REQUIRED
        self.server.tls.load_verify_locations(str(self.authority.ca_file))
        self.configure("collector", more=self.believed)
        self.run_driver("both", report_id(1))
        self.assertRegex(self.line("collector"), "^later ")
        client = self.authority.issue("client")
        more = f'client_certificate = "{client.certificate}"\nclient_key = "{client.key}"\n'
        self.configure("collector", more=self.believed + more)
        self.run_driver("deliver")
        self.assertEqual(self.line("collector"), "done ")


if __name__ == "__main__":
    unittest.main(warnings="ignore")
