# SPDX-License-Identifier: Apache-2.0
"""The tables of what growth.py measured, with exponents."""
import machine
import stats

VISIBLE = 0.5  # of the smallest host's cost: less growth than this is mostly noise
TITLES = {"files": "files and folders", "users": "users with a home", "findings": "world-writable files"}


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def growth(points: list[dict], subject: str) -> list[tuple[int, float]]:
    """Size and cost beyond those of the smallest host, where it is no noise."""
    base_size, base = points[0]["size"], points[0]["costs"][subject]["wall_s"]["median"]
    beyond = [(point["size"] - base_size, point["costs"][subject]["wall_s"]["median"] - base) for point in points[1:]]
    return [(size, cost) for size, cost in beyond if cost > VISIBLE * base]


def exponent(points: list[dict], subject: str) -> str:
    beyond = growth(points, subject)
    return f"{stats.exponent(*zip(*beyond)):.2f}" if len(beyond) > 1 else "flat"


def table(title: str, points: list[dict]) -> list[str]:
    subjects = list(points[0]["costs"])
    ours = subjects[0]
    lines = [f"| {title} | {' | '.join(subjects)} | peak memory of hostward |", "|---|" + "---|" * (len(subjects) + 1)]
    for point in points:
        walls = [seconds(point["costs"][name]["wall_s"]["median"]) for name in subjects]
        lines.append(f"| {point['size']:,} | {' | '.join(walls)} | {point['costs'][ours]['peak_mib']:.1f} MiB |")
    lines.append(f"| **exponent** | {' | '.join(exponent(points, name) for name in subjects)} | |")
    return lines


def tables(data: dict) -> str:
    lines = [f"Machine: {machine.described(data['machine'])}. Wall clock, medians of {data['users'][0]['costs']['hostward']['wall_s']['runs']} runs."]
    for name, title in TITLES.items():
        lines += ["", *table(title, data[name])]
    return "\n".join([*lines, "", "![wall clock of a check by files](benchmarks/check.svg)"])
