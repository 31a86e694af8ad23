#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/benchmarks.md, made from what check.py measured.

Usage: tests/bench/render.py [--write | --check]   (--check: exit 1 when the page does not hold the recorded figures)
"""
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/benchmarks.md"
DATA = ROOT / "docs/benchmarks/check.json"
BEGIN, END = "<!-- check: begin (made by tests/bench/render.py) -->", "<!-- check: end -->"
OURS = "hostward, all rules"


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def row(each: dict, ours: dict) -> str:
    wall, cpu = each["wall_s"], each["cpu_s"]
    ratio = wall["median"] / ours["wall_s"]["median"]
    if each["is_ended"]:
        return (f"| {each['subject']} | more than {ratio:.0f} | more than {seconds(wall['high'])}: ended | more than {seconds(cpu['median'])} "
                f"| {each['peak_mib']:.1f} MiB | {each['runs']} |")
    return (f"| {each['subject']} | {ratio:.2f} | {seconds(wall['median'])} ({seconds(wall['low'])} to {seconds(wall['high'])}) "
            f"| {seconds(cpu['median'])} | {each['peak_mib']:.1f} MiB | {each['runs']} |")


def table(found: dict) -> str:
    machine, versions = found["machine"], found["versions"]
    lines = [f"Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, kernel {machine['kernel']}. "
             f"OpenSCAP {versions['openscap-scanner']} with scap-security-guide {versions['content']}, Lynis {versions['lynis']}, "
             f"find {versions['findutils']}."]
    for host in ("plain", "big"):
        rows = [r for r in found["rows"] if r["host"] == host]
        ours = next(r for r in rows if r["subject"] == OURS)
        lines += ["", f"### {found['entries'][host]:,} files and folders", "",
                  "| what | wall clock, ratio to hostward | wall clock, median (quartiles) | CPU | peak memory | runs |",
                  "|---|---|---|---|---|---|", *(row(r, ours) for r in rows)]
    return "\n".join(lines)


def page_with(text: str, made: str) -> str:
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main() -> int:
    text = PAGE.read_text()
    wanted = page_with(text, table(json.loads(DATA.read_text())))
    if "--write" in sys.argv:
        PAGE.write_text(wanted)
        return 0
    if text != wanted:
        print(f"{PAGE.relative_to(ROOT)} does not hold what {DATA.relative_to(ROOT)} records: run tests/bench/render.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
