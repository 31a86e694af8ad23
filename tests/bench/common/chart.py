# SPDX-License-Identifier: Apache-2.0
"""A picture of how something grows, both axes logarithmic, for light and dark pages. Written by hand: nothing to install, and small."""
import math
from collections.abc import Iterator

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 90, 40, 56
STYLE = """text{font:13px sans-serif;fill:#1f2328}.grid{stroke:#d0d7de}.c0{stroke:#0969da;fill:#0969da}.c1{stroke:#1a7f37;fill:#1a7f37}
.c2{stroke:#bc4c00;fill:#bc4c00}polyline{fill:none!important;stroke-width:2.2}text.c0,text.c1,text.c2{stroke:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}.c0{stroke:#4493f8;fill:#4493f8}.c1{stroke:#3fb950;fill:#3fb950}
.c2{stroke:#f0883e;fill:#f0883e}}"""


class Axis:
    """Whole decades between two places of the picture."""

    def __init__(self, values: list[float], start: float, end: float):
        self.low = math.floor(math.log10(min(values)))
        self.high = math.ceil(math.log10(max(values)))
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def decades(self) -> list[float]:
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def duration(value: float) -> str:
    for limit, scale, unit in ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1, 1e3, "ms")):
        if value < limit:
            return f"{value * scale:.0f} {unit}"
    return f"{value:g} s"


def count(value: float) -> str:
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k" if value >= 1e3 else f"{value:g}"


def grid(x: Axis, y: Axis) -> Iterator[str]:
    for value in x.decades():
        at = x.place(value)
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{y.start}" y2="{y.end}"/>'
        yield f'<text x="{at:.1f}" y="{y.start + 20}" text-anchor="middle">{count(value)}</text>'
    for value in y.decades():
        at = y.place(value)
        yield f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{x.start - 8}" y="{at + 4:.1f}" text-anchor="end">{duration(value)}</text>'


def line(number: int, name: str, points: list[tuple[float, float]], label_y: float) -> Iterator[str]:
    yield f'<polyline class="c{number}" points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}"/>'
    yield from (f'<circle class="c{number}" cx="{px:.1f}" cy="{py:.1f}" r="3"/>' for px, py in points)
    yield f'<text class="c{number}" x="{points[-1][0] + 10:.1f}" y="{label_y:.1f}">{name}</text>'


def apart(places: list[float], least: float = 17) -> list[float]:
    """Labels that do not lie on each other, each near its place."""
    out = list(places)
    order = sorted(range(len(out)), key=lambda i: out[i])
    for above, below in zip(order, order[1:]):
        out[below] = max(out[below], out[above] + least)
    return out


def svg(title: str, labels: tuple[str, str], sizes: list[float], series: dict[str, list[float]]) -> str:
    """`labels`: of the x axis, and of the y axis, which is in seconds. `series`: name and values at `sizes`; at most three."""
    x = Axis(sizes, LEFT, WIDTH - RIGHT)
    y = Axis([value for values in series.values() for value in values], HEIGHT - BOTTOM, TOP)
    lines = [[(x.place(size), y.place(value)) for size, value in zip(sizes, values)] for values in series.values()]
    names = apart([each[-1][1] + 4 for each in lines])
    body = [*grid(x, y), *(part for i, name in enumerate(series) for part in line(i, name, lines[i], names[i]))]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
            f"<title>{title}</title>\n<style>{STYLE}</style>\n" + "\n".join(body) +
            f'\n<text x="{LEFT}" y="22">{labels[1]}</text>'
            f'\n<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{labels[0]}</text>\n</svg>\n')
