# SPDX-License-Identifier: Apache-2.0
"""Envelopes written and signed here with botocore; STS is the mock that checks signatures with botocore.

`hostward verify` and docs/examples/collector judge each, good and changed: same verdict, same code.
Usage: verify_test.py HOSTWARD [--seed N] [--count N]
"""
import argparse
import gzip
import hashlib
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "mock_aws"), str(HERE.parents[3] / "docs/examples/collector")]

try:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print("not installed: python3-botocore")
    sys.exit(77)

import collector  # noqa: E402
from server import KEYS, MockAws  # noqa: E402

ACCOUNT, INSTANCE, REGION = "123456789012", "i-0123456789abcdef0", "eu-central-1"
AUDIENCE = "https://collector.example"
IDENTITY_ROLE, PROFILE_ROLE = "ASIAIDENTITYROLE0001", "ASIAINSTANCEROLE0001"
EXITS = {"proven": 0, "not-proven": 8, "refused": 12}


def make_report(number: int, instance: str = INSTANCE) -> bytes:
    return json.dumps({"schema": "hostward.posture/1", "id": f"01JD4Z{number:020d}", "sequence": number,
                       "identity": {"account_id": ACCOUNT, "region": REGION, "partition": "aws",
                                    "instance_id": instance}, "checks": []}, separators=(",", ":")).encode()


def signed_headers(url: str, proof: dict, access: str) -> list[list[str]]:
    key = KEYS[access]
    request = AWSRequest("POST", url, data=collector.BODY.decode(), headers={
        "content-type": collector.FORM, "x-hostward-audience": proof["audience"], "x-hostward-nonce": proof["nonce"],
        "x-hostward-report-sha256": proof["report_sha256"]})
    SigV4Auth(Credentials(access, key.secret, key.token), "sts", REGION).add_auth(request)
    return [[name.lower(), value] for name, value in request.headers.items()]


def make_parts(url: str, report: bytes, nonce: str, access: str = IDENTITY_ROLE, audience: str = AUDIENCE) -> dict:
    proof = {"version": 1, "audience": audience, "nonce": nonce, "report_sha256": hashlib.sha256(report).hexdigest()}
    proof["sts"] = {"url": url, "headers": signed_headers(url, proof, access)}
    return proof


def written(report: bytes, proof: dict) -> bytes:
    return b'{"report":' + report + b',"proof":' + collector.canonical(proof).encode() + b"}\n"


class Lab:
    def __init__(self, program: str, folder: Path):
        self.program, self.folder = program, folder
        self.sts = MockAws().start()
        self.url = self.sts.url + "/"
        self.problems: list[str] = []

    def ours(self, data: bytes, *more: str) -> tuple[str, str]:
        done = subprocess.run([self.program, "verify", "-", "--json", "--audience", AUDIENCE, "--trusted-sts", self.url,
                               *more], input=data, capture_output=True, timeout=60, check=False, env={})
        if not done.stdout:
            return f"exit {done.returncode}: {done.stderr.decode()}", ""
        out = json.loads(done.stdout)
        if EXITS[out["verdict"]] != done.returncode:
            self.problems.append(f"exit {done.returncode} for {out['verdict']}")
        return out["verdict"], out["code"]

    def theirs(self, data: bytes) -> tuple[str, str]:
        try:
            collector.verify(collector.unpacked(data), collector.Expected(AUDIENCE, trusted_sts=self.url))
            return "proven", ""
        except collector.Refused as refused:
            return ("not-proven" if refused.code in ("no-proof", "sts-unreachable", "sts-unavailable") else "refused",
                    refused.code)

    def expect(self, name: str, data: bytes, code: str):
        ours, theirs = self.ours(data), self.theirs(data)
        if ours[1] != code or ours != theirs:
            self.problems.append(f"{name}: expected {code or 'proven'}, hostward {ours}, the collector {theirs}")

    def good(self, number: int = 1, **more) -> tuple[bytes, dict]:
        report = make_report(number)
        return report, make_parts(self.url, report, f"N{number}", **more)


def named_cases(lab: Lab):
    report, proof = lab.good()
    lab.expect("good", written(report, proof), "")
    lab.expect("gzip", gzip.compress(written(report, proof)), "")
    lab.expect("a note", written(report, {**proof, "note": "no token: \"off\" \u00e4"}), "")
    lab.expect("cut gzip", gzip.compress(written(report, proof))[:-3], "envelope")
    lab.expect("changed report", written(report.replace(b'"checks":[]', b'"checks":[1]'), proof), "report-hash")
    other = make_report(2)
    lab.expect("report and hash changed", written(other, {**proof, "report_sha256": hashlib.sha256(other).hexdigest()}),
               "sts-binding")
    forged = make_parts(lab.url, other, "N1")
    forged["sts"]["headers"] = [[n, forged["report_sha256"] if n == "x-hostward-report-sha256" else v]
                                for n, v in proof["sts"]["headers"]]
    lab.expect("hash changed under the signature", written(other, forged), "sts-refused")
    lab.expect("another audience", written(*lab.good(audience="https://other.example")), "audience")
    lab.expect("the instance profile's role", written(*lab.good(access=PROFILE_ROLE)), "arn")
    elsewhere = make_report(1, "i-0fedcba9876543210")
    lab.expect("another instance's report", written(elsewhere, make_parts(lab.url, elsewhere, "N1")),
               "identity-mismatch")
    lab.expect("no identity", written(b'{"identity":{"unknown":"x"}}', make_parts(
        lab.url, b'{"identity":{"unknown":"x"}}', "N1")), "report-identity")
    lab.expect("foreign host", written(report, {**proof, "sts": {**proof["sts"], "url": "https://evil.example/"}}),
               "sts-host")
    lab.expect("no proof", written(report, {k: v for k, v in proof.items() if k != "sts"}), "no-proof")
    lab.expect("a header more", written(report, {**proof, "sts": {
        **proof["sts"], "headers": [*proof["sts"]["headers"], ["accept", "text/xml"]]}}), "sts-headers")
    lab.expect("spaces", written(report, proof).replace(b'"version":1,', b'"version": 1,'), "envelope")
    lab.expect("two lines", written(report, proof) * 2, "envelope")
    lab.expect("lone surrogate", written(b'{"a":"\\ud800"}', make_parts(lab.url, b'{"a":"\\ud800"}', "N1")), "envelope")
    lab.expect("too large a number", written(b'{"a":1e999}', make_parts(lab.url, b'{"a":1e999}', "N1")), "envelope")


def sts_cases(lab: Lab):
    data = written(*lab.good())
    for fault, code in (({"do": "redirect", "location": "https://evil.example/"}, "sts-redirect"),
                        ({"do": "status", "status": 503}, "sts-unavailable"),
                        ({"do": "status", "status": 403}, "sts-refused"), ({"do": "garbage"}, "sts-unreachable"),
                        ({"do": "reset"}, "sts-unreachable")):
        for judge in (lab.ours, lab.theirs):
            lab.sts.faults.set({"service": "sts", "times": 1, **fault})
            told = judge(data)
            if told[1] != code:
                lab.problems.append(f"STS {fault}: {judge.__name__} says {told}")
    # Without the operator's word no such server is ever asked.
    seen = len(lab.sts.seen)
    done = subprocess.run([lab.program, "verify", "-", "--audience", AUDIENCE], input=data, capture_output=True,
                          timeout=60, check=False, env={})
    if done.returncode != 12 or b"(sts-url)" not in done.stdout or len(lab.sts.seen) != seen:
        lab.problems.append(f"an endpoint that the envelope chose: {done.returncode} {done.stdout!r}")


def replay_cases(lab: Lab):
    nonces = str(lab.folder / "nonces")
    data = written(*lab.good(7))
    told = [lab.ours(data, "--nonces", nonces)[1] for _ in range(2)]
    if told != ["", "nonce-replayed"]:
        lab.problems.append(f"shown twice: {told}")
    if lab.ours(data, "--nonce", "N7")[1] or lab.ours(data, "--nonce", "N8")[1] != "nonce":
        lab.problems.append("the nonce that was given out")
    if lab.ours(data, "--account", "210987654321")[1] != "account":
        lab.problems.append("another account")
    time.sleep(2.1)
    if lab.ours(data, "--max-age", "1s")[1] != "sts-too-old":
        lab.problems.append("older than --max-age")


def changed(rng: random.Random, pool: list[bytes]) -> bytes:
    data = bytearray(rng.choice(pool))
    how = rng.randrange(5)
    at = rng.randrange(len(data))
    if how == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif how == 1:
        del data[at:at + rng.randrange(1, 4)]
    elif how == 2:
        data.insert(at, rng.randrange(256))
    elif how == 3:
        other = rng.choice(pool)
        data[at:] = other[at:]
    else:
        data[at:at + 1] = rng.choice([b'"', b"\\", b"{", b"}", b" ", b"\\u0041", b"0", b","])
    return bytes(data)


def random_cases(lab: Lab, seed: int, count: int):
    rng = random.Random(seed)
    pool = [written(*lab.good(number)) for number in range(1, 4)]
    pool += [written(*lab.good(4, audience="https://other.example")), written(*lab.good(5, access=PROFILE_ROLE))]
    codes = set()
    for _ in range(count):
        data = changed(rng, pool)
        ours, theirs = lab.ours(data), lab.theirs(data)
        codes.add(ours[1])
        if ours != theirs:
            lab.problems.append(f"seed {seed}: hostward {ours}, the collector {theirs}: {data!r}")
        if ours[0] == "proven" and data not in pool and collector.parse_envelope(data)[0] not in map(
                make_report, range(1, 4)):
            lab.problems.append(f"seed {seed}: accepted {data!r}")
    if len(codes) < 6:
        lab.problems.append(f"too tame: only {codes}")


def collector_cases(lab: Lab):
    expected = collector.Expected(AUDIENCE, accounts=[ACCOUNT], trusted_sts=lab.url)
    server = collector.make_server(expected, lab.folder / "store")
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def post(data: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        connection.request("POST", "/collector", data)
        return connection.getresponse().status

    report, proof = lab.good(9)
    again = make_parts(lab.url, report, "N9-again")
    told = [post(gzip.compress(written(report, proof))), post(written(report, proof)), post(written(report, again)),
            post(written(report + b" ", proof)), post(b"x")]
    if told != [200, 403, 409, 403, 403]:
        lab.problems.append(f"the collector answers {told}")
    kept = [path for path in (lab.folder / "store").rglob("*.json") if path.name != "nonces.json"]
    if [path.read_bytes() for path in kept] != [report]:
        lab.problems.append(f"the collector keeps {kept}")
    server.shutdown()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(options.program, Path(folder))
        named_cases(lab)
        sts_cases(lab)
        replay_cases(lab)
        random_cases(lab, options.seed, options.count)
        collector_cases(lab)
    print("\n".join(lab.problems) or "all agree")
    return 1 if lab.problems else 0


if __name__ == "__main__":
    sys.exit(main())
