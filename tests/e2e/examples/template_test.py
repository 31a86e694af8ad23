#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The CloudFormation template: references hold, resources fit the services' models, permissions are the smallest ones that
docs/sinks.md names, each with its reason. The Distributor package is what the SSM agent reads, and the same each time."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import jsonschema

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "report/mock_aws")]

import models  # noqa: E402
import steps  # noqa: E402
import template  # noqa: E402

TEMPLATE = steps.PACKAGING / "cloudformation/hostward.yml"
SINKS = steps.PACKAGING.parent / "docs/sinks.md"
VALUES = {"AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::URLSuffix": "amazonaws.com",
          "ReportBucket": "BUCKET", "ReportPrefix": "PREFIX", "PackageBucket": "packages", "LogGroup": "GROUP",
          "TargetTagKey": "Hostward", "TargetTagValue": "on", "InstanceRole": "role", "CheckDocument": "hostward-check"}
KNOWN = {"AWSTemplateFormatVersion", "Description", "Parameters", "Conditions", "Resources", "Outputs"}
ATTRIBUTES = {"Type", "Properties", "Condition", "Metadata"}
# Beside the API's members: what CloudFormation itself has.
OWN_PROPERTIES = {"AWS::SSM::Document": {"UpdateMethod"}}
PARAMETER_KEYS = {"Type", "Default", "Description", "AllowedPattern", "AllowedValues"}


def statements(content):
    for name, resource in content["Resources"].items():
        if resource["Type"] == "AWS::IAM::Policy":
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                yield name, resource, statement


def actions(statement):
    return [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]


class Template(unittest.TestCase):
    content = template.load(TEMPLATE)

    def test_has_known_parts_only(self):
        self.assertEqual(self.content["AWSTemplateFormatVersion"], "2010-09-09")
        self.assertLessEqual(set(self.content), KNOWN)
        for name, resource in self.content["Resources"].items():
            self.assertLessEqual(set(resource), ATTRIBUTES, name)
        for name, parameter in self.content["Parameters"].items():
            self.assertLessEqual(set(parameter), PARAMETER_KEYS, name)
            self.assertTrue({"AllowedPattern", "AllowedValues"} & set(parameter), name)
            self.assertTrue(parameter.get("Default") is None or isinstance(parameter["Default"], str), name)
            if "AllowedPattern" in parameter:
                self.assertTrue(re.search(parameter["AllowedPattern"], parameter["Default"]), name)

    def test_references_hold_and_nothing_is_left_over(self):
        parameters, resources = set(self.content["Parameters"]), set(self.content["Resources"])
        used = template.references(self.content)
        self.assertEqual({one for one in used if one not in parameters | resources and not template.PSEUDO.match(one)}, set())
        self.assertEqual(parameters - used, set())
        conditions = {one["Condition"] for one in self.content["Resources"].values() if "Condition" in one}
        self.assertEqual(conditions, set(self.content["Conditions"]))

    def test_resources_fit_the_models(self):
        for name, resource in self.content["Resources"].items():
            properties = template.resolved(resource["Properties"], VALUES)
            kind = resource["Type"]
            for own in OWN_PROPERTIES.get(kind, ()):
                properties.pop(own, None)
            with self.subTest(name):
                getattr(self, "check_" + kind.replace("AWS::", "").replace("::", "_").lower())(properties)

    def check_ssm_document(self, properties):
        self.assertEqual(set(properties["Content"]), {"Fn::Transform"})
        include = properties["Content"]["Fn::Transform"]
        self.assertEqual((set(include), include["Name"]), ({"Name", "Parameters"}, "AWS::Include"))
        file = TEMPLATE.parent / include["Parameters"]["Location"]
        content = json.dumps(steps.load(file))  # as it arrives: an object in place of the transform
        models.check("ssm", "CreateDocument", {**properties, "Name": "x-hostward", "Content": content})

    def check_ssm_association(self, properties):
        models.check("ssm", "CreateAssociation", properties)
        document = steps.load(steps.DOCUMENTS / "hostward-check.yml")
        steps.with_defaults(document["parameters"], {key: value[0] for key, value in properties["Parameters"].items()})

    def check_iam_role(self, properties):
        trust = properties.pop("AssumeRolePolicyDocument")
        self.assertEqual([s["Principal"] for s in trust["Statement"]], [{"Service": "ec2.amazonaws.com"}])
        self.assertEqual(properties.pop("ManagedPolicyArns"), ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"])
        models.check("iam", "CreateRole", {**properties, "RoleName": "x", "AssumeRolePolicyDocument": json.dumps(trust)})

    def check_iam_instanceprofile(self, properties):
        self.assertEqual(properties, {"Roles": ["role"]})

    def check_iam_policy(self, properties):
        self.assertEqual(properties.pop("Roles"), ["role"])
        policy = properties.pop("PolicyDocument")
        models.check("iam", "PutRolePolicy", {**properties, "RoleName": "role", "PolicyDocument": json.dumps(policy)})
        self.assertEqual((set(policy), policy["Version"]), ({"Version", "Statement"}, "2012-10-17"))

    def test_permissions_are_narrow_and_have_reasons(self):
        for name, resource, statement in statements(self.content):
            with self.subTest(name):
                self.assertLessEqual(set(statement), {"Effect", "Action", "Resource", "Condition"})
                self.assertEqual(statement["Effect"], "Allow")
                place = template.resolved(statement["Resource"], VALUES)
                self.assertRegex(place, r"^arn:aws:[a-z0-9]+:[a-z0-9-]*:[0-9]*:[^*]{4,}")
                for action in actions(statement):
                    self.assertRegex(action, r"^[a-z0-9]+:[A-Za-z]+$")
        for name, resource in self.content["Resources"].items():
            if resource["Type"] == "AWS::IAM::Policy":
                named = {a for n, _, s in statements(self.content) if n == name for a in actions(s)}
                self.assertEqual(set(resource["Metadata"]["Reasons"]), named)
                self.assertTrue(all(len(reason) > 20 for reason in resource["Metadata"]["Reasons"].values()))

    def test_permissions_are_those_of_the_sinks_page(self):
        page = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", SINKS.read_text(), re.S)]
        known = {}
        for policy in page:
            for statement in policy["Statement"]:
                known[statement["Action"]] = statement["Resource"].replace("REGION", "eu-central-1").replace("ACCOUNT", "123456789012") \
                    .replace("${aws:PrincipalAccount}", "123456789012")
        for name, _, statement in statements(self.content):
            if name == "PackagesFromS3":
                continue
            for action in actions(statement):
                self.assertEqual(template.resolved(statement["Resource"], VALUES), known[action], action)


class Distributor(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="hostward-distributor."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.deb = self.folder / "hostward_0.1.0-1_amd64.deb"
        self.rpm = self.folder / "hostward-0.1.0-1.x86_64.rpm"
        self.deb.write_bytes(b"deb" * 1000)
        self.rpm.write_bytes(b"rpm" * 1000)

    def build(self, out, *packages, umask=0o022, check=True):
        command = [sys.executable, "-B", steps.PACKAGING / "distributor/build.py", "--version", "0.1.0-1", "--out", out, *packages]
        return subprocess.run(command, check=check, capture_output=True, text=True, umask=umask,
                              env={"PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo" if umask else "UTC"})

    def test_layout_and_checksums(self):
        self.build(self.folder / "out", self.deb, self.rpm)
        manifest = json.loads((self.folder / "out/manifest.json").read_text())
        jsonschema.Draft202012Validator(json.loads((HERE / "schemas/distributor.schema.json").read_text())).validate(manifest)
        self.assertEqual(sorted(manifest["packages"]), ["amazon", "debian", "redhat", "ubuntu"])
        for platform, package in (("debian", self.deb), ("amazon", self.rpm)):
            name = manifest["packages"][platform]["_any"]["x86_64"]["file"]
            file = self.folder / "out" / name
            self.assertEqual(hashlib.sha256(file.read_bytes()).hexdigest(), manifest["files"][name]["checksums"]["sha256"])
            with zipfile.ZipFile(file) as archive:
                self.assertEqual(archive.namelist(), ["install.sh", "uninstall.sh", "update.sh", package.name])
                self.assertEqual(archive.read(package.name), package.read_bytes())
                self.assertEqual(archive.getinfo("install.sh").external_attr >> 16, 0o100755)
        self.assertEqual({p.name for p in (self.folder / "out").iterdir()}, {"manifest.json", *manifest["files"]})

    def test_same_bytes_each_time(self):
        self.build(self.folder / "one", self.deb, self.rpm)
        os.utime(self.deb, (0, 0))
        self.build(self.folder / "two", self.rpm, self.deb, umask=0)
        for file in (self.folder / "one").iterdir():
            self.assertEqual(file.read_bytes(), (self.folder / "two" / file.name).read_bytes(), file.name)

    def test_refuses_what_is_no_package(self):
        other = self.folder / "hostward.tar.gz"
        other.write_bytes(b"x")
        for packages in ((other,), (self.deb, self.deb)):
            done = self.build(self.folder / "bad", *packages, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("build.py: ", done.stderr)


class Packer(unittest.TestCase):
    """No packer is at hand: what can be told from the text."""
    path = steps.PACKAGING / "packer/hostward.pkr.hcl"
    text = path.read_text()

    def test_variables_are_those_that_are_used(self):
        self.assertEqual(set(re.findall(r'^variable "(\w+)"', self.text, re.M)), set(re.findall(r"var\.(\w+)", self.text)))

    def test_scripts_are_there_and_take_what_they_are_given(self):
        found = re.findall(r'script\s*= "\$\{path\.root\}/([^"]+)"', self.text)
        self.assertEqual(len(found), 2)
        scripts = "".join((self.path.parent / name).read_text() for name in found)
        for name in re.findall(r'"([A-Z_0-9]+)=\$\{var', self.text):
            self.assertIn(f"${{{name}:-", scripts)

    def test_braces_are_closed(self):
        code = re.sub(r'"[^"]*"|#.*', "", self.text)
        self.assertEqual(code.count("{"), code.count("}"))


if __name__ == "__main__":
    unittest.main()
