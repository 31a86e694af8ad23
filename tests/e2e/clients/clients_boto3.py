# SPDX-License-Identifier: Apache-2.0
"""Debian's boto3 and botocore against the simulator."""
import importlib.util

import harness
from harness import expect_equal
from sdk_cases import Sdk

# AWS_EC2_METADATA_DISABLED and the endpoint mode come by the environment, as they do on an instance.
CODE = """
import boto3
credentials = boto3.Session().get_credentials()
print(credentials.get_frozen_credentials().access_key if credentials else "none")
"""


def get(lab, env):
    done = lab.client("/usr/bin/python3", "-c", CODE, env=env)
    expect_equal(done.returncode, 0, f"boto3's exit code ({done.stderr.strip()})")
    key = done.stdout.strip()
    return None if key == "none" else key


def asks_nothing_when_disabled(lab):
    with lab.simulator() as simulator:
        expect_equal(get(lab, {"AWS_EC2_METADATA_DISABLED": "true"}), None, "credentials although disabled")
        expect_equal(simulator.requests(), [], "requests although disabled")


if __name__ == "__main__":
    if not importlib.util.find_spec("boto3"):
        harness.skip("not installed: python3-boto3")
    harness.main([*Sdk(get, r"^(Boto3|Botocore)/").cases(), asks_nothing_when_disabled])
