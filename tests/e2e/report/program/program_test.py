#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`hostward report` from the posture to every sink, with secrets planted and looked for everywhere."""
import gzip
import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

try:
    import botocore  # noqa: F401
    import jsonschema
except ImportError as missing:
    print(f"SKIP: {missing.name} is not installed")
    sys.exit(77)
if os.geteuid() != 0:
    print("SKIP: needs root to collect a posture")
    sys.exit(77)

from scene import ACCOUNT, HOSTWARD, IDENTITY_TOKEN, INSTANCE, PROFILE_TOKEN, REGION, SECRETS, SINKS, SOURCE, Scene, genuine_instance, tokens

NETWORK_SINKS = ("archive", "collector", "compliance", "hub", "logs")
# Three quarters of the peak are pages of shared libraries, most of them what Debian's libcurl is linked with.
PEAK_KIB_MAX = 20 * 1024
OWN_KIB_MAX = 6 * 1024
IMDS_PER_S_MAX = 5


def schemas():
    folder = SOURCE / "docs/schema"
    outer = json.loads((folder / "posture-report.schema.json").read_text())
    inner = json.loads((folder / "check-report.schema.json").read_text())
    return outer, jsonschema.RefResolver("", outer, store={"check-report.schema.json": inner})


class Report(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.end)
        self.scene.collect()

    def collected(self) -> list[dict]:
        return [json.loads(gzip.decompress(body)) for body in self.scene.aws.state.collected.values()]

    def must(self, *arguments, **other):
        done = self.scene.report("--once", *arguments, **other)
        self.assertEqual(done.code, 0, done.out + done.err)
        return done

    def test_every_sink_has_the_report_once(self):
        done = self.must("--json")
        result = json.loads(done.out)
        self.assertEqual([(sink["sent"], sink["waiting"], sink["refused"]) for sink in result["sinks"]], [(1, 0, 0)] * 7)
        state = self.scene.aws.state
        self.assertEqual(list(state.collected), [result["id"]])
        self.assertEqual(len(state.puts), 1)
        self.assertRegex(state.puts[0][1], rf"^prod/posture/v1/account={ACCOUNT}/region={REGION}/dt=[\d-]+/hour=\d\d/{INSTANCE}")
        self.assertTrue(state.findings and state.compliance and state.groups["/fleet/posture"])
        self.assertEqual(len(list((self.scene.state / "reports").iterdir())), 1)
        self.assertTrue(list((self.scene.state / "ssm" / INSTANCE / "inventory/custom").glob("*.json")))
        summary = json.loads(self.must("--summary-line").out.splitlines()[0])
        self.assertEqual({name: summary[name] for name in ("sequence", "instance_id", "all_sent", "sent", "sinks_behind")},
                         {"sequence": 2, "instance_id": INSTANCE, "all_sent": True, "sent": 7, "sinks_behind": []})
        self.assertEqual([one["report"]["sequence"] for one in self.collected()], [1, 2])
        self.assertEqual(state.collected_twice, 0)

    def test_the_report_is_as_its_schema_says(self):
        self.must("--sink", "collector")
        report = self.collected()[0]["report"]
        outer, resolver = schemas()
        jsonschema.Draft202012Validator(outer, resolver=resolver).validate(report)
        self.assertEqual(report["identity"]["instance_id"], INSTANCE)
        self.assertEqual(report["checks"][0]["profile"]["id"], "cis-debian-12")

    def test_an_outage_costs_nothing_and_doubles_nothing(self):
        self.scene.aws.faults.set({"service": "collector", "do": "status", "status": 500})
        first = self.scene.report("--once", "--json")
        self.assertEqual(first.code, 1)
        states = {sink["name"]: sink for sink in json.loads(first.out)["sinks"]}
        self.assertEqual(states["collector"]["waiting"], 1)
        self.assertIn("500", states["collector"]["text"])
        self.assertEqual([states[name]["sent"] for name in NETWORK_SINKS if name != "collector"], [1] * 4)
        self.scene.aws.faults.set()
        self.must()
        self.assertEqual([one["report"]["sequence"] for one in self.collected()], [1, 2])
        self.assertEqual(len(self.scene.aws.state.puts), 2)

    def test_no_secret_is_anywhere(self):
        self.scene.aws.faults.set({"service": "logs", "do": "hang", "times": 1})  # the last sink: look at it while it waits
        process = self.scene.start("--once")
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        deadline = time.monotonic() + 60
        while not self.scene.aws.state.collected and time.monotonic() < deadline:
            time.sleep(0.05)
        proc = Path(f"/proc/{process.pid}")
        seen = {name: (proc / name).read_bytes() for name in ("environ", "cmdline")}
        limits = (proc / "limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        self.assertEqual((proc / "environ").stat().st_uid, 0, "the process is dumpable")  # else its files were its user's, see proc(5)
        process.kill()
        process.wait()
        seen["stdout"], seen["stderr"] = process.stdout.read().encode(), process.stderr.read().encode()
        again = self.scene.report("--once")
        seen["stdout again"], seen["stderr again"] = again.out.encode(), again.err.encode()
        for path in [p for p in self.scene.state.rglob("*") if p.is_file()]:
            seen[str(path)] = path.read_bytes()
        for name, body in [*self.scene.aws.state.collected.items(), *((key, value[0]) for key, value in self.scene.aws.state.objects.items())]:
            seen[f"sent {name}"] = gzip.decompress(body)
        seen["findings"] = json.dumps([*self.scene.aws.state.findings.values()]).encode()
        seen["logs"] = json.dumps(self.scene.aws.state.groups).encode()
        tokens = {"profile token": PROFILE_TOKEN, "identity token": IDENTITY_TOKEN}
        for where, what in seen.items():
            for name, secret in {**SECRETS, **tokens}.items():
                # The identity role's session token is a part of the signed request that an envelope carries.
                if name == "identity token" and (where.startswith("sent") or "/reports/" in where):
                    continue
                self.assertNotIn(secret.encode(), what, f"{name} in {where}")
        self.assertTrue(any("/spool/" in where for where in seen) or again.code == 0)

    def test_what_a_run_costs(self):
        peak, own = self.scene.memory_kib("--once")
        print(f"peak {peak} KiB, of it {own} KiB its own", file=sys.stderr)
        self.assertGreater(own, 0)
        self.assertLessEqual(own, OWN_KIB_MAX)
        self.assertLessEqual(peak, PEAK_KIB_MAX)
        requests = self.scene.imds.requests()
        requests = requests[[r["method"] for r in requests].index("PUT"):]
        self.assertEqual({r["token"] for r in requests} - {"call", "v2"}, set())
        report = [r for r in requests if r["user_agent"].startswith("hostward")]
        self.assertEqual(len({r["peer_port"] for r in report}), 1)
        self.assertEqual([r["token"] for r in report].count("call"), 1)
        times = sorted(r["time_ms"] for r in report)
        for start in times:
            self.assertLessEqual(sum(start <= t < start + 1000 for t in times), IMDS_PER_S_MAX)

    def test_a_proxy_of_the_environment_is_not_asked(self):
        proxies = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")}
        self.must(**proxies)

    def test_a_dry_run_changes_nothing(self):
        before = sorted(self.scene.state.rglob("*"))
        done = self.scene.report("--dry-run")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(json.loads(done.out)["identity"]["instance_id"], INSTANCE)
        self.assertEqual(sorted(self.scene.state.rglob("*")), before)
        self.assertEqual(self.scene.aws.seen, [])

    def test_a_dry_run_of_root_changes_nothing_either(self):
        before = {path: path.stat().st_mtime_ns for path in self.scene.state.rglob("*")}
        done = self.scene.report("--dry-run", "--library", str(SOURCE / "hardening"), user=0)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.scene.state.rglob("*")}, before)

    def test_without_the_metadata_service_the_report_says_so(self):
        self.scene.imds.set("http-endpoint=disabled")
        done = self.scene.report("--once", "--json")
        self.assertEqual(done.code, 1)
        self.assertIn("403", json.loads(done.out)["identity_problem"])
        states = {sink["name"]: sink for sink in json.loads(done.out)["sinks"]}
        self.assertEqual((states["local"]["sent"], states["collector"]["sent"], states["archive"]["waiting"]), (1, 1, 1))
        envelope = self.collected()[0]
        self.assertIn("403", envelope["report"]["identity"]["unknown"])
        self.assertIn("not bound to STS", envelope["proof"]["note"])

    def verify(self, *arguments) -> dict:
        envelope = self.scene.folder / "envelope.json"
        envelope.write_bytes(next(reversed(self.scene.aws.state.collected.values())))
        command = [HOSTWARD, "verify", envelope, "--audience", "posture.example.com", "--json", *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        return {"exit": done.returncode, "err": done.stderr, **json.loads(done.stdout or "{}")}

    def test_a_genuine_instance_is_proven(self):
        instance = genuine_instance()
        if instance is None:
            print("SKIP: no vectors at ../shared/vectors")
            return
        self.scene = Scene(instance)
        self.addCleanup(self.scene.end)
        self.scene.collect()
        self.must()
        proven = self.verify("--sts", "--trusted-sts", self.scene.aws.url)
        self.assertEqual(proven["exit"], 0, proven["err"])
        self.assertTrue(instance.account in json.dumps(proven) and instance.instance in json.dumps(proven))
        self.assertNotEqual(self.verify("--sts", "--trusted-sts", self.scene.aws.url, "--region", "us-east-1")["exit"], 0)
        self.assertNotEqual(self.verify("--sts", "--trusted-sts", self.scene.aws.url, "--account", ACCOUNT)["exit"], 0)

    def test_what_was_sent_verifies(self):
        """But for the identity document: AWS did not sign the simulator's."""
        self.must("--sink", "collector", "--nonce", "challenge-1")
        proof = self.collected()[0]["proof"]
        self.assertEqual((proof["audience"], proof["nonce"]), ("posture.example.com", "challenge-1"))
        refused = self.verify("--trusted-sts", self.scene.aws.url, "--nonce", "challenge-1")
        self.assertNotEqual(refused["exit"], 0)
        self.assertIn("identity", json.dumps(refused))
        without = self.collected()[0]
        del without["proof"]["identity"]
        self.put(without)
        proven = self.verify("--trusted-sts", self.scene.aws.url, "--nonce", "challenge-1")
        self.assertEqual(proven["exit"], 0, proven)
        self.assertNotEqual(self.verify("--trusted-sts", self.scene.aws.url, "--nonce", "challenge-2")["exit"], 0)
        without["report"]["host"]["hostname"] += "x"
        self.put(without)
        self.assertNotEqual(self.verify("--trusted-sts", self.scene.aws.url, "--nonce", "challenge-1")["exit"], 0)

    def put(self, envelope: dict) -> None:
        """In the place of the last one, in the form that envelopes have."""
        text = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False) + "\n"
        self.scene.aws.state.collected[next(reversed(self.scene.aws.state.collected))] = gzip.compress(text.encode())

    def test_a_web_identity_token_verifies_offline(self):
        self.scene.write_config(SINKS, proof="web-identity")
        self.must("--sink", "collector")
        without = self.collected()[0]
        self.assertEqual(without["proof"].get("note", ""), "")
        del without["proof"]["identity"]
        self.put(without)
        keys = self.scene.folder / "jwks.json"
        keys.write_text(json.dumps(tokens.jwks()))
        proven = self.verify("--offline", "--jwks", keys)
        self.assertEqual(proven["exit"], 0, proven)
        keys.write_text(keys.read_text().replace('"x": "', '"x": "A'))
        self.assertNotEqual(self.verify("--offline", "--jwks", keys)["exit"], 0)

    def test_root_collects_and_reports(self):
        for path in [self.scene.state, *self.scene.state.rglob("*")]:
            os.chown(path, 0, 0)  # without a user hostward root stays root, and has no power over files of others
        done = self.scene.report("--once", "--library", str(SOURCE / "hardening"), "--sink", "local", user=0)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(json.loads((self.scene.state / "posture/posture.json").read_text())["guard"]["known"], True)

    def test_two_runs_at_once(self):
        both = [self.scene.start("--once", "--sink", "collector") for _ in range(2)]
        ends = []
        for process in both:
            out, err = process.communicate()
            ends.append((process.returncode, out, err))
        # The spool has one owner at a time: the other says so, or came after.
        for code, _, err in ends:
            self.assertTrue(code == 0 or "another" in err, ends)
        self.assertEqual(self.scene.aws.state.collected_twice, 0)

    def test_mistakes_are_named(self):
        self.assertIn("there is no sink \"x\"", self.scene.report("--once", "--sink", "x").err)
        self.assertEqual(self.scene.report("--once", "--nonce", "two words").code, 2)
        self.scene.config.write_text("[report]\nproof = \"strong\"\n")
        done = self.scene.report("--once")
        self.assertEqual(done.code, 3)
        self.assertIn("report.toml:2: report.proof is \"strong\"", done.err)
        self.scene.write_config("", state_dir="/nonexistent")
        self.assertIn("hostward check --posture", self.scene.report("--once").err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
