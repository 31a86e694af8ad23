# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/install-*.md. Above each block stands what becomes of it:

    <!-- run: image -->              by steps_test.py, in a Debian 12
    <!-- run: tree -->               by pages_test.py, in a copy of this tree's packaging/
    <!-- run: aws -->                by pages_test.py: the AWS CLI checks it, and reaches nobody
    <!-- not run: REASON -->
"""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted((ROOT / "docs").glob("install-*.md"))
BLOCK = re.compile(r"^(?:<!-- (run: (?:image|tree|aws)|not run: [^>]+) -->\n)?```(\w*)\n(.*?)^```$", re.M | re.S)


def blocks(path):
    """(what becomes of it or "", language, text) of each block of a page, in its order."""
    return [match.groups("") for match in BLOCK.finditer(path.read_text(encoding="utf-8"))]


def commands(page, fate):
    """The texts of a page's blocks with this fate, such as "run: image"."""
    return [text for what, _, text in blocks(ROOT / "docs" / f"{page}.md") if what == fate]
