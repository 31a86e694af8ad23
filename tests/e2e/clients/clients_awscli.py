# SPDX-License-Identifier: Apache-2.0
"""Debian's awscli against the simulator."""
import re

import harness
from harness import expect, expect_equal
from sdk_cases import Sdk


def listed(lab, env):
    """The rows of `aws configure list`: name -> (value, source)."""
    done = lab.client("/usr/bin/aws", "configure", "list", env=env)
    expect(done.returncode in (0, 255), f"aws ended with {done.returncode}: {done.stderr.strip()}")
    rows = re.findall(r"^ *(\w+) +(<not set>|\S+) +(\S+)", done.stdout, re.M)
    expect(any(name == "access_key" for name, _, _ in rows), f"no access_key row in {done.stdout!r}")
    return {name: (value, source) for name, value, source in rows}


def get(lab, env):
    value, source = listed(lab, env)["access_key"]
    if value == "<not set>":
        return None
    expect_equal(source, "iam-role", "source of the credentials")
    return value


def finds_the_region(lab):
    with lab.simulator() as simulator:
        expect_equal(listed(lab, {})["region"], ("eu-central-1", "imds"), "region row")
        asked = [r["path"] for r in simulator.requests() if r["token"] == "v2"]
        expect("/latest/meta-data/placement/availability-zone/" in asked, f"asked {asked}")


if __name__ == "__main__":
    harness.require_commands("aws")
    harness.main([*Sdk(get, r"^(aws-cli|Boto3|Botocore)/").cases(), finds_the_region])
