# SPDX-License-Identifier: Apache-2.0
"""The picture of a check's wall clock by files."""
import chart


def plots(data: dict) -> dict[str, str]:
    """Name and text of each picture."""
    points = data["files"]
    series = {name: [point["costs"][name]["wall_s"]["median"] for point in points] for name in points[0]["costs"]}
    return {"check.svg": chart.svg("Wall clock of a check by the number of files, warm caches", ("files and folders of the host", "wall clock, warm caches"),
                                   [point["size"] for point in points], series)}
