#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--baseline: what changed since an earlier report; and results that cannot be written, on disks that are full."""
import argparse
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import unittest

import jsonschema

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parent.parent.parent


class Baseline(unittest.TestCase):
    program = ""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        (self.root / "image/etc").mkdir(parents=True)
        (self.root / "image/etc/os-release").write_text("ID=debian\n")

    def check(self, *words, **more):
        more = {"capture_output": True, **more}
        return subprocess.run([self.program, "check", "--library", HERE / "library", "--profile", "fixture", "--root",
                               self.root / "image", "--set", "passes.ids=debian", *words], timeout=60, check=False, **more)

    def write_baseline(self, change=lambda report: None):
        report = json.loads(self.check("--format", "json", "--fail-on", "never").stdout)
        change(report)
        path = self.root / "then.json"
        path.write_text(json.dumps(report))
        return path

    def verdicts_then(self, **verdicts):
        def change(report):
            for finding in report["findings"]:
                finding["verdict"] = verdicts.get("n" + finding["number"].replace(".", "_"), finding["verdict"])
        return change

    def test_nothing_changed(self):
        path = self.write_baseline()
        done = self.check("--baseline", path, "--fail-on", "new")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"nothing changed", done.stdout)

    def test_every_change(self):
        now = {one["number"]: one["verdict"] for one in json.loads(self.check("--format", "json").stdout)["findings"]}
        failing = [number for number, verdict in now.items() if verdict == "fail"]
        passing = [number for number, verdict in now.items() if verdict == "pass"]
        untold = [number for number, verdict in now.items() if verdict == "cannot-tell"]
        self.assertTrue(len(failing) > 1 and passing and untold)

        def change(report):
            for one in report["findings"]:
                if one["number"] == failing[0]:
                    one["verdict"] = "pass"
                elif one["number"] == passing[0]:
                    one["verdict"] = "fail"
                elif one["number"] == untold[0]:
                    one["verdict"] = "pass"
            report["findings"] = [one for one in report["findings"] if now[one["number"]] != "manual"]
            report["findings"].append({"number": "99.1", "title": "gone <b>", "verdict": "pass"})
        path = self.write_baseline(change)
        done = self.check("--baseline", path, "--format", "json", "--fail-on", "new")
        self.assertEqual(done.returncode, 10)
        report = json.loads(done.stdout)
        schema = json.loads((SOURCE / "docs/schema/check-report.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(report)
        found = {(one["change"], one["number"]) for one in report["since"]["changes"]}
        self.assertLessEqual({("new-failure", failing[0]), ("fixed", passing[0]), ("no-longer-told", untold[0]),
                              ("removed", "99.1")}, found)
        self.assertIn("added", {change for change, _ in found})
        self.assertNotIn(failing[1], {number for _, number in found})
        self.assertIn(b"new-failure", self.check("--baseline", path).stdout)
        page = self.check("--baseline", path, "--format", "html").stdout
        self.assertIn(b"gone &lt;b&gt;", page)

    def test_a_new_reading_of_what_could_not_be_told(self):
        now = json.loads(self.check("--format", "json").stdout)["findings"]
        passing = next(one["number"] for one in now if one["verdict"] == "pass")
        path = self.write_baseline(self.verdicts_then(**{"n" + passing.replace(".", "_"): "cannot-tell"}))
        report = json.loads(self.check("--baseline", path, "--format", "json").stdout)
        self.assertEqual([(one["change"], one["number"]) for one in report["since"]["changes"]], [("now-told", passing)])

    def test_baselines_that_do_not_fit(self):
        def other(name, *keys):
            def change(report):
                at = report
                for key in keys[:-1]:
                    at = at[key]
                at[keys[-1]] = name
            return change
        cases = [(other("cis-x", "profile", "id"), "of the profile"), (other("/else", "host", "root"), "of the root"),
                 (other("workstation", "role"), "of the role"), (other(2, "version"), "schema version is 2"),
                 (other([1], "findings"), "finding"), (other("x", "findings"), "not a whole report")]
        for change, words in cases:
            path = self.write_baseline(change)
            done = self.check("--baseline", path)
            self.assertNotIn(done.returncode, (0, 10), words)
            self.assertIn(words, done.stderr.decode())
            self.assertIn("then.json", done.stderr.decode())
            self.assertEqual(done.stdout, b"")
        for text in ("", "[]", "{", "[" * 100000, "{}", "null", "\xff"):
            (self.root / "then.json").write_text(text)
            done = self.check("--baseline", self.root / "then.json")
            self.assertNotIn(done.returncode, (0, 10), text[:9])
            self.assertIn("allowed is a report", done.stderr.decode())
        self.assertNotIn(self.check("--baseline", self.root / "none.json").returncode, (0, 10))

    def test_usage(self):
        for words in (["--fail-on", "new"], ["--list", "--format", "json"], ["--coverage", "--format", "html"],
                      ["--explain", "x", "--format", "json"], ["--coverage", "--format", "text", "--format", "json"],
                      ["--list", "--output", "x"], ["--coverage", "--baseline", "x"]):
            done = self.check(*words)
            self.assertEqual((done.returncode, done.stdout), (2, b""), words)
            self.assertIn(words[0].encode(), done.stderr)

    def test_results_that_cannot_be_written(self):
        for words in (["--format", "json"], ["--list"], ["--coverage"], []):
            with open("/dev/full", "wb") as full:
                done = self.check(*words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(b"cannot write", done.stderr)

    def test_output_on_a_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to mount a small file system")
        script = ('mount -t tmpfs -o size=4k none "$1" && head -c 4096 /dev/zero > "$1/full"; shift 1; exec "$@"')
        disk = self.root / "disk"
        disk.mkdir()
        command = [self.program, "check", "--library", HERE / "library", "--profile", "fixture", "--root",
                   self.root / "image", "--format", "json", "--output", disk / "report.json"]
        listing = 'echo "left: $(ls "$0")"'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", disk, "sh", "-c",
                               '"$@"; code=$?; ' + listing + "; exit $code", disk, *command],
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, b"left: full\n")

    def test_short_runs_show_no_progress(self):
        ours, theirs = pty.openpty()
        done = self.check(stderr=theirs, stdout=subprocess.PIPE, capture_output=False)
        os.close(theirs)
        self.assertEqual(done.returncode, 10)
        try:
            self.assertEqual(os.read(ours, 100), b"")
        except OSError:
            pass  # nothing was written before the other end closed
        os.close(ours)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    words, rest = parser.parse_known_args()
    Baseline.program = words.program
    unittest.main(argv=sys.argv[:1] + rest)
