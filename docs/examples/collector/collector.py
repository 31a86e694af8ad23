#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A collector of posture reports: an example of docs/verify.md in Python's standard library.

  collector.py --store DIR --audience TEXT [--port 8443 --tls CERT KEY] [--account ID]... [--trusted-sts URL]

Takes envelopes as POST /collector, gzip or not, and keeps each proven report once: DIR/ACCOUNT/INSTANCE/REPORT-ID.json.
Answers: 200 kept, 409 there already, 403 not proven (with the reason), 503 STS could not be asked: send it again later.
"""
import argparse
import base64
import calendar
import fcntl
import gzip
import hashlib
import http.client
import http.server
import io
import json
import os
import re
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

ENVELOPE_MAX = 16 << 20
ANSWER_MAX = 65536
DEPTH_MAX = 64
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
BOUND = {"x-hostward-audience": "audience", "x-hostward-nonce": "nonce", "x-hostward-report-sha256": "report_sha256"}
NEEDED = {"authorization", "x-amz-date", *BOUND}
ALLOWED = NEEDED | {"content-type", "host", "x-amz-security-token"}
MEMBERS = ["version", "audience", "nonce", "report_sha256", "sts", "web_identity", "identity", "note"]
VISIBLE = re.compile(r"[!-~]+")
HEADER_VALUE = re.compile(r"[!-~]+( [!-~]+)*")
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}/([^/]*)/([^/]*)/sts/aws4_request, "
                           r"SignedHeaders=(.*?), Signature=[0-9a-f]{64}")
ARN = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/aws:ec2-instance/(i-(?:[0-9a-f]{8}|[0-9a-f]{17}))")
INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
# Suffixes of STS's regional names, and which regions have them. Nothing in an envelope can add to this.
PARTITIONS = [("aws", r"(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:central|(?:north|south)?(?:east|west)?)-[0-9]",
               ["amazonaws.com", "api.aws"]),
              ("aws-cn", r"cn-north(?:west)?-1", ["amazonaws.com.cn", "api.amazonwebservices.com.cn"]),
              ("aws-us-gov", r"us-gov-(?:east|west)-1", ["amazonaws.com", "api.aws"])]


class Refused(Exception):
    """What `hostward verify --json` has as its code, and words for people."""

    def __init__(self, code: str, text: str = ""):
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code


@dataclass
class Expected:
    audience: str
    nonce: str = ""
    accounts: list[str] = field(default_factory=list)
    max_age_s: int = 300
    trusted_sts: str = ""


# --- the envelope: exactly one form

def no_twins(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a member twice")
    return dict(pairs)


def no_constant(text):
    raise ValueError(text)


def finite(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


DECODER = json.JSONDecoder(object_pairs_hook=no_twins, parse_constant=no_constant, parse_float=finite)


def depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def canonical(proof: dict) -> str:
    """The proof as hostward writes it."""
    return json.dumps({name: proof[name] for name in MEMBERS if name in proof}, ensure_ascii=False,
                      separators=(",", ":"))


def parse_envelope(data: bytes) -> tuple[bytes, dict]:
    """The report's exact bytes, and the proof."""
    start, middle = '{"report":', ',"proof":'
    try:
        text = data.decode("utf-8")
        if len(data) > ENVELOPE_MAX or not text.startswith(start) or not text.endswith("}\n"):
            raise ValueError("start or end")
        if any(ord(c) < 32 for c in text[:-1]):
            raise ValueError("control character")
        report, end = DECODER.raw_decode(text, len(start))
        if text[end:end + len(middle)] != middle:
            raise ValueError("middle")
        proof = DECODER.decode(text[end + len(middle):-2])
        if not isinstance(report, dict) or not isinstance(proof, dict) or max(depth(report), depth(proof)) > DEPTH_MAX:
            raise ValueError("no objects, or too deep")
        json.dumps(report, ensure_ascii=False).encode()  # half of a surrogate pair is no text
        check_form(proof)
        if canonical(proof) != text[end + len(middle):-2]:
            raise ValueError("the proof's form")
        return text[len(start):end].encode(), proof
    except (ValueError, RecursionError) as problem:
        raise Refused("envelope", str(problem)) from None


def check_form(proof: dict):
    """Raises ValueError."""
    texts = ["audience", "nonce", "report_sha256"] + [name for name in ("web_identity", "note") if name in proof]
    if set(proof) - set(MEMBERS) or proof.get("version") != 1 or isinstance(proof["version"], (bool, float)):
        raise ValueError("members")
    if any(not isinstance(proof.get(name), str) or not proof[name] for name in texts):
        raise ValueError("texts")
    if not (VISIBLE.fullmatch(proof["audience"]) and len(proof["audience"]) <= 256
            and re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", proof["nonce"])
            and re.fullmatch(r"[0-9a-f]{64}", proof["report_sha256"])):
        raise ValueError("audience, nonce or hash")
    if len(proof.get("web_identity", "")) > 16384 or len(proof.get("note", "").encode()) > 1024:
        raise ValueError("too long")
    if "identity" in proof:
        check_identity_form(proof["identity"])
    if "sts" in proof:
        check_sts_form(proof["sts"])


def check_identity_form(identity):
    if not isinstance(identity, dict) or list(identity) != ["document", "rsa2048"]:
        raise ValueError("identity")
    document = base64.b64decode(identity["document"], validate=True)
    if base64.b64encode(document).decode() != identity["document"] or not isinstance(identity["rsa2048"], str):
        raise ValueError("identity")
    if max(len(document), len(identity["rsa2048"].encode())) > 16384:
        raise ValueError("too long")


def check_sts_form(sts):
    if not isinstance(sts, dict) or list(sts) != ["url", "headers"] or not isinstance(sts["url"], str):
        raise ValueError("sts")
    if not re.fullmatch(r"[!-~]{0,512}", sts["url"]) or not isinstance(sts["headers"], list) or len(sts["headers"]) > 16:
        raise ValueError("sts")
    for pair in sts["headers"]:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise ValueError("headers")
        name, value = pair
        if not VISIBLE.fullmatch(name) or ":" in name or len(name) > 128:
            raise ValueError("header name")
        if not HEADER_VALUE.fullmatch(value) or len(value) > 8192:
            raise ValueError("header value")


# --- the signed request, before anything is sent

def region_of(host: str) -> tuple[str, str] | None:
    for partition, regions, suffixes in PARTITIONS:
        for suffix in suffixes:
            found = re.fullmatch(rf"sts(?:-fips)?\.({regions})\.{re.escape(suffix)}", host)
            if found:
                return found.group(1), partition
    return None


def check_target(url: str, expected: Expected) -> tuple[str, str | None, str | None]:
    """Host, region and partition."""
    if expected.trusted_sts:
        if url != expected.trusted_sts.rstrip("/") + "/":
            raise Refused("sts-host")
        return urllib.parse.urlsplit(url).netloc, None, None
    found = re.fullmatch(r"https://([^/]*)/", url)
    if not found:
        raise Refused("sts-url")
    known = region_of(found.group(1))
    if not known:
        raise Refused("sts-host", found.group(1))
    return found.group(1), *known


def check_headers(pairs) -> dict[str, str]:
    headers = {}
    for name, value in pairs:
        name = name.lower()
        if name not in ALLOWED or name in headers:
            raise Refused("sts-headers", name)
        headers[name] = value
    if not NEEDED <= set(headers) or headers.get("content-type", FORM) != FORM:
        raise Refused("sts-headers")
    return headers


def check_date(text: str, date: str, expected: Expected) -> int:
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text) or text[:8] != date:
        raise Refused("sts-date")
    try:
        signed_s = calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Refused("sts-date") from None
    age_s = int(time.time()) - signed_s
    if age_s < -60:
        raise Refused("sts-future")
    if age_s > expected.max_age_s:
        raise Refused("sts-too-old")
    return signed_s


def check_request(proof: dict, expected: Expected):
    """URL, headers to send, partition, when it was signed."""
    url = proof["sts"]["url"]
    host, region, partition = check_target(url, expected)
    headers = check_headers(proof["sts"]["headers"])
    parsed = AUTHORIZATION.fullmatch(headers["authorization"])
    if not parsed:
        raise Refused("sts-authorization")
    if any(headers[name] != proof[member] for name, member in BOUND.items()):
        raise Refused("sts-binding")
    if parsed.group(3).split(";") != sorted(({*headers} | {"host"}) - {"authorization"}):
        raise Refused("sts-signed-headers")
    if headers.pop("host", host) != host:
        raise Refused("sts-host")
    if region and parsed.group(2) != region:
        raise Refused("sts-scope")
    signed_s = check_date(headers["x-amz-date"], parsed.group(1), expected)
    return url, {"content-type": FORM, **headers, "accept": "application/json"}, partition, signed_s


# --- STS itself

def ask_sts(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and answer. Neither redirects nor proxies: http.client knows none."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=10)
    try:
        connection.request("POST", "/", BODY, {"host": parts.netloc, **headers})
        response = connection.getresponse()
        return response.status, response.read(ANSWER_MAX + 1)
    except (OSError, http.client.HTTPException) as problem:
        raise Refused("sts-unreachable", str(problem)) from None
    finally:
        connection.close()


def caller_of(status: int, body: bytes) -> tuple[str, str, str]:
    """Partition, account, instance."""
    if status != 200:
        raise Refused("sts-unavailable" if status >= 500 or status == 429 else
                      "sts-redirect" if 300 <= status < 400 else "sts-refused", str(status))
    try:
        if len(body) > ANSWER_MAX:
            raise ValueError("too large")
        result = DECODER.decode(body.decode())["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
        arn, account = result["Arn"], result["Account"]
    except (ValueError, KeyError, TypeError):
        raise Refused("sts-answer") from None
    parsed = ARN.fullmatch(arn)
    if not parsed or parsed.group(2) != account:
        raise Refused("arn", arn)
    return parsed.groups()


# --- all of it

def subject_of(report: dict) -> dict[str, str]:
    identity = report.get("identity")
    if not isinstance(identity, dict):
        raise Refused("report-identity")
    said = {name: identity.get(name) if isinstance(identity.get(name), str) else ""
            for name in ("account_id", "region", "partition", "instance_id")}
    if not re.fullmatch(r"[0-9]{12}", said["account_id"]) or not INSTANCE.fullmatch(said["instance_id"]) \
            or not said["region"]:
        raise Refused("report-identity")
    return said


def verify(data: bytes, expected: Expected, ask=ask_sts) -> tuple[dict, bytes, dict, int]:
    """Subject, report, proof and when it was signed; or Refused. Replays: NonceMemory."""
    report, proof = parse_envelope(data)
    if hashlib.sha256(report).hexdigest() != proof["report_sha256"]:
        raise Refused("report-hash")
    if proof["audience"] != expected.audience:
        raise Refused("audience")
    if expected.nonce and proof["nonce"] != expected.nonce:
        raise Refused("nonce")
    said = subject_of(json.loads(report))
    if expected.accounts and said["account_id"] not in expected.accounts:
        raise Refused("account")
    # The identity document is context and not looked at here: openssl cms -verify of docs/verify.md does it.
    if "sts" not in proof:
        raise Refused("no-proof")
    url, headers, partition, signed_s = check_request(proof, expected)
    caller = caller_of(*ask(url, headers))
    if caller != (said["partition"], said["account_id"], said["instance_id"]) or partition not in (None, caller[0]):
        raise Refused("identity-mismatch", str(caller))
    return said, report, proof, signed_s


class NonceMemory:
    """What was taken, kept longer than a proof can live."""

    def __init__(self, path: Path, keep_s: int = 3600):
        self.path, self.keep_s, self.lock = path, keep_s, threading.Lock()

    def take(self, who: str, nonce: str, now_s: int):
        with self.lock, open(self.path.with_suffix(".lock"), "w", encoding="ascii") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            kept = dict(json.loads(self.path.read_text()) if self.path.exists() else {})
            kept = {key: until for key, until in kept.items() if until >= now_s}
            if f"{who} {nonce}" in kept:
                raise Refused("nonce-replayed")
            kept[f"{who} {nonce}"] = now_s + self.keep_s
            write_durably(self.path, json.dumps(kept).encode())


def write_durably(path: Path, data: bytes):
    aside = path.with_name(f".new-{path.name}")
    with open(aside, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(aside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return stream.read(ENVELOPE_MAX + 1)
    except (OSError, EOFError):
        raise Refused("envelope", "gzip") from None


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    expected: Expected
    store: Path
    nonces: NonceMemory
    writing = threading.Lock()

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if self.path != "/collector" or not length.isdigit() or int(length) > ENVELOPE_MAX:
            self.close_connection = True
            return self.answer(400, "an envelope, please")
        try:
            self.answer(*self.take(unpacked(self.rfile.read(int(length)))))
        except Refused as refused:
            self.answer(503 if refused.code in ("sts-unreachable", "sts-unavailable") else 403, str(refused))

    def take(self, data: bytes) -> tuple[int, str]:
        said, report, proof, _ = verify(data, self.expected)
        name = json.loads(report).get("id")
        if not isinstance(name, str) or not re.fullmatch(r"[0-9A-Z]{26}", name):
            raise Refused("report-id")
        with self.writing:
            self.nonces.take(f"{said['account_id']}/{said['instance_id']}", proof["nonce"], int(time.time()))
            place = self.store / said["account_id"] / said["instance_id"] / f"{name}.json"
            if place.exists():
                return 409, "it is there"  # with a new proof: the first answer was lost
            place.parent.mkdir(parents=True, exist_ok=True)
            write_durably(place, report)
        return 200, "kept"

    def answer(self, status: int, text: str):
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # an access log would hold what clients send


def make_server(expected: Expected, store: Path, port: int = 0, address: str = "127.0.0.1", tls=None):
    store.mkdir(parents=True, exist_ok=True)
    handler = type("Bound", (Collector,), {"expected": expected, "store": store,
                                           "nonces": NonceMemory(store / "nonces.json")})
    server = http.server.ThreadingHTTPServer((address, port), handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--audience", required=True)
    parser.add_argument("--account", action="append", default=[])
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--trusted-sts", default="", help="a VPC endpoint or test server, believed")
    options = parser.parse_args()
    expected = Expected(options.audience, accounts=options.account, trusted_sts=options.trusted_sts)
    make_server(expected, options.store, options.port, options.address, options.tls).serve_forever()


if __name__ == "__main__":
    main()
