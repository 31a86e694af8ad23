#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The user data, read by cloud-init's own code: the schema that it publishes, the kind of each file, and the very script that
its bootcmd module would run. The package is unpacked, never installed."""
import json
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "clients")]

import clients_cloud_init  # noqa: E402
import steps  # noqa: E402

ROOT = None  # set below
READ = """
import json, sys, yaml
from cloudinit.config.schema import validate_cloudconfig_schema, get_schema, SchemaValidationError
from cloudinit import user_data, util, handlers
text = sys.stdin.read()
kind = handlers.type_from_starts_with(text)
problem = ""
script = ""
if kind == "text/cloud-config":
    config = yaml.safe_load(text)
    try:
        validate_cloudconfig_schema(config, get_schema(), strict=True)
    except SchemaValidationError as error:
        problem = str(error)
    script = util.shellify(config.get("bootcmd", []))
json.dump({"kind": kind, "problem": problem, "script": script}, sys.stdout)
"""


def as_cloud_init_reads(text):
    done = subprocess.run(["/usr/bin/python3", "-B", "-c", READ], input=text, capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(ROOT / "usr/lib/python3/dist-packages"), "PATH": "/usr/bin:/bin"})
    return json.loads(done.stdout)


class UserData(unittest.TestCase):
    def test_cloud_config_fits_the_published_schema(self):
        read = as_cloud_init_reads(steps.cloud_config(package_url="https://packages.example.com/x.deb"))
        self.assertEqual((read["kind"], read["problem"]), ("text/cloud-config", ""))

    def test_the_schema_is_held_to(self):
        wrong = steps.cloud_config() + "runcmd: 1\n"
        self.assertIn("runcmd", as_cloud_init_reads(wrong)["problem"])

    def test_what_cloud_init_runs_is_the_script(self):
        """shellify() quotes the argument vector: the shell that reads it gives back what steps.user_data() hands out."""
        script = as_cloud_init_reads(steps.cloud_config())["script"]
        recorder = 'sh() { printf "%s\\0" "$@"; }\n'
        done = subprocess.run(["/bin/sh"], input=recorder + script, capture_output=True, text=True, check=True)
        [step] = steps.user_data()
        self.assertEqual(done.stdout.split("\0"), ["-c", step.script, ""])

    def test_the_script_is_a_script(self):
        self.assertEqual(as_cloud_init_reads(steps.USER_DATA_SCRIPT.read_text())["kind"], "text/x-shellscript")


if __name__ == "__main__":
    ROOT = clients_cloud_init.unpack()
    unittest.main()
