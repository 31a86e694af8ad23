#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what the guard costs: everybody else, a decision, a request, and itself.

Needs root and the groups build and bench of packaging/install-deps.sh. It guards only a cgroup and namespaces of its own.
"""
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCH / "common"), str(BENCH.parent / "e2e/clients")]

# pylint: disable=wrong-import-position
import decision
import everybody
import footprint
import growth
import lab
import request
from render import tables
import machine
import record

PEERS = ("iptables", "nftables", "systemd", "curl", "python3-botocore")
PARTS = {"footprint": footprint.measure, "everybody": everybody.measure, "decision": decision.measure,
         "request": request.measure, "growth": growth.measure}


def main() -> int:
    parser = record.parser(__doc__, 15)
    parser.add_argument("--hostward", type=Path, default=lab.ROOT / "build/release/hostward")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone; may be repeated")
    parser.add_argument("--simulator", type=Path, default=lab.ROOT / "build/release/tests/imds_sim")
    options = parser.parse_args()
    lab.enter()
    here = lab.Lab(options.hostward.resolve(strict=True), options.simulator.resolve(strict=True))
    figures = {"machine": machine.machine(), "versions": machine.versions(*PEERS), "rounds": options.rounds}
    try:
        here.build()
        for name in options.only or PARTS:
            begin = time.monotonic()
            figures[name] = PARTS[name](here, options.rounds)
            lab.note(f"{name} took {time.monotonic() - begin:.0f} s")
            if options.json:
                record.write(options.json, figures)  # a later part that fails does not take it away
    finally:
        here.close()
    print(tables(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
