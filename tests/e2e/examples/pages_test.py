#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/install-*.md: every block says what runs it, and the commands of the AWS CLI are ones that it takes. It finds no way to AWS:
its proxy is a port of loopback where nobody listens."""
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pages  # noqa: E402

NOWHERE = "http://127.0.0.1:9"
# What each of them ends with when all is right but the way.
UNREACHED = ("Failed to connect to proxy URL", "Could not connect to the endpoint URL")


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="hostward-pages."))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        shutil.copytree(pages.ROOT / "packaging", cls.folder / "packaging")
        (cls.folder / "hostward_0.1.0-1_amd64.deb").write_bytes(b"not looked into")

    def aws(self, words):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE,
               "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "eu-central-1",
               "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": ""}
        return subprocess.run(["/usr/bin/aws", *words], cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=False)

    def test_every_block_says_what_becomes_of_it(self):
        self.assertGreaterEqual(len(pages.PAGES), 5)
        for page in pages.PAGES:
            found = pages.blocks(page)
            self.assertTrue(found, page.name)
            self.assertEqual(page.read_text().count("```"), 2 * len(found), page.name)
            for fate, language, text in found:
                self.assertTrue(fate, f"{page.name}: {text}")
                self.assertEqual(language, "sh", f"{page.name}: {text}")
            self.assertIn("*What was run:*", page.read_text())

    def test_commands_for_aws_are_taken_by_its_cli(self):
        for text in pages.commands("install-ssm", "run: tree"):
            subprocess.run(["/bin/sh", "-euc", text], cwd=self.folder, check=True)
        tried = 0
        for page in pages.PAGES:
            for line in "".join(pages.commands(page.stem, "run: aws")).splitlines():
                words = shlex.split(line)
                self.assertEqual(words[0], "aws", line)
                done = self.aws(words[1:])
                self.assertTrue(any(text in done.stderr for text in UNREACHED), f"{line}\n{done.stdout}{done.stderr}")
                tried += 1
        self.assertGreaterEqual(tried, 11)

    def test_the_cli_does_refuse(self):
        for words in (["ssm", "create-document", "--name", "x", "--document-typ", "Command"],
                      ["ssm", "send-command", "--document-name", "hostward-check", "--targets", "Key=a,Values=b", "--parameters", "x"],
                      ["ec2", "run-instances", "--image-id", "ami-1", "--metadata-options", "HttpToken=required"]):
            done = self.aws(words)
            self.assertNotEqual(done.returncode, 0)
            self.assertFalse(any(text in done.stderr for text in UNREACHED), done.stderr)


if __name__ == "__main__":
    unittest.main()
