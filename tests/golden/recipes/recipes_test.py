#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/checks/add-a-rule.md and add-a-primitive.md, followed to the letter in a copy of the tree."""
import argparse
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent.parent
BLOCK = re.compile(r"^```(\w+)(?: (\S+)(?: after ([^\n]+))?)?\n(.*?)^```$", re.S | re.M)


class Recipes(unittest.TestCase):
    program, build = "", pathlib.Path()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        shutil.copytree(SOURCE / "hardening", self.root / "hardening")

    def follow(self, page):
        """Writes the files and gives back the commands."""
        commands = ""
        for language, path, after, text in BLOCK.findall((SOURCE / "docs/checks" / page).read_text()):
            if language == "sh":
                commands += text
                continue
            file = self.root / path
            if after:
                lines = file.read_text().splitlines(keepends=True)
                at = next(number for number, line in enumerate(lines) if after in line)
                file.write_text("".join(lines[:at + 1]) + text + "".join(lines[at + 1:]))
            else:
                self.assertFalse(file.exists(), f"{path} is there already")
                file.write_text(text)
        return commands

    def run_commands(self, commands, program):
        """Of a newcomer who typed `hostward` of this build."""
        script = f"set -e\nhostward() {{ {shlex.quote(str(program))} \"$@\"; }}\n{commands}"
        return subprocess.run(["sh", "-c", script], cwd=self.root, capture_output=True, timeout=120, check=False)

    def test_add_a_rule(self):
        commands = self.follow("add-a-rule.md")
        done = self.run_commands(commands, self.program)
        self.assertEqual(done.returncode, 10, done.stderr)
        self.assertIn(b"99.1", done.stdout)
        self.assertIn(b"mode 0444 or less", done.stdout)
        loose = self.run_commands(commands.rstrip() + " --set example-motd-access.mode=0644 --all", self.program)
        owner = (self.root / "image/etc/motd").stat().st_uid
        self.assertEqual(loose.returncode, 0 if owner == 0 else 10, loose.stdout)

    def compile(self, path, command):
        """As the build compiles `registry.cpp`, with the headers of the copy."""
        words = [word for word in shlex.split(command) if word != "ccache"]
        out = self.root / (pathlib.Path(path).name + ".o")
        words[words.index("-o") + 1] = str(out)
        words[words.index("-c") + 1] = str(self.root / path)
        dependencies = [at for at, word in enumerate(words) if word in ("-MT", "-MF")]
        for at in reversed(dependencies):
            del words[at:at + 2]
        words = [word for word in words if word != "-MD"]
        words.insert(1, f"-I{self.root}")
        done = subprocess.run(words, cwd=self.build, capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def test_add_a_primitive(self):
        commands = self.follow("add-a-primitive.md")
        ninja = subprocess.run(["ninja", "-C", self.build, "-t", "commands", "hostward"], capture_output=True, text=True,
                               timeout=60, check=True).stdout.splitlines()
        like = next(line for line in ninja if "primitives/registry.cpp" in line)
        objects = [self.compile(path, like) for path in ("hardening/primitives/one_line.cpp",
                                                         "hardening/primitives/registry.cpp")]
        link = shlex.split(ninja[-1].removeprefix(": && ").removesuffix(" && :"))
        own = self.root / "hostward"
        link[link.index("-o") + 1] = str(own)
        first = next(at for at, word in enumerate(link) if word.endswith(".a"))
        link[first:first] = map(str, objects)  # what the archive has of the same is not needed then
        done = subprocess.run([word for word in link if word != "ccache"], cwd=self.build, capture_output=True, text=True,
                              timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        ran = self.run_commands(commands, own)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn(b"99.1", ran.stdout)
        wrong = self.run_commands(commands.replace("Etc/UTC >", "Europe/Berlin >"), own)
        self.assertEqual(wrong.returncode, 10, wrong.stderr)
        self.assertIn(b"Europe/Berlin, expected Etc/UTC or UTC", wrong.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("build", type=pathlib.Path)
    words, rest = parser.parse_known_args()
    Recipes.program, Recipes.build = words.program, words.build
    unittest.main(argv=sys.argv[:1] + rest)
