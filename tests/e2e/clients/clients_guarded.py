# SPDX-License-Identifier: Apache-2.0
"""Real clients under the guard: what its events and counters say of their version is what the service itself saw.

Environment: HOSTWARD_BUILT, the build folder with hostward. Guards only a cgroup and a network namespace of its own.
"""
import atexit
import importlib.util
import json
import os
import subprocess
import time
from pathlib import Path

import clients_boto3
import harness
from harness import RUN_FOLDER, V4, expect, expect_equal

HOSTWARD = Path(os.environ.get("HOSTWARD_BUILT", "build/release")) / "hostward"
ITEM = f"http://{V4}/latest/meta-data/instance-id"
TOKEN_CALL = ("-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60", f"http://{V4}/latest/api/token")
POLICY = '[guard]\nmode = "enforce"\n[[guard.rule]]\nname = "clients"\naction = "allow"\nuser = ["root"]\n'
PATIENT = {"AWS_METADATA_SERVICE_TIMEOUT": "5"}  # as in sdk_cases.py
NOBODY = 65534
WAIT_S = 60
CURL_REFUSED = 7


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        expect(time.monotonic() < end, f"waited in vain: {what}")
        time.sleep(0.1)


def cgroup2_mount():
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        if " - cgroup2 " in line:
            return Path(line.split()[4])
    return harness.skip("no cgroup2 is mounted")


class Guard:
    """A guard with an agent. What a killed run left is removed first."""

    def __init__(self, lab):
        self.lab = lab
        self.folder = lab.folder / "guard"
        self.folder.mkdir(exist_ok=True)
        self.bpf = RUN_FOLDER / f"{lab.folder.name}.bpf"
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8").split("0::/")[1].split("\n")[0]
        self.home = cgroup2_mount() / own
        self.cgroup = cgroup2_mount() / lab.namespace.name
        self.agent = None

    def __enter__(self):
        atexit.register(self.remove)
        self.remove()
        self.bpf.mkdir()
        harness.run("mount", "-t", "bpf", "-o", "mode=0700", "bpf", str(self.bpf))
        (self.cgroup / "clients").mkdir(parents=True)
        (self.folder / "hostward.toml").write_text(POLICY)
        (self.folder / "events.jsonl").unlink(missing_ok=True)
        log = self.folder / "agent.log"
        with open(log, "wb") as errors:
            self.agent = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command("run")],
                                          stdout=subprocess.DEVNULL, stderr=errors)
        wait_for("the agent is ready", lambda: "guard ready" in log.read_text() or self.agent.poll() is not None)
        expect(self.agent.poll() is None, log.read_text())
        return self

    def __exit__(self, *_):
        self.remove()

    def command(self, *words):
        """In the network namespace, so that no interface of this machine is touched; not by `ip netns exec`, which hides /sys."""
        return ["nsenter", f"--net=/run/netns/{self.lab.namespace.name}", str(HOSTWARD), "guard", *words,
                "--config", str(self.folder / "hostward.toml"), "--cgroup", str(self.cgroup),
                "--pin-dir", str(self.bpf / "hostward"), "--run-dir", str(self.folder)]

    def client(self, *command, env=None):
        """A client in the guarded cgroup."""
        (self.cgroup / "clients/cgroup.procs").write_text(str(os.getpid()))
        try:
            return self.lab.client(*command, env=env)
        finally:
            (self.home / "cgroup.procs").write_text(str(os.getpid()))

    def events(self):
        """Ends the agent, so that all is written."""
        self.agent.terminate()
        expect_equal(self.agent.wait(WAIT_S), 0, "the agent's exit code")
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]

    def counters(self):
        status = json.loads(harness.run(*self.command("status", "--json")).stdout)
        return next(rule["requests"] for rule in status["rules"] if rule["name"] == "clients")

    def remove(self):
        if self.agent and self.agent.poll() is None:
            self.agent.kill()
            self.agent.wait()
        if self.bpf.is_mount():
            harness.run(*self.command("unload"), check=False)  # it may be gone already
            harness.run("umount", "--lazy", str(self.bpf))
        if self.bpf.exists():
            self.bpf.rmdir()
        for folder in (self.cgroup / "clients", self.cgroup):
            if folder.exists():
                folder.rmdir()


def check(lab, program, expected, *commands, env=None):
    """Runs clients that may ask. `expected`: the versions that they speak; how often is what the simulator logged."""
    with lab.simulator("--http-tokens", "optional") as simulator, Guard(lab) as guard:
        for command in commands:
            done = guard.client(*command, env=env)
            expect(done.returncode in (0, 255), f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
        requests = simulator.requests()
        counters = guard.counters()
        lines = guard.events()
    logged = {"1": sum(request["token"] == "v1" for request in requests),
              "2": sum(request["token"] in ("v2", "call") for request in requests)}
    expect_equal({version for version, count in logged.items() if count}, expected, "versions that the service saw")
    expect_equal(sum(logged.values()), len(requests), "requests whose version the log tells")
    seen = {"1": 0, "2": 0}
    for line in lines:
        expect_equal((line["decision"], line["rule"], line["user"]), ("allow", "clients", "root"), "decision")
        expect(program in line["exe"], f"another program: {line['exe']}")
        if line["hook"] == "request":
            seen[line["imds_version"]] = seen.get(line["imds_version"], 0) + line["count"]
    expect_equal(seen, logged, "requests by version, in the events and in the service's log")
    expect_equal(counters, {"v1": logged["1"], "v2": logged["2"], "unknown": 0}, "the rule's counters")


def awscli_speaks_v2(lab):
    check(lab, "/python3", {"2"}, ("/usr/bin/aws", "configure", "list"), env=PATIENT)


def boto3_speaks_v2(lab):
    check(lab, "/python3", {"2"}, ("/usr/bin/python3", "-c", clients_boto3.CODE), env=PATIENT)


def plain_curl_speaks_v1(lab):
    check(lab, "/curl", {"1"}, ("/usr/bin/curl", "-sS", "-m", "5", ITEM))


def curl_speaks_both(lab):
    check(lab, "/curl", {"1", "2"}, ("/usr/bin/curl", "-sS", "-m", "5", *TOKEN_CALL), ("/usr/bin/curl", "-sS", "-m", "5", ITEM))


def who_is_refused_has_no_request(lab):
    with lab.simulator("--http-tokens", "optional") as simulator, Guard(lab) as guard:
        done = guard.client("/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                            "/usr/bin/curl", "-sS", "-m", "5", ITEM)
        expect_equal(done.returncode, CURL_REFUSED, "curl's exit code")
        expect_equal(simulator.requests(), [], "requests")
        lines = guard.events()
    expect_equal([(line["decision"], line["uid"], line["imds_version"]) for line in lines], [("deny", NOBODY, None)], "events")


if __name__ == "__main__":
    harness.require_commands("aws", "curl", "nsenter")
    if not importlib.util.find_spec("boto3"):
        harness.skip("not installed: python3-boto3")
    harness.main([awscli_speaks_v2, boto3_speaks_v2, plain_curl_speaks_v1, curl_speaks_both, who_is_refused_has_no_request])
