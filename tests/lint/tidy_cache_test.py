#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clang-tidy said of a source is remembered only as long as nothing that it depends on changes."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
import tidy_cache  # noqa: E402
from checks import tidy  # noqa: E402
from tree import SkipCheck, Tree  # noqa: E402

NINJA = """\
rule cxx
  command = g++ -MD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc
build a.o: cxx {root}/a.cpp
"""


class Keys(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.clone("one")

    def clone(self, name: str):
        self.root = Path(self.folder.name).resolve() / name
        self.root.mkdir()
        self.build = self.root / "build"
        self.build.mkdir()
        (self.root / "a.h").write_text("int a();\n")
        (self.root / "a.cpp").write_text('#include "a.h"\nint a() { return 1; }\n')
        (self.root / ".clang-tidy").write_text("Checks: -*\n")
        (self.build / "build.ninja").write_text(NINJA.format(root=self.root))
        self.compiled_with("-O0")
        tidy_cache.FOLDER = self.root / "cache" / "tidy"
        tidy_cache.FOLDER.parent.mkdir()

    def tearDown(self):
        self.folder.cleanup()

    def compiled_with(self, option: str):
        entry = {"directory": str(self.build), "file": f"{self.root}/a.cpp",
                 "command": f"g++ {option} -I{self.root} -I{self.root}/third -c {self.root}/a.cpp -o a.o"}
        (self.build / "compile_commands.json").write_text(json.dumps([entry]))

    def make(self):
        subprocess.run(["ninja", "-C", str(self.build)], check=True, capture_output=True)

    def key(self):
        tidy_cache.content.cache_clear()
        return tidy_cache.TidyCache(self.root, self.build).key("a.cpp")

    def test_unknown_includes_are_never_remembered(self):
        self.assertIsNone(self.key())
        tidy_cache.TidyCache.remember_clean(self.key())
        self.assertFalse(tidy_cache.TidyCache.is_clean(self.key()))

    def test_same_in_another_clone(self):
        self.make()
        first = self.key()
        self.clone("another-one")
        self.make()
        self.assertEqual(self.key().name, first.name)

    def test_same_until_something_changes(self):
        self.make()
        first = self.key()
        tidy_cache.TidyCache.remember_clean(first)
        self.assertTrue(tidy_cache.TidyCache.is_clean(self.key()))
        changes = {
            "header": lambda: (self.root / "a.h").write_text("int a(); // other\n"),
            "source": lambda: (self.root / "a.cpp").write_text('#include "a.h"\nint a() { return 2; }\n'),
            "settings": lambda: (self.root / ".clang-tidy").write_text("Checks: bugprone-*\n"),
            "command": lambda: self.compiled_with("-O2"),
        }
        seen = {first}
        for name, change in changes.items():
            with self.subTest(name):
                change()
                key = self.key()
                self.assertNotIn(key, seen)
                self.assertFalse(tidy_cache.TidyCache.is_clean(key))
                seen.add(key)


class Budget(unittest.TestCase):
    """Two sources of which one has a finding, and no time for the second of them."""

    def run_with(self, first: str, second: str, seconds: str):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {tidy.BUDGET_S: seconds}), \
                mock.patch.object(tidy, "cpu_count", lambda: 1), \
                mock.patch.object(tidy, "time", mock.Mock(monotonic=mock.Mock(side_effect=[0, 1, 100]))):
            root = Path(folder)
            (root / "agent").mkdir()
            (root / ".clang-tidy").write_text("Checks: '-*,modernize-use-nullptr'\nWarningsAsErrors: '*'\n")
            (root / "agent/a.cpp").write_text(first)
            (root / "agent/b.cpp").write_text(second)
            return tidy.run(Tree(root))

    def test_what_is_left_is_said(self):
        with self.assertRaisesRegex(SkipCheck, "1 of 2 sources not looked at"):
            self.run_with("int a = 1;\n", "int* b = 0;\n", "60")

    def test_a_finding_is_not_hidden_by_what_is_left(self):
        self.assertEqual([f.path for f in self.run_with("int* a = 0;\n", "int b = 1;\n", "60")], ["agent/a.cpp"])

    def test_without_a_bound_all_is_looked_at(self):
        self.assertEqual([f.path for f in self.run_with("int a = 1;\n", "int* b = 0;\n", "0")], ["agent/b.cpp"])


if __name__ == "__main__":
    unittest.main()
