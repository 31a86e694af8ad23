# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/privilege.md, and the last words of a process that made a forbidden call."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/privilege.md"
TOLD = re.compile(r"^hostward: seccomp: system call (\d+)(?: \((\w+)\))? is not allowed in '([\w-]+)': ending this process", re.M)


def rows(name: str) -> list[list[str]]:
    """The cells of a table between its marks, the head first."""
    block = re.search(rf"<!-- {name}:begin -->(.*?)<!-- {name}:end -->", PAGE.read_text(), re.S).group(1)
    lines = [line for line in block.strip().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [cells[0], *cells[2:]]


def capabilities() -> dict[str, set[str]]:
    """Process -> what root keeps there."""
    return {row[0].strip("`"): set(re.findall(r"`(CAP_\w+)`", row[3])) for row in rows("processes")[1:]}


def calls() -> dict[tuple[str, str], str]:
    """(process, call) -> killed, allowed, EPERM or ENOSYS. Those that the page says are alike have the same."""
    head, *body = rows("calls")
    out = {(process.strip("`"), row[0].strip("`")): word for row in body for process, word in zip(head[1:], row[1:])}
    for same, process in (("guard-load", "guard-run"), ("guard-explain", "guard-run"), ("report-collect", "check")):
        out.update({(same, call): word for (of, call), word in list(out.items()) if of == process})
    return out


def exposures() -> dict[str, float]:
    return {row[0].strip("`"): float(row[1]) for row in rows("exposure")[1:]}
