#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables and plots of docs/benchmarks.md, made from the figures in docs/benchmarks.

Usage: tests/bench/render.py [--write | --check]   (--check: exit 1 when the page does not hold the recorded figures)
"""
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs/benchmarks.md"
DATA = ROOT / "docs/benchmarks"
PARTS = ("guard", "check", "report", "growth")


def module(path: Path) -> ModuleType:
    """Of one part: their files have the same names."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def page_with(text: str, part: str, made: str) -> str:
    begin, end = f"<!-- {part}: begin (made by tests/bench/render.py) -->", f"<!-- {part}: end -->"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{made}\n{end}{after}"


def made_files() -> dict[Path, str]:
    """What the figures say should be in docs."""
    sys.path.insert(0, str(HERE / "common"))
    page, files = PAGE.read_text(), {}
    for part in PARTS:
        figures = DATA / f"{part}.json"
        if not figures.exists():
            continue
        data = json.loads(figures.read_text())
        page = page_with(page, part, module(HERE / part / "render.py").tables(data))
        plot = HERE / part / "plot.py"
        if plot.exists():
            files |= {DATA / name: text for name, text in module(plot).plots(data).items()}
    return files | {PAGE: page}


def main() -> int:
    stale = {path: text for path, text in made_files().items() if not path.exists() or path.read_text() != text}
    if "--write" in sys.argv:
        for path, text in stale.items():
            path.write_text(text)
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT)} does not hold what docs/benchmarks/*.json record: run tests/bench/render.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
