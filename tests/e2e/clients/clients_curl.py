# SPDX-License-Identifier: Apache-2.0
"""curl against the simulator: the calls AWS documents, unusual framing, every refusal and every fault."""
import base64
import time
from pathlib import Path

import harness
from harness import V4, V6, expect, expect_equal

TREES = Path(__file__).resolve().parents[2] / "imds_sim" / "trees"

V4_URL = f"http://{V4}"
V6_URL = f"http://[{V6}]"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"
ITEM = "/latest/meta-data/instance-id"
ID = "i-0123456789abcdef0"
# curl's exit codes
COULD_NOT_CONNECT, UNSUPPORTED_PROTOCOL, TIMED_OUT, RECV_ERROR = 7, 1, 28, 56
WEIRD_REPLY = 8


class Answer:
    def __init__(self, done):
        body, _, numbers = done.stdout.rpartition("\n")
        self.exit = done.returncode
        self.status, self.connects = (int(n) for n in numbers.split(","))
        self.body = body


def curl(lab, *arguments, stdin=""):
    return Answer(lab.client("curl", "-s", "-g", "-m", "5", "-w", "\n%{http_code},%{num_connects}", *arguments,
                             stdin=stdin))


def token(lab, base=V4_URL, ttl="60"):
    answer = curl(lab, "-X", "PUT", "-H", f"{TTL}: {ttl}", f"{base}/latest/api/token")
    expect_equal(answer.status, 200, "token call")
    return answer.body


def get(lab, text, path=ITEM, base=V4_URL):
    return curl(lab, "-H", f"{TOKEN}: {text}", f"{base}{path}")


def last(simulator):
    request = simulator.requests()[-1]
    return request["method"], request["status"], request["token"]


def reads_items_with_v2_over_both_families(lab):
    with lab.simulator() as simulator:
        for base, address in ((V4_URL, V4), (V6_URL, V6)):
            answer = get(lab, token(lab, base), base=base)
            expect_equal((answer.status, answer.body), (200, ID), f"item over {base}")
            expect_equal(last(simulator), ("GET", 200, "v2"), "log")
            request = simulator.requests()[-1]
            expect_equal(request["local"], address, "address asked")
            expect(request["user_agent"].startswith("curl/"), request["user_agent"])


def is_refused_without_a_token_where_one_is_required(lab):
    with lab.simulator() as simulator:
        for base in (V4_URL, V6_URL):
            answer = curl(lab, f"{base}{ITEM}")
            expect_equal(answer.status, 401, f"v1 over {base}")
            expect(ID not in answer.body, "the item was told")
            expect_equal(last(simulator), ("GET", 401, "v1"), "log")
        expect_equal(get(lab, "wrong").status, 401, "wrong token")
        expect_equal(last(simulator), ("GET", 401, "invalid"), "log")


def reads_items_with_v1_where_it_is_allowed(lab):
    with lab.simulator("--http-tokens", "optional") as simulator:
        for base in (V4_URL, V6_URL):
            expect_equal(curl(lab, f"{base}{ITEM}").body, ID, f"v1 over {base}")
            expect_equal(last(simulator), ("GET", 200, "v1"), "log")
        expect_equal(get(lab, token(lab)).status, 200, "v2 beside v1")
        expect_equal(get(lab, "wrong").status, 401, "a wrong token is refused even so")


def a_token_expires(lab):
    with lab.simulator() as simulator:
        text = token(lab, ttl="3")
        expect_equal(get(lab, text).status, 200, "before")
        time.sleep(3.1)
        expect_equal(get(lab, text).status, 401, "after")
        expect_equal(last(simulator), ("GET", 401, "expired"), "log")


def a_token_belongs_to_one_instance(lab):
    with lab.simulator():
        text = token(lab)
        expect_equal(get(lab, text).status, 200, "own instance")
    with lab.simulator():
        expect_equal(get(lab, text).status, 401, "another instance")


def token_calls_are_refused_as_documented(lab):
    with lab.simulator():
        def put(path, *headers):
            options = [part for header in headers for part in ("-H", header)]
            return curl(lab, "-X", "PUT", *options, f"{V4_URL}{path}").status

        expect_equal(put("/latest/api/token"), 400, "no TTL")
        for ttl in ("0", "21601", "-1", "abc"):
            expect_equal(put("/latest/api/token", f"{TTL}: {ttl}"), 400, f"TTL {ttl}")
        expect_equal(put("/latest/api/token", f"{TTL}: 60", "X-Forwarded-For: 10.0.0.1"), 403, "forwarded")
        expect_equal(put("/2021-03-23/api/token", f"{TTL}: 60"), 403, "dated")
        expect_equal(put("/latest/api/token", f"{TTL}: 60"), 200, "the same without")


def nothing_answers_when_the_endpoint_is_off(lab):
    with lab.simulator("--http-endpoint", "disabled", "--http-tokens", "optional"):
        expect_equal(curl(lab, f"{V4_URL}{ITEM}").status, 403, "v1")
        expect_equal(curl(lab, "-X", "PUT", "-H", f"{TTL}: 60", f"{V4_URL}/latest/api/token").status, 403, "token")


def nothing_answers_without_the_simulator(lab):
    for base in (V4_URL, V6_URL):
        answer = curl(lab, "-X", "PUT", "-H", f"{TTL}: 60", f"{base}/latest/api/token")
        expect_equal((answer.exit, answer.status), (COULD_NOT_CONNECT, 0), f"simulator off, {base}")


def lists_versions_folders_and_missing_items(lab):
    with lab.simulator():
        text = token(lab)
        expect(get(lab, text, "/").body.endswith("\nlatest"), "versions")
        expect_equal(get(lab, text, "/latest/").body, "dynamic\nmeta-data\nuser-data", "/latest/")
        expect("iam/\n" in get(lab, text, "/latest/meta-data/").body, "/latest/meta-data/")
        expect_equal(get(lab, text, "/latest/meta-data/placement/region/").body, "eu-central-1", "slash after a leaf")
        expect_equal(get(lab, text, "/latest/meta-data/nothing").status, 404, "missing item")


def keeps_the_connection(lab):
    with lab.simulator() as simulator:
        text = token(lab)
        urls = [f"{V4_URL}{ITEM}", f"{V4_URL}/latest/meta-data/ami-id", f"{V4_URL}/latest/user-data"]
        done = lab.client("curl", "-s", "-H", f"{TOKEN}: {text}", *urls)
        expect_equal(done.returncode, 0, "curl")
        ports = {request["peer_port"] for request in simulator.requests()[-3:]}
        expect_equal(len(ports), 1, "connections for three requests")


def asks_with_head_http10_and_chunked_bodies(lab):
    with lab.simulator() as simulator:
        text = token(lab)
        answer = curl(lab, "-I", "-H", f"{TOKEN}: {text}", f"{V4_URL}{ITEM}")
        expect_equal((answer.exit, answer.status), (0, 200), "HEAD")
        expect_equal(last(simulator), ("HEAD", 200, "v2"), "log")
        expect_equal(curl(lab, "--http1.0", "-H", f"{TOKEN}: {text}", f"{V4_URL}{ITEM}").body, ID, "HTTP/1.0")
        # An upload of unknown size: chunked with Expect: 100-continue, as s3fs calls for its token.
        answer = curl(lab, "-T", "-", "-H", f"{TTL}: 60", "-H", "Expect: 100-continue", f"{V4_URL}/latest/api/token",
                      stdin="body")
        expect_equal(answer.status, 200, "chunked token call")
        expect(simulator.requests()[-1]["chunked"], "the body was not chunked")
        expect_equal(get(lab, answer.body).status, 200, "its token")


def faults_show_as_what_they_are(lab):
    with lab.simulator() as simulator:
        text = token(lab)

        def fault(*settings):
            simulator.set(*settings)
            return get(lab, text)

        started = time.monotonic()
        expect_equal(fault("slow=700").status, 200, "slow")
        expect(time.monotonic() - started >= 0.7, "slow was fast")
        expect_equal(fault("status=503").status, 503, "status")
        expect_equal(fault("reset").exit, RECV_ERROR, "reset")
        garbage = fault("garbage")
        expect(garbage.exit in (UNSUPPORTED_PROTOCOL, WEIRD_REPLY) and garbage.status == 0, f"garbage: {garbage.exit}")
        simulator.set("hang")
        expect_equal(curl(lab, "-m", "0.5", f"{V4_URL}{ITEM}").exit, TIMED_OUT, "hang")
        simulator.set("throttle=1")
        urls = ["-o", "/dev/null", f"{V4_URL}{ITEM}"] * 5  # on one connection, so that they come faster than one a second
        done = lab.client("curl", "-s", "-w", "%{http_code} ", "-H", f"{TOKEN}: {text}", *urls)
        expect(done.stdout.startswith("200") and "503" in done.stdout, f"throttle: {done.stdout}")
        expect_equal([r["fault"] for r in simulator.requests()[1:6]], ["slow", "status", "reset", "garbage", "hang"], "log")
        expect_equal(fault().status, 200, "after the faults")


def settings_change_while_it_runs(lab):
    with lab.simulator("--http-tokens", "optional") as simulator:
        expect_equal(curl(lab, f"{V4_URL}{ITEM}").status, 200, "optional")
        simulator.set("http-tokens=required")
        expect_equal(curl(lab, f"{V4_URL}{ITEM}").status, 401, "required")
        simulator.set("http-endpoint=disabled")
        expect_equal(curl(lab, f"{V4_URL}{ITEM}").status, 403, "disabled")


def serves_a_leaf_from_a_file_byte_for_byte(lab):
    exact = "  \ttabs, no newline at the end \u00e9 \U0001f600"
    (lab.folder / "leaf").write_text(exact, encoding="utf-8")
    with lab.simulator("--leaf", f"user-data={lab.folder / 'leaf'}"):
        expect_equal(get(lab, token(lab), "/latest/user-data").body, exact, "user data")


def the_identity_document_verifies_with_its_certificates(lab):
    with lab.simulator():
        text = token(lab)
        body = {name: get(lab, text, f"/latest/dynamic/instance-identity/{name}").body
                for name in ("document", "rsa2048", "pkcs7", "signature")}
    for name in ("rsa2048", "pkcs7", "signature"):
        (lab.folder / name).write_bytes(base64.b64decode(body[name]))
    (lab.folder / "document").write_text(body["document"])

    def content(name, certificate):
        return lab.client("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", name, "-noverify", "-nointern",
                          "-certfile", str(TREES / certificate))

    for name in ("rsa2048", "pkcs7"):
        expect_equal(content(name, "identity-rsa2048.pem").stdout, body["document"], f"content of {name}")
        expect(content(name, "identity-signature.pem").returncode != 0, f"{name} verifies with a wrong certificate")
    key = lab.client("openssl", "x509", "-pubkey", "-noout", "-in", str(TREES / "identity-signature.pem")).stdout
    (lab.folder / "key").write_text(key)
    check = ["openssl", "dgst", "-sha256", "-verify", "key", "-signature", "signature", "document"]
    expect_equal(lab.client(*check).returncode, 0, "signature")
    (lab.folder / "document").write_text(body["document"] + " ")
    expect(lab.client(*check).returncode != 0, "the signature verifies another document")


def arguments_are_checked(lab):
    for wrong in (["--nonsense"], ["--port", "x"], ["--builtin", "nowhere"], ["--fault", "explode"],
                  ["--listen", "localhost"], ["--hop-limit", "65"]):
        done = lab.client(lab.program, *wrong)
        expect_equal(done.returncode, 2, f"exit code of {wrong}")
        expect(done.stderr.startswith("imds_sim: "), f"message of {wrong}: {done.stderr!r}")
    done = lab.client(lab.program, "--listen", "192.0.2.1")
    expect_equal(done.returncode, 1, "exit code for an address that is not here")
    expect("192.0.2.1" in done.stderr, done.stderr)


if __name__ == "__main__":
    harness.require_commands("curl", "openssl")
    harness.main([reads_items_with_v2_over_both_families, is_refused_without_a_token_where_one_is_required,
                  reads_items_with_v1_where_it_is_allowed, a_token_expires, a_token_belongs_to_one_instance,
                  token_calls_are_refused_as_documented, nothing_answers_when_the_endpoint_is_off,
                  nothing_answers_without_the_simulator, lists_versions_folders_and_missing_items,
                  keeps_the_connection, asks_with_head_http10_and_chunked_bodies, faults_show_as_what_they_are,
                  settings_change_while_it_runs, serves_a_leaf_from_a_file_byte_for_byte,
                  the_identity_document_verifies_with_its_certificates, arguments_are_checked])
