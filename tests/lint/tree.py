# SPDX-License-Identifier: Apache-2.0
"""The source tree as the checks see it: files of the project, their text, code without comments."""
import os
import re
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

CODE = ("*.cpp", "*.h", "*.c")
SHELL_FIRST_LINE = re.compile(r"^#!.*\b(bash|sh)\b")


class SkipCheck(Exception):
    """The check cannot run here; the text says why."""


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str


@dataclass
class Case:
    """Files for an empty tree, and the finding they must give (a regex), or None for a clean case."""

    title: str
    files: dict
    expect: str | None = None
    copy: list = field(default_factory=list)  # files taken from the real tree
    executable: list = field(default_factory=list)


class Tree:
    def __init__(self, root: Path, build: Path | None = None):
        self.root = root
        self.build = build
        self.checked = 0
        self._names = self._list()

    def _list(self) -> list[str]:
        if (self.root / ".git").exists():
            command = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
            done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return sorted(n for n in done.stdout.split("\0") if n and (self.root / n).is_file())
        names = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f not in (".git", "build", "__pycache__")]
            names += [str((Path(folder) / f).relative_to(self.root)) for f in files]
        return sorted(names)

    def names(self) -> list[str]:
        """Every file of the project, without counting it as checked."""
        return list(self._names)

    def files(self, *patterns: str, under: tuple = ("",)) -> list[str]:
        """Files whose name matches a pattern and whose path starts with one of `under`; counts them as checked."""
        found = [n for n in self._names
                 if n.startswith(tuple(under)) and any(fnmatchcase(n.rsplit("/", 1)[-1], p) for p in patterns)]
        self.checked += len(found)
        return found

    def shell_files(self) -> list[str]:
        found = [n for n in self._names if SHELL_FIRST_LINE.match(self.first_line(n))]
        self.checked += len(found)
        return found

    def first_line(self, name: str) -> str:
        with open(self.root / name, "rb") as file:
            return file.readline(200).decode("utf-8", "replace")

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def lines(self, name: str) -> list[str]:
        return self.text(name).splitlines()

    def code_lines(self, name: str) -> list[str]:
        """Lines of C or C++ with comments and the contents of literals blanked, so that line numbers stay."""
        return strip_code(self.text(name)).splitlines()


TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)


def strip_code(text: str) -> str:
    def blank(match: re.Match) -> str:
        token = match.group(0)
        newlines = "\n" * token.count("\n")
        if token.startswith("/"):
            return " " + newlines
        return '""' + newlines if token[0] in 'R"' else "''"

    # An include's file name is not a literal: it stays.
    kept = re.sub(r'^(\s*#\s*include\s*)"([^"\n]+)"', r"\1<\2>", text, flags=re.M)
    return TOKEN.sub(blank, kept)
