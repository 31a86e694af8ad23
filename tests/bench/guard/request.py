# SPDX-License-Identifier: Apache-2.0
"""A whole fetch by real clients: a token, then with it what they want. From the simulator of the metadata service."""
import json
import time
from contextlib import nullcontext
from types import SimpleNamespace

import stats
from harness import Simulator
from lab import CALLER, IMDS, RUN, Guard, Lab, as_caller, note, run
from policies import policy

RULES = 1024
CURL = ("/usr/bin/curl", "--silent", "--show-error", "--fail", "--max-time", "5")
SDK_FETCHES = 30
SDK = f"""
import json, time
from botocore.utils import InstanceMetadataFetcher
taken = []
for _ in range({SDK_FETCHES}):
    begin = time.perf_counter_ns()
    assert InstanceMetadataFetcher(timeout=5, num_attempts=1).retrieve_iam_role_credentials()
    taken.append(time.perf_counter_ns() - begin)
print(json.dumps(sorted(taken)[len(taken) // 2]))
"""


def by_curl() -> float:
    """Milliseconds of two runs of curl, as a script does it."""
    begin = time.perf_counter_ns()
    token = run(*CURL, "--request", "PUT", "--header", "X-aws-ec2-metadata-token-ttl-seconds: 60", f"http://{IMDS}/latest/api/token",
                preexec_fn=as_caller(CALLER)).stdout
    run(*CURL, "--header", f"X-aws-ec2-metadata-token: {token}", f"http://{IMDS}/latest/meta-data/instance-id", preexec_fn=as_caller(CALLER))
    return (time.perf_counter_ns() - begin) / 1e6


def by_sdk() -> float:
    """Milliseconds of one fetch of a role's credentials (three requests), the median of a process's."""
    done = run("/usr/bin/python3", "-c", SDK, preexec_fn=as_caller(CALLER), env={"PATH": "/usr/bin:/bin", "HOME": str(RUN)})
    return json.loads(done.stdout) / 1e6


CLIENTS = {"curl": by_curl, "botocore": by_sdk}


def measure(lab: Lab, rounds: int) -> dict:
    text = policy(RULES, "user", 0)
    subjects = {"nothing": nullcontext, f"hostward, {RULES:,} rules": lambda: Guard(lab, text).loaded()}
    taken: dict[tuple, list[float]] = {}
    here = SimpleNamespace(command=lambda *words: list(words))  # where the simulator runs: as we do
    simulator = Simulator(str(lab.simulator), here, RUN / "requests", ())
    try:
        for number in range(rounds):
            for name in stats.in_turns(list(subjects), number):
                with subjects[name]():
                    for client, fetch in CLIENTS.items():
                        taken.setdefault((client, name), []).append(fetch())
        note(f"request: {rounds} rounds, {len(simulator.requests())} requests were answered")
    finally:
        simulator.stop()
    return {"rows": [{"client": client, "subject": name, "ms": stats.quartiles(own), "ratio": stats.paired_ratio(own, taken[client, "nothing"]),
                      "more_ms": stats.paired_difference(own, taken[client, "nothing"])} for (client, name), own in taken.items()]}
