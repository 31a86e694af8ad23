# SPDX-License-Identifier: Apache-2.0
"""The tables of what check.py measured."""
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


def tables(found: dict) -> str:
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
