# SPDX-License-Identifier: Apache-2.0
"""The report's metadata client against the simulator: what it asks, what it says of every fault, and what it never does.

The simulator's log is what is believed, more than the client's words.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "clients"))
import harness  # noqa: E402
from clients_hop_limit import Net  # noqa: E402
from harness import V4, V6, expect, expect_equal  # noqa: E402

PROBE = os.environ.get("REPORT_PROBE", "")
VECTORS = Path(os.environ.get("HOSTWARD_VECTORS", "/nonexistent"))
ANSWER_LIMIT_S = 30
ITEM = "meta-data/instance-id"
IDENTITY_ROLE = "meta-data/identity-credentials/ec2/security-credentials/ec2-instance"


class Probe:
    def __init__(self, namespace, env=None):
        clean = {"PATH": harness.CLEAN_PATH, **(env or {})}
        self.process = subprocess.Popen(namespace.command("setpriv", "--pdeathsig", "KILL", PROBE), env=clean, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(ANSWER_LIMIT_S)
        self.process.stdout.close()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        expect(answer, f"the probe ended at {line!r}")
        return answer

    def get(self, path=ITEM):
        return self.ask(f"get {path}")


def expect_in(part, text):
    expect(part in text, f"{part!r} is not in {text!r}")


def timed(call):
    started = time.monotonic()
    answer = call()
    return answer, time.monotonic() - started


def one_connection_one_token(lab):
    with lab.simulator() as simulator, Probe(lab.namespace) as probe:
        for path in (ITEM, "meta-data/ami-id", "meta-data/placement/region"):
            expect_in("ok ", probe.get(path))
        log = simulator.requests()
    expect_equal([entry["token"] for entry in log], ["call", "v2", "v2", "v2"], "how it shows who it is")
    expect_equal(len({entry["peer_port"] for entry in log}), 1, "connections")
    expect_equal({entry["ttl"] for entry in log if entry["token"] == "call"}, {60}, "TTL asked for")
    expect(all(entry["user_agent"].startswith("hostward/") for entry in log), "User-Agent")
    expect(not any(entry["forwarded"] or entry["chunked"] for entry in log), "X-Forwarded-For or a chunked call")


def at_most_five_requests_a_second(lab):
    with lab.simulator() as simulator, Probe(lab.namespace) as probe:
        for _ in range(24):
            expect_in("ok ", probe.get())
        log = simulator.requests()
    times = [entry["time_ms"] for entry in log]
    expect_equal(len(times), 25, "requests")
    closest = min(later - earlier for earlier, later in zip(times, times[5:]))
    expect(closest >= 1000, f"six requests within {closest} ms")
    expect_equal(len({entry["peer_port"] for entry in log}), 1, "connections")


def nobody_there(lab):
    with Probe(lab.namespace) as probe:
        answer, seconds = timed(probe.get)
        expect_in("error System no metadata service at", answer)
        expect(seconds < 1, f"refused, and yet it took {seconds:.1f} s")
        # An item more costs nothing: the run asks a dozen of them.
        expect_in("error System", timed(probe.get)[0])


def nothing_comes_back(lab):
    """Packets vanish, as they do where a security tool drops them."""
    with Probe(lab.namespace, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://10.99.99.99"}) as probe:
        lab.namespace.ip("link", "add", "void0", "type", "veth", "peer", "name", "void1")
        lab.namespace.ip("link", "set", "void1", "up")
        lab.namespace.ip("addr", "add", "10.99.99.1/24", "dev", "void0")
        lab.namespace.ip("link", "set", "void0", "up")
        lab.namespace.ip("neigh", "add", "10.99.99.99", "lladdr", "02:00:00:00:00:01", "dev", "void0")
        answer, seconds = timed(probe.get)
        expect_in("error System no metadata service at", answer)
        expect(0.8 < seconds < 2, f"{seconds:.1f} s to find out")


def slow_answers(lab):
    with lab.simulator() as simulator, Probe(lab.namespace) as probe:
        simulator.set("slow=700")
        expect_in("ok ", probe.get())
        simulator.set("slow=5000", "on=get")
        answer, seconds = timed(probe.get)
        expect_in("error System the metadata service did not answer", answer)
        expect("hop limit" not in answer, answer)
        expect(seconds < 4, f"{seconds:.1f} s")
        simulator.set()
        expect_in("ok ", probe.get())


def token_lost_mid_run(lab):
    with Probe(lab.namespace) as probe:
        with lab.simulator():
            expect_in("ok ", probe.get())
        with lab.simulator() as other:  # refuses the first one's tokens
            expect_in("ok ", probe.get())
            expect_equal([(entry["token"], entry["status"]) for entry in other.requests()],
                         [("invalid", 401), ("call", 200), ("v2", 200)], "one new token")
            other.set("status=401", "on=get")
            expect_in("error Denied", probe.get())
            other.set()
            expect_in("ok ", probe.get())


def token_call_hangs(lab):
    with lab.simulator("--port", "80") as simulator, Probe(lab.namespace) as probe:
        simulator.set("hang", "on=token")
        answer, seconds = timed(probe.get)
        expect_in("hop limit of the instance (HttpPutResponseHopLimit)", answer)
        expect(seconds < 4, f"{seconds:.1f} s")


def ask_once(namespace, env):
    with Probe(namespace, env) as probe:
        return probe.get()


def wait_until(condition):
    end = time.monotonic() + ANSWER_LIMIT_S
    while not condition():
        expect(time.monotonic() < end, "waited in vain")


def hop_limit_over_real_forwarding(lab):
    net = Net(lab, "hwtest-report-hop")
    with lab.simulator("--hop-limit", "1"):
        for url in (f"http://{V4}", f"http://[{V6}]"):
            env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url}
            # IPv6 routers find each other within seconds of being made: "no service" until then.
            wait_until(lambda: "no metadata service" not in ask_once(net.container, env))
            expect_in("hop limit of the instance (HttpPutResponseHopLimit)", ask_once(net.container, env))
            expect_in("ok ", ask_once(net.instance, env))


def throttled(lab):
    with lab.simulator() as simulator, Probe(lab.namespace) as probe:
        expect_in("ok ", probe.get())
        before = len(simulator.requests())
        simulator.set("status=503")
        expect_in("error Exhausted", probe.get())
        expect_equal(len(simulator.requests()) - before, 4, "attempts")
        simulator.set("throttle=2")
        for _ in range(5):
            expect_in("ok ", probe.get())


def answers_that_are_none(lab):
    with lab.simulator() as simulator, Probe(lab.namespace) as probe:
        expect_in("ok ", probe.get())
        for fault in ("garbage", "reset"):
            simulator.set(fault)
            expect_in("error System the metadata service did not answer", probe.get())
        simulator.set()
        expect_in("ok ", probe.get())


def refusals_in_words(lab):
    with lab.simulator() as simulator, Probe(lab.namespace) as probe:
        expect_in("error NotFound", probe.get("meta-data/no-such-item"))
        expect_in("404 (there is no such item)", probe.get("meta-data/no-such-item"))
        simulator.set("http-endpoint=disabled")
        expect_in("error Denied", probe.get())
        expect_in("403 (the instance's options or a rule forbid it", probe.get())
    with lab.simulator("--http-endpoint", "disabled") as simulator, Probe(lab.namespace) as probe:
        expect_in("error Denied the metadata service answered the token call with 403", probe.get())
        expect_equal({entry["method"] for entry in simulator.requests()}, {"PUT"}, "what was asked")


def version_1_is_never_used(lab):
    with lab.simulator("--http-tokens", "optional") as simulator, Probe(lab.namespace) as probe:
        for status in (400, 403, 404, 405, 500):
            simulator.set(f"status={status}", "on=token")
            expect_in("error ", probe.get())
        expect_equal({entry["method"] for entry in simulator.requests()}, {"PUT"}, "what was asked")


def environment_of_the_sdks(lab):
    with lab.simulator() as simulator:
        with Probe(lab.namespace, {"AWS_EC2_METADATA_DISABLED": "true"}) as probe:
            expect_in("error Unsupported", probe.get())
        expect_equal(simulator.requests(), [], "requests while disabled")
        with Probe(lab.namespace, {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}) as probe:
            expect_in("ok ", probe.get())
        expect_equal({entry["peer"] for entry in simulator.requests()}, {V6}, "asked over IPv6")
    with Probe(lab.namespace, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"}) as probe:
        expect_in("error Invalid", probe.process.stdout.readline())


def proxies_of_the_environment_do_not_count(lab):
    """A proxy on the namespace's loopback that counts: nothing may come."""
    script = ("import socket, sys\nserver = socket.create_server(('127.0.0.1', 3128))\nprint('ready', flush=True)\n"
              "server.settimeout(8)\n"
              "try:\n    server.accept()\n    print('came', flush=True)\nexcept TimeoutError:\n    print('none', flush=True)\n")
    proxy = subprocess.Popen(lab.namespace.command("/usr/bin/python3", "-c", script), stdout=subprocess.PIPE, text=True)
    expect_equal(proxy.stdout.readline(), "ready\n", "the proxy")
    url = "http://127.0.0.1:3128"
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    with lab.simulator() as simulator, Probe(lab.namespace, {name: url for name in names}) as probe:
        expect_in("ok ", probe.get())
        expect_equal(len(simulator.requests()), 2, "requests that came straight")
    expect_equal(proxy.stdout.readline(), "none\n", "connections to the proxy")
    proxy.wait()
    proxy.stdout.close()


def leaf(folder, name, text):
    path = Path(folder, name)
    path.write_text(text)
    return path


def credentials_of_all_kinds(lab):
    with lab.simulator(), Probe(lab.namespace) as probe:
        expect_equal(probe.ask("credentials identity"), "ok valid", "identity role")
    whole = {"Code": "Success", "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "SECRETKEY", "Token": "SECRETTOKEN",
             "Expiration": "2020-01-01T00:00:00Z"}
    for text, expected in ((json.dumps(whole), "ok expired"),
                           (json.dumps({**whole, "Code": "InstanceProfileNotFound"}),
                            'error Denied the metadata service has no credentials: its code is "InstanceProfileNotFound"'),
                           (json.dumps({**whole, "Token": None}), "error Invalid the answer with credentials lacks"),
                           ("{SECRETKEY", "error Invalid the answer with credentials is no JSON object"),
                           ("SECRET" * 20000, "error System the metadata service did not answer")):
        with tempfile.TemporaryDirectory() as folder:
            path = leaf(folder, "leaf", text)
            with lab.simulator("--leaf", f"{IDENTITY_ROLE}={path}"), Probe(lab.namespace) as probe:
                answer = probe.ask("credentials identity")
        expect_in(expected, answer)
        expect("SECRET" not in answer, "a secret in an answer")


def no_instance_profile(lab):
    with lab.simulator("--builtin", "no-role"), Probe(lab.namespace) as probe:
        expect_in("error NotFound the instance has no instance profile", probe.ask("credentials profile"))


def genuine_identity_through_the_service(lab):
    if not VECTORS.exists():
        print(f"SKIP: no vectors at {VECTORS}")
        return
    document, signature = (VECTORS / "iid" / f"B-us-west-2-2018.{end}" for end in ("json", "rsa2048.b64"))
    with lab.simulator("--leaf", f"dynamic/instance-identity/document={document}",
                       "--leaf", f"dynamic/instance-identity/rsa2048={signature}"), Probe(lab.namespace) as probe:
        expect_equal(probe.ask("identity us-west-2"), "ok t2.nano", "genuine document")
        expect_in("error Invalid the signature is genuine, but of the region", probe.ask("identity eu-west-1"))
    with lab.simulator(), Probe(lab.namespace) as probe:  # the simulator's own signature, which nobody may believe
        expect_in("error Invalid the signature names another certificate", probe.ask("identity us-east-1"))


if __name__ == "__main__":
    harness.main([one_connection_one_token, at_most_five_requests_a_second, nobody_there, nothing_comes_back, slow_answers,
                  token_lost_mid_run, token_call_hangs, hop_limit_over_real_forwarding, throttled, answers_that_are_none,
                  refusals_in_words, version_1_is_never_used, environment_of_the_sdks,
                  proxies_of_the_environment_do_not_count, credentials_of_all_kinds, no_instance_profile,
                  genuine_identity_through_the_service])
