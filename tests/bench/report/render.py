# SPDX-License-Identifier: Apache-2.0
"""The tables of what run.py measured."""
import machine

STEPS = {
    "write-results": "results written as JSON",
    "make": "report made of the posture",
    "compress": "compressed (gzip)",
    "sign": "request with it signed (SigV4, as for S3)",
    "prove": "envelope with a proof for STS",
    "keep": "kept in the spool, on disk (fsync)",
    "verify": "envelope verified, without the way to STS",
    "verify-document": "identity document verified (RSA-2048)",
}


def duration(seconds: float) -> str:
    for limit, scale, unit in ((1e-3, 1e6, "µs"), (1, 1e3, "ms")):
        if seconds < limit:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def spread(found: dict) -> str:
    return f"{duration(found['median'])} ({duration(found['low'])} to {duration(found['high'])})"


def step_row(name: str, step: dict) -> str:
    return f"| {STEPS[name]} | {spread(step['wall_s'])} | {duration(step['cpu_s']['median'])} | {1 / step['wall_s']['median']:,.0f} |"


def run_row(name: str, run: dict) -> str:
    return (f"| {name} | {spread(run['wall_s'])} | {duration(run['cpu_s']['median'])} | {run['peak_mib']:.1f} MiB "
            f"| {run['own_mib']:.1f} MiB | {run['wall_s']['runs']} |")


def tables(data: dict) -> str:
    steps = [step_row(name, data["steps"][name]) for name in STEPS if name in data["steps"]]
    missing = [] if data["has_document"] else ["", "Not measured here: the identity document; no genuine one lay beside the tree."]
    return "\n".join([
        f"Machine: {machine.described(data['machine'])}. A report of {data['findings']} results: {data['report_bytes'] / 1024:.0f} KiB, "
        f"compressed {data['compressed_bytes'] / 1024:.0f} KiB.", "",
        "| step | wall clock, median (quartiles) | CPU | a second, one thread |", "|---|---|---|---|", *steps, *missing, "",
        "| `hostward report --once` | wall clock, median (quartiles) | CPU | peak memory | of it its own | runs |",
        "|---|---|---|---|---|---|", *(run_row(name, run) for name, run in data["runs"].items())])
