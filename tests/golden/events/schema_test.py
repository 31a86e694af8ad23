#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The published schema of events holds for the golden lines, and would notice a line that is not as it says.

Arguments: files of event lines to hold to the schema as well.
"""
import copy
import json
import sys
import unittest
from pathlib import Path

try:
    import jsonschema
except ImportError:
    print("SKIP: python3-jsonschema is not installed")
    sys.exit(77)

HERE = Path(__file__).resolve().parent
SCHEMA = json.loads((HERE.parents[2] / "docs/schema/event.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
# What released versions write. A name is never taken off this list and its type never changes: docs/events.md.
PROMISED = {
    "time": "string", "first": "string", "last": "string", "count": "integer", "decision": None, "reason": "string",
    "rule": ["string", "null"], "endpoint": ["string", "null"], "hook": "string", "protocol": ["string", "null"], "imds_version": None,
    "uid": ["integer", "null"], "euid": ["integer", "null"], "gid": ["integer", "null"], "egid": ["integer", "null"],
    "user": ["string", "null"], "group": ["string", "null"], "exe": ["string", "null"],
    "exe_device": ["integer", "null"], "exe_inode": ["integer", "null"], "exe_generation": ["integer", "null"],
    "exe_untrusted": ["boolean", "null"], "cgroup": ["string", "null"], "cgroup_id": ["integer", "null"],
    "unit": ["string", "null"], "pid": ["integer", "null"], "pid_ns": ["integer", "null"], "net_ns": ["integer", "null"],
    "container": ["boolean", "null"], "container_runtime": ["string", "null"], "container_id": ["string", "null"],
    "pod_uid": ["string", "null"], "generation": "integer",
}


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def problems(event):
    """What the schema finds, and fields that it does not know: nothing undocumented is written."""
    unknown = [f"{name} is in no schema" for name in event if name not in SCHEMA["properties"]]
    return unknown + [error.message for error in VALIDATOR.iter_errors(event)]


class Schema(unittest.TestCase):
    def test_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_lines(self):
        for path in [HERE / "expected.jsonl", *map(Path, ARGUMENTS)]:
            lines = events(path)
            self.assertTrue(lines, f"{path} is empty")
            for event in lines:
                self.assertEqual(problems(event), [], f"{path}: {event}")

    def test_notices(self):
        good = events(HERE / "expected.jsonl")[0]
        for name in SCHEMA["required"]:
            broken = copy.deepcopy(good)
            del broken[name]
            self.assertNotEqual(problems(broken), [], f"{name} may be missing")
            self.assertNotEqual(problems({**good, name: []}), [], f"{name} may be a list")
        for name, value in (("decision", "maybe"), ("count", 0), ("uid", -1), ("uid", 1 << 32), ("time", "yesterday"),
                            ("cgroup", "a/b"), ("container", "yes"), ("more", 1), ("pod_uid", "../x")):
            self.assertNotEqual(problems({**good, name: value}), [], f"{name} may be {value}")

    def test_keeps_its_promise(self):
        for name, kind in PROMISED.items():
            self.assertIn(name, SCHEMA["required"])
            self.assertEqual(SCHEMA["properties"][name].get("type"), kind, name)
        self.assertEqual(SCHEMA["properties"]["decision"]["enum"], ["allow", "deny", "would-deny"])
        self.assertNotIn("additionalProperties", SCHEMA, "a reader must let fields pass that it does not know")


ARGUMENTS = sys.argv[1:]
if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
