#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The component and the SSM documents are what AWS takes: held to the services' models of botocore, and to schemas of what the
models leave open. No value of a parameter gets out of its quotes, and every step passes shellcheck."""
import copy
import json
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import jsonschema

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "report/mock_aws")]

import models  # noqa: E402
import steps  # noqa: E402
from signatures import Refused as ModelRefused  # noqa: E402

DOCUMENTS = ("install", "check", "report", "guard-mode")
SHA256 = "0" * 64
URL = "https://packages.example.com/hostward_0.1.0-1_amd64.deb"
NEEDED = {"PackageUrl": URL, "PackageSha256": SHA256}
DATA_CHARS_MAX = 16000  # of a component's inline data
# Read by the SSM agent and by Image Builder as "reboot this machine" and the like.
CODES_NEVER = re.compile(r"exit (?:168|169|194)")
HOSTILE = ('"; touch /pwned #', "'; touch /pwned #", "$(touch /pwned)", "`touch /pwned`", "a\ntouch /pwned", "a b", "a'b", 'a"b',
           "{{ Mode }}", "a;b", "a|b", "a>b", "a\\b", "a\0b", "../../etc", "-rf", "", " ", "a" * 5000, "\u202e", "é")


def schema(name):
    return jsonschema.Draft202012Validator(json.loads((HERE / f"schemas/{name}.schema.json").read_text()))


def document(name):
    return steps.load(steps.DOCUMENTS / f"hostward-{name}.yml")


def all_steps():
    found = [step for phase in ("build", "validate", "test") for step in steps.component(phase, **NEEDED)]
    for name in DOCUMENTS:
        found += steps.document(name, **(NEEDED if name == "install" else {}))
    return found + steps.user_data() + steps.user_data_script()


def function(script, name):
    """The text of a shell function, from its comment on."""
    lines = script.splitlines()
    begin = lines.index(f"{name}() {{")
    return lines[begin - 1:lines.index("}", begin) + 1]


class Component(unittest.TestCase):
    content = steps.load(steps.COMPONENT)

    def test_fits_the_schema(self):
        schema("component").validate(self.content)
        self.assertEqual([phase["name"] for phase in self.content["phases"]], ["build", "validate", "test"])

    def test_the_schema_refuses_what_it_should(self):
        for change in (lambda c: c.update(other=1), lambda c: c["phases"][0].update(name="deploy"),
                       lambda c: c["phases"][0]["steps"][0].update(onfailure="Abort"),
                       lambda c: c["phases"][0]["steps"][0]["inputs"].update(commands="true"),
                       lambda c: c["parameters"][0]["PackageUrl"].update(allowedPattern=".*")):
            changed = copy.deepcopy(self.content)
            change(changed)
            self.assertTrue(list(schema("component").iter_errors(changed)))

    def test_create_component_takes_it(self):
        data = steps.COMPONENT.read_text()
        request = {"name": "hostward", "semanticVersion": "0.1.0", "platform": "Linux", "data": data,
                   "clientToken": "0" * 32, "changeDescription": self.content["description"]}
        models.check("imagebuilder", "CreateComponent", request)
        self.assertLessEqual(len(data), DATA_CHARS_MAX)
        with self.assertRaises(ModelRefused):
            models.check("imagebuilder", "CreateComponent", request | {"platform": "linux"})

    def test_parameters_are_asked_for_and_used(self):
        names = {name for entry in self.content["parameters"] for name in entry}
        self.assertEqual(set(steps.PLACEHOLDER.findall(steps.COMPONENT.read_text())), names)
        for wrong in ({}, {"PackageUrl": URL}, NEEDED | {"Other": "1"}):
            with self.assertRaises(steps.Refused):
                steps.component("build", **wrong)


class Documents(unittest.TestCase):
    def test_fit_the_schema_and_create_document(self):
        for name in DOCUMENTS:
            path = steps.DOCUMENTS / f"hostward-{name}.yml"
            schema("command").validate(document(name))
            models.check("ssm", "CreateDocument", {"Name": f"hostward-{name}", "Content": path.read_text(), "DocumentType": "Command",
                                                   "DocumentFormat": "YAML", "TargetType": "/AWS::EC2::Instance"})
        self.assertEqual(sorted(p.name for p in steps.DOCUMENTS.iterdir()), sorted(f"hostward-{n}.yml" for n in DOCUMENTS))

    def test_the_schema_refuses_what_it_should(self):
        for change in (lambda c: c.update(outputs={}), lambda c: c["parameters"]["Presets"].pop("allowedPattern"),
                       lambda c: c["parameters"]["Presets"].update(allowedPattern="[a-z]+"),
                       lambda c: c["mainSteps"][0].update(action="aws:runPowerShellScript"),
                       lambda c: c["mainSteps"][0]["inputs"].update(timeoutSeconds=900)):
            changed = copy.deepcopy(document("install"))
            change(changed)
            self.assertTrue(list(schema("command").iter_errors(changed)))

    def test_defaults_are_allowed_and_parameters_used(self):
        for name in DOCUMENTS:
            parameters = document(name).get("parameters", {})
            self.assertEqual(set(steps.PLACEHOLDER.findall(json.dumps(document(name)["mainSteps"]))), set(parameters), name)
            steps.with_defaults(parameters, NEEDED if name == "install" else {})

    def test_hostile_values_are_refused(self):
        for name in DOCUMENTS:
            needed = NEEDED if name == "install" else {}
            for parameter in document(name).get("parameters", {}):
                for value in HOSTILE:
                    with self.assertRaises(steps.Refused, msg=f"{name} {parameter} {value!r}"):
                        steps.document(name, **(needed | {parameter: value}))

    def test_no_byte_gets_out_of_the_quotes(self):
        """Any character, anywhere in a value that is allowed otherwise: refused, or harmless within single quotes."""
        samples = NEEDED | {"Presets": "debian,ssm-agent", "Profile": "cis-debian-12", "FailOn": "high,cannot-tell"}
        for name in DOCUMENTS:
            for parameter, about in document(name).get("parameters", {}).items():
                if "allowedPattern" not in about:
                    continue
                sample = samples[parameter]
                self.assertTrue(re.search(about["allowedPattern"], sample))
                for code in range(256):
                    for place in (0, 1, len(sample) // 2, len(sample)):
                        for value in (sample[:place] + chr(code) + sample[place:], sample[:place] + chr(code) + sample[place + 1:]):
                            if re.search(about["allowedPattern"], value):
                                self.assertNotIn("'", value)

    def test_values_that_are_accepted_are_one_word(self):
        """The shell itself says what it makes of the strangest values that pass."""
        strange = ("https://a.example.com/x?b=c&d=%27+~@:_/-.deb", "s3://bucket/x.rpm", "file:///x.deb")
        for value in strange:
            script = steps.document("install", **(NEEDED | {"PackageUrl": value}))[0].script
            line = next(one for one in script.splitlines() if one.startswith("package_url="))
            done = subprocess.run(["sh", "-c", f'{line}\nset -- "$package_url"\nprintf "%s" "$#$1"'], capture_output=True, text=True,
                                  check=True)
            self.assertEqual(done.stdout, f"1{value}")


class Scripts(unittest.TestCase):
    def test_every_parameter_stands_in_single_quotes(self):
        for path in (steps.COMPONENT, *steps.DOCUMENTS.iterdir()):
            for line in path.read_text().splitlines():
                for found in steps.PLACEHOLDER.finditer(line):
                    before, after = line[:found.start()], line[found.end():]
                    self.assertTrue(before.endswith("'") and after.startswith("'"), line)
                    self.assertEqual(before.count("'") % 2, 1, line)

    def test_every_step_stops_at_its_first_error_and_passes_shellcheck(self):
        self.assertTrue(shutil.which("shellcheck"), "shellcheck is not installed")
        for step in all_steps():
            code = [line for line in step.script.splitlines() if line and not line.startswith("#")]
            self.assertEqual(code[0], "set -eu", step.name)
            self.assertFalse(CODES_NEVER.search(step.script), step.name)
            done = subprocess.run(["shellcheck", "-s", step.shell, "-"], input=step.script, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{step.name}: {done.stdout}")

    def test_what_several_files_do_is_the_same_text(self):
        for name in ("write_policy", "install_package"):
            found = [function(step.script, name) for step in all_steps() if f"\n{name}() {{" in step.script]
            self.assertEqual(len(found), 4)
            for one in found[1:]:
                self.assertEqual(one, found[0])

    def test_downloads_never_go_to_a_shell(self):
        for step in all_steps():
            self.assertFalse(re.search(r"curl[^\n]*\|\s*(?:sudo )?(?:ba)?sh\b", step.script), step.name)

    def test_edited_user_data_has_the_values(self):
        text = steps.cloud_config(package_url=URL, package_sha256=SHA256, mode="audit")
        self.assertTrue(text.startswith("#cloud-config\n"))
        script = steps.user_data(package_url=URL, mode="audit")[0].script
        self.assertIn(f"package_url={URL}\n", script)
        self.assertIn("mode=audit ", script)
        with self.assertRaises(steps.Refused):
            steps.user_data(no_such_line="1")


if __name__ == "__main__":
    unittest.main()
