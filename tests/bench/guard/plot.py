# SPDX-License-Identifier: Apache-2.0
"""decision.svg: the time of a decision by the number of rules. Written by hand; readable on light and dark pages."""
import math

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 24, 52
STYLE = """<style>
text{font:13px sans-serif;fill:#333}.axis,.tick{stroke:#888}.grid{stroke:#888;stroke-opacity:.25}
.p50,.p99,.none{fill:none;stroke-width:2}.p50{stroke:#1f77b4}.p99{stroke:#d95f02}.none{stroke:#777;stroke-dasharray:4 4}
.d{fill:#1f77b4}.e{fill:#d95f02}
@media (prefers-color-scheme:dark){text{fill:#ddd}.p50{stroke:#6db3f2}.p99{stroke:#ffa04d}.d{fill:#6db3f2}.e{fill:#ffa04d}.none{stroke:#aaa}}
</style>"""
MARKS = {"user": "circle", "unit": "square", "exe": "diamond"}


class Axes:
    def __init__(self, rules: list[int], top_us: float):
        self.rules, self.top_us = rules, top_us

    def x(self, rules: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log2(rules / self.rules[0]) / math.log2(self.rules[-1] / self.rules[0])

    def y(self, us: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * us / self.top_us

    def drawn(self) -> list[str]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = [f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>']
        step = 0.5 if self.top_us <= 4 else 1 if self.top_us <= 10 else 5
        for number in range(int(self.top_us / step) + 1):
            y = self.y(number * step)
            parts += [f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>', f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>']
        for rules in self.rules:
            parts += [f'<path class="tick" d="M{self.x(rules):.1f} {bottom}v5"/>',
                      f'<text x="{self.x(rules):.1f}" y="{bottom + 20}" text-anchor="middle">{rules:,}</text>']
        return [*parts, f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 10}" text-anchor="middle">rules of the policy (logarithmic)</text>',
                f'<text transform="translate(16 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">connect(), microseconds</text>']


def mark(shape: str, x: float, y: float, kind: str) -> str:
    if shape == "circle":
        return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    turned = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == "diamond" else ""
    return f'<rect class="{kind}" x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"{turned}/>'


def lines(axes: Axes, rows: list[dict]) -> list[str]:
    parts = []
    for name, kind in (("p50", "d"), ("p99", "e")):
        for identity, shape in MARKS.items():
            at = [(axes.x(r["rules"]), axes.y(r[name]["median"] / 1000)) for r in sorted(rows, key=lambda r: r["rules"]) if r["identity"] == identity]
            parts.append(f'<polyline class="{name}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in at)}"/>')
            parts += [mark(shape, x, y, kind) for x, y in at]
    return parts


def legend() -> list[str]:
    x, y, parts = WIDTH - RIGHT + 20, TOP + 14, []
    for kind, text in (("p99", "p99"), ("p50", "p50"), ("none", "no guard")):
        parts += [f'<path class="{kind}" d="M{x} {y - 4}h20"/>', f'<text x="{x + 26}" y="{y}">{text}</text>']
        y += 22
    for identity, shape in MARKS.items():
        parts += [mark(shape, x + 10, y - 4, "d"), f'<text x="{x + 26}" y="{y}">rules by {identity}</text>']
        y += 22
    return parts


def plots(data: dict) -> dict[str, str]:
    if "decision" not in data:
        return {}
    single = [row for row in data["decision"]["rows"] if row["threads"] == 1 and row["verdict"] == "allowed"]
    rows, (base, *_) = [row for row in single if row["rules"]], [row for row in single if not row["rules"]]
    axes = Axes(sorted({row["rules"] for row in rows}), 1.15 * max(row["p99"]["median"] for row in rows) / 1000)
    nothing = [f'<path class="none" d="M{LEFT} {axes.y(base[name]["median"] / 1000):.1f}H{WIDTH - RIGHT}"/>' for name in ("p50", "p99")]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
             "<title>Time of a decision by the number of rules</title>", STYLE, *axes.drawn(), *nothing, *lines(axes, rows), *legend(), "</svg>"]
    return {"decision.svg": "\n".join(parts) + "\n"}
