# SPDX-License-Identifier: Apache-2.0
"""Remembers which sources clang-tidy found clean, so that a run looks only at what changed.

The key is everything the answer depends on: the version and settings of clang-tidy, the compile command and the
contents of the source and of every header that the build saw it include. Only "clean" is remembered.
"""
import hashlib
import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path

FOLDER = Path(os.environ.get("HOSTWARD_CACHE", "/var/cache/hostward-tests")) / "tidy"


def included(build: Path) -> dict[str, list[str]]:
    """Object file -> the source and headers it was made from, as ninja recorded them; empty without ninja's record."""
    done = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=False)
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in done.stdout.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif line.endswith("(VALID)"):
            current = found.setdefault(line.split(":")[0], [])
        else:
            current = []
    return found


def object_file(command: str) -> str:
    words = command.split()
    return words[words.index("-o") + 1]


@lru_cache(maxsize=None)
def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TidyCache:
    def __init__(self, root: Path, build: Path):
        self._root = str(root.resolve()) + "/"
        self._build = build
        self._included = included(build)
        version = subprocess.run(["clang-tidy-14", "--version"], capture_output=True, text=True, check=False).stdout
        self._settings = version + (root / ".clang-tidy").read_text()
        entries = json.loads((build / "compile_commands.json").read_text())
        self._compiled = {entry["file"]: entry for entry in entries}

    def key(self, source: str) -> Path | None:
        """Where the answer for a source is remembered; None when not all it depends on is known."""
        entry = self._compiled.get(self._root + source)
        files = self._included.get(object_file(entry["command"]), []) if entry else []
        if not files:
            return None
        # Of any clone: the folder itself is an argument of -I, too.
        command = entry["command"].replace(self._root, "").replace(self._root.rstrip("/"), ".")
        digest = hashlib.sha256((self._settings + command).encode())
        for name in files:
            path = Path(entry["directory"], name)
            if not path.is_file():
                return None
            digest.update(f"{str(path.resolve()).removeprefix(self._root)} {content(path)}\n".encode())
        return FOLDER / digest.hexdigest()

    @staticmethod
    def is_clean(key: Path | None) -> bool:
        return key is not None and key.exists()

    @staticmethod
    def remember_clean(key: Path | None) -> None:
        if key is not None and os.access(FOLDER.parent if FOLDER.parent.exists() else "/var/cache", os.W_OK):
            FOLDER.mkdir(parents=True, exist_ok=True)
            key.touch()
