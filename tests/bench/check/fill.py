#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the empty files FIRST to LAST - 1 below FOLDER: a thousand a folder, in nested folders, as data directories have them.

Usage: fill.py FOLDER FIRST LAST
"""
import os
import sys
from pathlib import Path

IN_A_FOLDER = 1000
FOLDERS_IN_A_FOLDER = 20


def fill(top: Path, first: int, last: int) -> None:
    for number in range(first, last):
        if number == first or number % IN_A_FOLDER == 0:
            group = number // IN_A_FOLDER
            folder = top / str(group // FOLDERS_IN_A_FOLDER) / str(group)
            folder.mkdir(parents=True, exist_ok=True)
        os.mknod(f"{folder}/file-{number % IN_A_FOLDER:04d}.dat", 0o644)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
