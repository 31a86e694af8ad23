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


def host_tables(host: dict) -> list[str]:
    return ["", f"### {host['entries']:,} files and folders, warm caches", "", HEAD, *map(row, host["warm"]),
            "", f"### {host['entries']:,} files and folders, cold caches", "", HEAD, *map(row, host["cold"])]


def median(host: dict, subject: str) -> float:
    return next(each["wall_s"]["median"] for each in host["warm"] if each["subject"] == subject)


def goal(text: str, found: float, limit: float, shown: str) -> str:
    return f"| {text} | {shown} | {'met' if found <= limit else '**missed**'} |"


def goals(data: dict) -> list[str]:
    """Of warm caches: what was wanted before anything was measured, and what was found."""
    plain, big = data["hosts"]
    without = max(median(host, "hostward, without sweep") for host in (plain, big))
    swept = median(big, "hostward, the sweep alone, 2 threads")
    peak = max(each["peak_mib"] for host in (plain, big) for each in host["warm"] if each["subject"].startswith("hostward"))
    floors = [goal(f"{host['entries']:,} entries: the sweep within 1.1 times the fastest bare walk, threads: {threads}", paired["median"], 1.1, ratio(paired))
              for host in (plain, big) for threads, paired in host["against_floor"].items()]
    return ["", "| goal, warm caches | found | |", "|---|---|---|",
            goal("all rules but the sweep within 100 ms", without, 0.1, seconds(without)),
            goal("the sweep of half a million entries within 1.2 s on two cores", swept, 1.2, seconds(swept)), *floors,
            goal("within 24 MiB", peak, 24, f"{peak:.1f} MiB")]


def tables(data: dict) -> str:
    versions = data["versions"]
    lines = [f"Machine: {machine.described(data['machine'])}. OpenSCAP {versions['openscap-scanner']} with scap-security-guide "
             f"{versions['content']}, Lynis {versions['lynis']}, find {versions['findutils']}."]
    lines += goals(data)
    for host in data["hosts"]:
        lines += host_tables(host)
    return "\n".join(lines)
