# SPDX-License-Identifier: Apache-2.0
"""Runs `hostward check` on a folder, in every format at once, and holds what comes out to what every report must be."""
import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILT = Path(os.environ.get("HOSTWARD_BUILT", ROOT / "build/release"))
SUFFIXES = {"text": "txt", "json": "json", "ocsf": "ocsf.json", "asff": "asff.json", "junit": "xml", "html": "html"}
PROFILES = tuple(sorted(path.stem for path in (ROOT / "hardening/profiles").glob("*.toml")))
VERDICTS = {"pass", "fail", "not-applicable", "manual", "cannot-tell"}
LOOKED = {0, 10}  # the check took place
NOBODY = 65534
TIME_LIMIT_S = 60
MEMORY_LIMIT_KB = 512 * 1024
# Everything below a blank but the end of a line, DEL, and the controls that Latin-1 added.
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
AWS = ("--aws-account", "123456789012", "--aws-region", "eu-central-1", "--aws-instance", "i-0abc")


class Program:
    """hostward and its library where everybody can read them, so that a user without privileges can run it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="hostward-check."))
        self.folder.chmod(0o755)
        self.program = self.folder / "hostward"
        self.library = self.folder / "library"
        self.reports = self.folder / "reports"
        self.reports.mkdir()
        self.reports.chmod(0o777)
        shutil.copy(BUILT / "hostward", self.program)
        shutil.copytree(ROOT / "hardening", self.library, ignore=shutil.ignore_patterns("*.cpp", "*.h", "CMakeLists.txt"))
        subprocess.run(["chmod", "-R", "a+rX", self.library, self.program], check=True)

    def remove(self):
        shutil.rmtree(self.folder)

    def words(self, root, profile, *more):
        return [str(self.program), "check", "--library", str(self.library), "--profile", profile, "--root", str(root), *more]

    def run(self, words, user=None, before=()):
        """Ends a run that hangs; `user`: as this number and without groups."""
        drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user is not None else []
        return subprocess.run([*before, *drop, *words], capture_output=True, timeout=TIME_LIMIT_S, check=False,
                              cwd=self.folder, env={"PATH": "/usr/sbin:/usr/bin", "ASAN_OPTIONS": "detect_leaks=0"})

    def findings(self, root, profile, *more):
        """rows() of a run that must take place."""
        done = self.run(self.words(root, profile, "--format", "json", *more))
        if done.returncode not in LOOKED or done.stderr:
            raise AssertionError(f"{root}: the check ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
        return rows(json.loads(done.stdout))

    def all_formats(self, root, profile, user=None, before=()):
        """{format: text}. Fails unless the check took place and every format is sound."""
        with tempfile.TemporaryDirectory(dir=self.reports) as folder:
            os.chmod(folder, 0o777)
            wanted = [word for name in SUFFIXES for word in ("--format", name)]
            done = self.run(self.words(root, profile, *wanted, *AWS, "--output", f"{folder}/r"), user, before)
            if done.returncode not in LOOKED or done.stdout or done.stderr:
                raise AssertionError(f"{profile}: the check ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")
            texts = {name: Path(folder, f"r.{suffix}").read_bytes() for name, suffix in SUFFIXES.items()}
        return {name: sound(name, text) for name, text in texts.items()}


def rows(report):
    """{(rule, number): finding} of the recommendations that a rule decides."""
    return {(one["rule"], one["number"]): one for one in report["findings"] if "rule" in one}


def sound(name, data):
    """The text of one format; raises for what its reader would choke on."""
    text = data.decode()  # UTF-8, strictly
    found = CONTROLS.search(text)
    if found:
        raise AssertionError(f"{name} has the control character {found.group()!r}: {text[max(0, found.start() - 80):found.end()]!r}")
    if name in ("json", "ocsf", "asff"):
        values = json.loads(text)
        for value in strings(values):
            if CONTROLS.search(value):
                raise AssertionError(f"{name} has control characters in {value!r}")
    if name == "json":
        verdicts = {one["verdict"] for one in values["findings"]}
        if not values["findings"] or not verdicts <= VERDICTS:
            raise AssertionError(f"the report has the verdicts {verdicts}")
    if name == "junit":
        xml.etree.ElementTree.fromstring(text)
    return text


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def peak_memory_kb():
    """Of the largest child so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
