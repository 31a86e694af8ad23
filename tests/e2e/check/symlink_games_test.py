#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile roots: `hostward check --root` never leaves them, hangs, crashes or writes what its readers choke on.

First a small system is checked under strace: whatever the profiles ask of it is then, kind by kind, a link out of the
root, a pipe, a device, endless, unreadable, garbage. Every format of every profile, as root and as a user without
privileges. Environment: HOSTWARD_BUILT, the build folder; HOSTWARD_QUICK, one profile for each kind.
"""
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import hostile_root
import scan
import trace

QUICK = "HOSTWARD_QUICK" in os.environ
DISCOVERY_ROUNDS = 3
CHANGING_S = 3 if QUICK else 10
USERS = (None, scan.NOBODY)


class Hostile(unittest.TestCase):
    asked = {}

    @classmethod
    def setUpClass(cls):
        cls.program = scan.Program()
        cls.work = Path(tempfile.mkdtemp(prefix="hostward-games.")).resolve()
        cls.work.chmod(0o755)
        cls.outside = cls.work / "outside"
        hostile_root.outside(cls.outside)
        if not Hostile.asked:
            Hostile.asked.update({family: discover(cls, family) for family in hostile_root.FAMILIES})
        cls.turn = 0

    @classmethod
    def tearDownClass(cls):
        remove(cls.work)
        cls.program.remove()

    def run(self, result=None):
        """Says what was played when something failed."""
        self.now = ""
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"{self.id()} failed at: {self.now}", flush=True)

    def setUp(self):
        self.root = self.work / "root"
        self.root.mkdir()

    def tearDown(self):
        remove(self.root)

    def check(self, profile, user=None):
        """{format: text} of one run, without the canary in it. As root also: it stayed in the root, and opened regular files
        and folders only."""
        file = self.work / "trace"
        texts = self.program.all_formats(self.root, profile, user, () if user else [*trace.BEFORE, str(file)])
        for path in () if user else trace.Watch(file, self.root, [self.program.folder]).opened:
            self.assertTrue(os.path.isfile(path) or os.path.isdir(path), f"{path} was opened")
        for name, text in texts.items():
            self.assertNotIn(hostile_root.CANARY + ":", text, name)
        return texts

    def every(self, what, family=None, one=QUICK):
        """Each profile of these systems; `one`: the next of them only, another one for each kind."""
        profiles = [name for name in scan.PROFILES if family in (None, hostile_root.family_of(name))]
        if one:
            self.turn += 1
            profiles = [profiles[self.turn % len(profiles)]]
        for profile, user in itertools.product(profiles, USERS):
            self.now = f"{what}, {profile}, as {user or 'root'}"
            yield profile, user

    def kinds(self, kinds):
        """Each kind on each family, in a fresh root: (kind, what it is, the family, what is asked of it)."""
        for (kind, make), family in itertools.product(kinds.items(), hostile_root.FAMILIES):
            remove(self.root)
            self.root.mkdir()
            yield kind, make, family, self.asked[family]


def remove(folder):
    """Also what is too deep for Python."""
    subprocess.run(["rm", "-rf", "--", str(folder)], check=True)


def discover(case, family):
    """{(path, whether as a folder)} of everything that the profiles ask of a small system, and of what they find there."""
    asked = set()
    for _ in range(DISCOVERY_ROUNDS):
        for profile in scan.PROFILES:
            with tempfile.TemporaryDirectory(prefix="hostward-games.") as folder:
                root = Path(folder).resolve()
                hostile_root.base(root, family)
                for path, is_folder in sorted(asked):
                    place = root / os.fsdecode(path).lstrip("/")
                    if is_folder and not place.exists():  # a file of the small system may be asked for its entries, too
                        place.mkdir(parents=True)
                file = case.work / "trace"
                case.program.run([*trace.BEFORE, str(file), *case.program.words(root, profile)])
                asked |= trace.Watch(file, root, [case.program.folder]).asked
    return asked


def sweeps(profile):
    """Whether it walks the whole file system: the instance's own profile looks at named places only."""
    return profile.startswith("cis-")


class Games(Hostile):
    def test_enough_is_asked(self):
        """What all other tests here rest on."""
        asked = self.asked["deb"] | self.asked["rpm"]
        files = {path for path, is_folder in asked if not is_folder}
        folders = {path for path, is_folder in asked if is_folder}
        self.assertGreater(len(files), 150)
        self.assertGreater(len(folders), 50)
        self.assertLessEqual({b"/etc/passwd", b"/etc/shadow", b"/etc/ssh/sshd_config", b"/var/lib/dpkg/status",
                              b"/etc/pam.d/common-auth", b"/etc/sysctl.d/a.conf", b"/home/ada/.bashrc",
                              b"/var/lib/rpm/rpmdb.sqlite"}, files)
        self.assertLessEqual({b"/etc/modprobe.d", b"/etc/systemd/system"}, folders)

    def test_files(self):
        self.play(hostile_root.FILES, hostile_root.all_files)

    def test_folders(self):
        self.play(hostile_root.FOLDERS, hostile_root.all_folders)

    def play(self, kinds, build):
        verdicts = {}
        for kind, make, family, asked in self.kinds(kinds):
            build(self.root, asked, make, self.outside, family)
            for profile, user in self.every(kind, family):
                found = scan.rows(json.loads(self.check(profile, user)["json"]))
                verdicts[kind, profile, user] = {row: one["verdict"] for row, one in found.items()}
        self.same_as_dangling(verdicts)

    def same_as_dangling(self, verdicts):
        """A link that leads out of the root leads nowhere inside it."""
        compared = 0
        for (kind, profile, user), found in verdicts.items():
            dangling = verdicts.get(("dangling", profile, user))
            if kind in hostile_root.SAME_AS_DANGLING and dangling:
                self.assertEqual(found, dangling, f"{kind} {profile} {user}")
                compared += 1
        self.assertGreater(compared, 0)

    def test_large_files(self):
        for kind, text, family, asked in self.kinds(hostile_root.LARGE):
            hostile_root.all_large(self.root, asked, text, family)
            profile, _ = next(self.every(kind, family, one=True))
            start = time.monotonic()
            self.program.all_formats(self.root, profile)
            print(f"{kind} {profile}: {time.monotonic() - start:.1f} s", flush=True)
        self.assertLess(scan.peak_memory_kb(), scan.MEMORY_LIMIT_KB)

    def test_deep(self):
        hostile_root.deep(self.root)
        for profile, user in self.every("deep"):
            report = self.check(profile, user)["json"]
            self.assertTrue("is deeper than" in report or not sweeps(profile))

    def test_odd_names(self):
        hostile_root.odd_names(self.root)
        for profile, user in self.every("odd names"):
            report = self.check(profile, user)["json"]
            if sweeps(profile):
                self.assertIn("new\\\\x0aline", report)
                self.assertIn("not\\\\xff\\\\xfeutf8", report)

    def test_too_many_names(self):
        hostile_root.base(self.root)
        for number in range(100_001):
            (self.root / f"etc/sysctl.d/{number}.conf").touch()
        profile, _ = next(self.every("many", "deb", one=True))
        self.assertIn("entries allowed", self.program.all_formats(self.root, profile)["json"])

    def test_unreadable_folders_are_not_fine(self):
        """Without privileges nothing below a closed folder can be told, so nothing there passes."""
        hostile_root.base(self.root)
        for name in ("etc/ssh", "etc/pam.d"):
            (self.root / name).chmod(0)
        found = scan.rows(json.loads(self.check("cis-debian-12", scan.NOBODY)["json"]))
        told = {rule for (rule, _), one in found.items()
                if rule.startswith(("sshd-", "pam-")) and one["verdict"] != "cannot-tell"}
        self.assertEqual(told, {"pam-version", "pam-modules-installed", "pam-pwquality-installed"})  # packages


class Changing(Hostile):
    def test_files_that_change_while_they_are_read(self):
        hostile_root.base(self.root)
        end = time.monotonic() + CHANGING_S
        threads = [threading.Thread(target=work, args=(self.root, self.outside, end)) for work in (rewrite, swap, move_folders)]
        for thread in threads:
            thread.start()
        runs = 0
        while time.monotonic() < end:
            texts = self.program.all_formats(self.root, scan.PROFILES[runs % len(scan.PROFILES)], USERS[runs // len(scan.PROFILES) % len(USERS)])
            for name, text in texts.items():
                self.assertNotIn(hostile_root.CANARY + ":", text, name)
            runs += 1
        for thread in threads:
            thread.join(scan.TIME_LIMIT_S)
            self.assertFalse(thread.is_alive())
        print(f"{runs} runs while files changed", flush=True)
        self.assertGreater(runs, 3)


def here(path, flags):
    """Not through a link, and not into a pipe that nobody reads."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def rewrite(root, _, end):
    """Truncates and fills again, in place."""
    while time.monotonic() < end:
        for path, text in hostile_root.BASE.items():
            try:
                with open(root / path, "w", opener=here) as out:
                    out.write(text[:len(text) // 2])
                    out.flush()
                    out.write(text * 50)
            except OSError:
                pass  # another thread has put something else there


def swap(root, outside, end):
    """Files become links out of the root, and pipes, and files again."""
    names = [root / path for path in hostile_root.BASE]
    while time.monotonic() < end:
        for place in names:
            fresh = root / "fresh"
            for make in (lambda: fresh.symlink_to(outside / place.relative_to(root)), lambda: os.mkfifo(fresh),
                         lambda: fresh.write_text("x\n"), lambda: fresh.symlink_to(f"../../{place.name}")):
                try:
                    make()
                    fresh.rename(place)
                except OSError:
                    fresh.unlink(missing_ok=True)


def move_folders(root, outside, end):
    """Folders become links out of the root, and folders again."""
    while time.monotonic() < end:
        for name in ("etc/ssh", "etc", "var/lib", "usr/lib/systemd", "home/ada"):
            place, aside = root / name, root / "aside"
            try:
                place.rename(aside)
                place.symlink_to(outside / name)
                time.sleep(0.001)
                place.unlink()
                aside.rename(place)
            except OSError:
                if aside.exists() and not place.is_dir():
                    place.unlink(missing_ok=True)
                    aside.rename(place)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIP: needs root for device nodes and to become another user")
        sys.exit(77)
    for program in ("strace", "setpriv"):
        if not shutil.which(program):
            print(f"SKIP: {program} is not installed")
            sys.exit(77)
    unittest.main()
