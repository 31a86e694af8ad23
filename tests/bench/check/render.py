# SPDX-License-Identifier: Apache-2.0
"""The tables of what check.py measured."""
import machine

OURS = "hostward, all rules"
HEAD = ("| what | wall clock, ratio to hostward (quartiles) | wall clock, median (quartiles) | CPU | peak memory | runs |\n"
        "|---|---|---|---|---|---|")


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def ratio(found: dict) -> str:
    digits = 2 if found["median"] < 10 else 0
    text = f"{found['median']:.{digits}f}"
    return text if found["runs"] < 2 else f"{text} ({found['low']:.{digits}f} to {found['high']:.{digits}f})"


def spread(found: dict) -> str:
    return seconds(found["median"]) if found["runs"] < 2 else f"{seconds(found['median'])} ({seconds(found['low'])} to {seconds(found['high'])})"


def row(each: dict) -> str:
    wall, cpu = each["wall_s"], each["cpu_s"]["median"]
    if each["is_ended"]:
        return (f"| {each['subject']} | more than {each['ratio']['median']:.0f} | more than {seconds(wall['high'])}: ended | more than {seconds(cpu)} "
                f"| {each['peak_mib']:.1f} MiB | {wall['runs']} |")
    return f"| {each['subject']} | {ratio(each['ratio'])} | {spread(wall)} | {seconds(cpu)} | {each['peak_mib']:.1f} MiB | {wall['runs']} |"


def floor_line(found: dict) -> str:
    parts = [f"{ratio(paired)} on {threads} thread{'s' * (threads != '1')}" for threads, paired in found.items()]
    return f"The sweep, as a multiple of the bare walk with as many threads: {', '.join(parts)}."


def host_tables(host: dict) -> list[str]:
    return ["", f"### {host['entries']:,} files and folders, warm caches", "", HEAD, *map(row, host["warm"]), "", floor_line(host["against_floor"]),
            "", f"### {host['entries']:,} files and folders, cold caches", "", HEAD, *map(row, host["cold"])]


def tables(data: dict) -> str:
    versions = data["versions"]
    lines = [f"Machine: {machine.described(data['machine'])}. OpenSCAP {versions['openscap-scanner']} with scap-security-guide "
             f"{versions['content']}, Lynis {versions['lynis']}, find {versions['findutils']}."]
    for host in data["hosts"]:
        lines += host_tables(host)
    return "\n".join(lines)
