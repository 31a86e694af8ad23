#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of kernels and bypasses: prints what this run measured and compares it with what is written.

tests/vm/expected.json holds the last accepted measurement, docs/kernel-support.md shows it to people. Fails when a
kernel measured now differs from expected.json, or when the document is not what expected.json renders to.
With --update both are rewritten from this run. The running kernel has a column of its own, named by its series: another
machine's series is measured and printed, but there is nothing to compare it with.

Usage: tests/vm/table.py --results FOLDER [--update]     after the vm tests wrote FOLDER/KERNEL.json
"""
import argparse
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXPECTED = HERE / "expected.json"
DOCUMENT = HERE.parents[1] / "docs/kernel-support.md"
MACHINES = ("5.10", "6.1", "6.1-nolsm", "6.12")
SKIPPED = 77
CELLS = {"stopped": "stopped", "open": "**open**", "skipped": "not here", "missing": "?"}
BLOCK = "<!-- measured: {} -->\n"
BLOCK_END = "<!-- end -->"

ROWS = {
    "tcp": "TCP connect",
    "udp": "UDP",
    "fastopen-sendmsg": "MSG_FASTOPEN",
    "fastopen-connect": "TCP_FASTOPEN_CONNECT",
    "v4-mapped": "IPv6 socket to ::ffff:a.b.c.d",
    "ipv6": "the IPv6 address",
    "address-forms": "every textual form of the address",
    "ip-options": "source route option",
    "io-uring": "connect by io_uring",
    "mptcp": "MPTCP",
    "raw-ip": "raw IP socket",
    "af-packet": "AF_PACKET frames",
    "packet-qdisc-bypass": "AF_PACKET with PACKET_QDISC_BYPASS",
    "af-xdp": "AF_XDP",
    "dnat": "DNAT to the address",
    "old-connection": "connection older than the guard",
    "passed-descriptor": "connected socket passed by SCM_RIGHTS",
    "setuid-helper": "setuid helper",
    "exe-bind-mount": "allowed path by bind mount",
    "exe-mount-namespace": "allowed path in a mount namespace",
    "exe-user-namespace": "allowed path in a user namespace",
    "exe-symlink": "allowed path by symbolic link",
    "exe-chroot": "allowed path in a chroot",
    "exe-memfd": "program in a memfd",
    "exe-deleted": "deleted program",
    "exe-inode-reuse": "reused inode number",
    "container-root": "root in a container",
    "cgroup-move": "moved into an allowed cgroup",
    "exec-race": "races of fork and exec",
    "ptrace": "ptrace into an allowed process",
    "link-detach": "detaching our links",
    "pin-delete": "deleting our pins",
    "map-write": "writing our maps",
    "agent-kill": "killing the agent",
    "forwarded": "traffic routed through the host",
}


def heading(column):
    if column.startswith("native-"):
        return f"{column.removeprefix('native-')} (running)"
    return column.replace("-nolsm", " no BPF LSM")


def order(column):
    numbers = tuple(int(number) for number in re.findall(r"\d+", column))
    return column.startswith("native-"), numbers, column


def measured(folder):
    """What this run wrote, by column; and the machines that wrote nothing."""
    columns, absent = {}, []
    for name in (*MACHINES, "native"):
        path = folder / f"{name}.json"
        if not path.exists():
            absent.append(name)
            continue
        data = json.loads(path.read_text())
        column = name
        if name == "native":
            column = "native-" + ".".join(data["release"].split(".")[:2])
        rows = {row: data["rows"].get(row, {"result": "missing", "why": ""}) for row in ROWS}
        rows |= {row: cell for row, cell in data["rows"].items() if row not in rows}
        failed = [test["name"] for test in data["tests"] if not test["passed"]]
        columns[column] = {"rows": rows, "facts": data["facts"], "failed": failed}
    return columns, absent


def cell_text(kind, columns, column, name):
    entry = columns[column][kind].get(name)
    if kind == "facts":
        return "?" if entry is None else "yes" if entry["result"] == "yes" else "no"
    return CELLS["missing" if entry is None else entry["result"]]


def grid(columns, kind, title):
    ordered = sorted(columns, key=order)
    names = list(ROWS) if kind == "rows" else []
    for column in ordered:
        names += [name for name in columns[column][kind] if name not in names]
    lines = ["| " + " | ".join([title, *map(heading, ordered)]) + " |", "|---" * (len(ordered) + 1) + "|"]
    together = {}  # features alike on every kernel share a line
    for name in names:
        cells = tuple(cell_text(kind, columns, column, name) for column in ordered)
        label = f"{ROWS[name]} (`{name}`)" if name in ROWS else f"`{name}`"
        together.setdefault((cells, label if kind == "rows" else ""), []).append(label)
    lines += ["| " + " | ".join([", ".join(labels), *cells]) + " |" for (cells, _), labels in together.items()]
    return "\n".join(lines)


def reasons(columns, kind, plain):
    """Why a cell is not the good one, equal reasons together."""
    together = {}
    for column in sorted(columns, key=order):
        for name, entry in columns[column][kind].items():
            if entry["result"] != plain and entry["why"]:
                together.setdefault((name, entry["result"], entry["why"]), []).append(heading(column))
    lines = {}
    for (name, result, why), where in together.items():
        lines.setdefault((result, tuple(where), why), []).append(f"`{name}`")
    return "\n".join(f"- {', '.join(names)}: {result} on {', '.join(where)}: {why}" for (result, where, why), names in lines.items())


def rendered(columns):
    return {
        "rows": grid(columns, "rows", "way around the guard") + "\n\n" + reasons(columns, "rows", "stopped"),
        "features": grid(columns, "facts", "kernel feature") + "\n\n" + reasons(columns, "facts", "yes"),
    }


def with_blocks(document, blocks):
    for name, text in blocks.items():
        start = document.find(BLOCK.format(name))
        end = document.find(BLOCK_END, start)
        if start < 0 or end < 0:
            sys.exit(f"table.py: {DOCUMENT} has no block {BLOCK.format(name).strip()} ... {BLOCK_END}")
        document = document[:start] + BLOCK.format(name) + text.rstrip() + "\n" + document[end:]
    return document


def differences(now, written):
    found = []
    for column in sorted(now, key=order):
        if column not in written:
            if not column.startswith("native-"):
                found.append(f"{heading(column)}: measured, but not in {EXPECTED.name}")
            continue
        for kind in ("rows", "facts"):
            names = now[column][kind] | written[column][kind]
            for name in names:
                # The reason is for people and may name what differs from run to run.
                was, is_now = ((side[column][kind].get(name) or {}).get("result") for side in (written, now))
                if was != is_now:
                    found.append(f"{heading(column)}, {name}: written {was}, measured {is_now}")
    return found


def update(now, written):
    failed = [f"{heading(column)}: {name}" for column in now for name in now[column].pop("failed")]
    if failed:
        sys.exit("table.py: nothing accepted from tests that failed:\n  " + "\n  ".join(failed))
    text = json.dumps(written | now, indent=1, sort_keys=True) + "\n"
    EXPECTED.write_text(text)
    accepted = json.loads(text)  # as the next run reads it: the order of the document's lines follows
    DOCUMENT.write_text(with_blocks(DOCUMENT.read_text(), rendered(accepted)))
    print(f"rewrote {EXPECTED} and {DOCUMENT}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    now, absent = measured(options.results)
    written = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    for text in rendered(now).values() if now else ():
        print(text + "\n")
    if options.update:
        update(now, written)
        return 0
    found = differences(now, written)
    if with_blocks(DOCUMENT.read_text(), rendered(written)) != DOCUMENT.read_text():
        found.append(f"{DOCUMENT.name} does not show what {EXPECTED.name} says")
    for text in found:
        print(f"DIFFERS: {text}")
    if found:
        print("If the new measurement is right: tests/vm/table.py --results", options.results, "--update")
        return 1
    for column in now:
        if column not in written:
            print(f"{heading(column)}: nothing written to compare with")
    if absent:
        print(f"SKIP: not measured in this run: {', '.join(absent)}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
