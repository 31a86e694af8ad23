#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a report costs the host that makes it and the receiver that verifies it. Built before: bench_programs."""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
BUILT = SOURCE / "build/release"
os.environ["HOSTWARD_BUILT"] = str(BUILT)
for folder in (HERE.parent / "common", HERE.parent / "instructions", SOURCE / "tests/e2e/report/program"):
    sys.path.insert(0, str(folder))

import fixture  # noqa: E402
import machine  # noqa: E402
import record  # noqa: E402
import scene  # noqa: E402
import stats  # noqa: E402
from render import tables  # noqa: E402

# Data that AWS publishes, beside the source tree.
DOCUMENT = SOURCE.parent / "shared/vectors/iid/B-us-west-2-2018"
FILE_SINK = """
[sink.local]
type = "file"
path = "{state}/reports"
"""
SINKS = {"kept in a file": FILE_SINK, "sent to seven sinks": scene.SINKS}


def steps(repetitions: int) -> dict:
    """Google Benchmark's samples of each step, in turns."""
    with tempfile.TemporaryDirectory(prefix="hostward-bench-", dir="/var/tmp") as folder:
        root = Path(folder) / "root"
        root.mkdir()
        fixture.make(root)
        identity = DOCUMENT if DOCUMENT.with_suffix(".json").exists() else "-"
        command = [BUILT / "report_bench", root, SOURCE / "hardening", folder, identity, "--benchmark_format=json",
                   f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true", "--benchmark_min_time=0.1"]
        done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    samples: dict[str, list[dict]] = {}
    for each in found["benchmarks"]:
        if each["run_type"] == "iteration":
            samples.setdefault(each["name"].split("/")[0], []).append(each)
    context = found["context"]
    return {"report_bytes": int(context["report_bytes"]), "compressed_bytes": int(context["compressed_bytes"]),
            "findings": int(context["findings"]), "steps": {name: step(taken) for name, taken in samples.items()}}


def step(taken: list[dict]) -> dict:
    scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
    return {kind: stats.quartiles([each[key] * scale[each["time_unit"]] for each in taken])
            for kind, key in (("wall_s", "real_time"), ("cpu_s", "cpu_time"))}


def run_once(host: scene.Scene) -> tuple[float, float]:
    """Wall clock, and CPU of the process as wait4(2) says: with that of its start from this interpreter."""
    started = time.monotonic()
    process = host.start("--once")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    out, err = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"hostward report: exit code {process.returncode}: {out}{err}")
    return wall, usage.ru_utime + usage.ru_stime


def measured(host: scene.Scene, rounds: int) -> dict:
    host.collect()
    run_once(host)  # the first one makes folders
    taken = [run_once(host) for _ in range(rounds)]
    peak, own = host.memory_kib("--once")
    return {"wall_s": stats.quartiles([wall for wall, _ in taken]), "cpu_s": stats.quartiles([cpu for _, cpu in taken]),
            "peak_mib": peak / 1024, "own_mib": own / 1024}


def runs(rounds: int) -> dict:
    found = {}
    for name, sinks in SINKS.items():
        host = scene.Scene()
        try:
            host.write_config(sinks)
            found[name] = measured(host, rounds)
        finally:
            host.end()
    return found


def main() -> int:
    options = record.parser(__doc__, 15).parse_args()
    figures = {"machine": machine.machine(), "has_document": DOCUMENT.with_suffix(".json").exists(), **steps(options.rounds),
               "runs": runs(options.rounds)}
    if options.json:
        record.write(options.json, figures)
    print(tables(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
