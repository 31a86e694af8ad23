# SPDX-License-Identifier: Apache-2.0
"""systemd accepts the unit files. Programs they start are looked for in a folder with stand-ins, not on this machine."""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tree import Case, Finding, SkipCheck, Tree

EXEC = re.compile(r"^(Exec\w+=[-+!:@]*)(/\S+)", re.M)


def verify(tree: Tree, name: str) -> list[Finding]:
    with tempfile.TemporaryDirectory(prefix="hostward-unit-") as folder:
        # The product is not installed where the tests run: any program that exists stands in for it.
        text = EXEC.sub(lambda m: m.group(1) + "/bin/true", tree.text(name))
        unit = Path(folder) / Path(name).name
        unit.write_text(text)
        command = ["systemd-analyze", "verify", "--man=no", "--generators=no", "--recursive-errors=no", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    problems = [line for line in done.stderr.splitlines() if unit.name in line]
    if done.returncode != 0 and not problems:
        problems = [done.stderr.strip() or f"systemd-analyze ended with {done.returncode}"]
    return [Finding(name, 1, problem.replace(folder + "/", "")) for problem in problems]


def run(tree: Tree) -> list[Finding]:
    if not shutil.which("systemd-analyze"):
        raise SkipCheck("systemd-analyze is not installed")
    names = tree.files("*.service", "*.timer", "*.path", "*.slice", "*.target", under=("packaging/",))
    return [f for name in names for f in verify(tree, name)]


_UNIT = "[Unit]\nDescription=a\n[Service]\nType=notify\nExecStart=/usr/sbin/hostward guard run\n"
CASES = [
    Case("clean unit", {"packaging/a.service": _UNIT}),
    Case("unknown key", {"packaging/a.service": _UNIT + "NoSuchKey=yes\n"}, "NoSuchKey"),
    Case("bad value", {"packaging/a.service": _UNIT.replace("notify", "nofity")}, "nofity|Type"),
    Case("nothing to start", {"packaging/a.service": "[Unit]\nDescription=a\n[Service]\nType=notify\n"}, "ExecStart"),
]
