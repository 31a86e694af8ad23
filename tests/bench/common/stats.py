# SPDX-License-Identifier: Apache-2.0
"""Medians, quartiles, paired ratios and growth of samples. Pure: no file, no clock."""
import math
import statistics
from collections.abc import Sequence


def quartiles(values: Sequence[float]) -> dict:
    """What half of the samples lie between; one sample has no spread."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else list(values) * 3
    return {"median": middle, "low": low, "high": high, "runs": len(values)}


def paired_ratio(values: Sequence[float], base: Sequence[float]) -> dict:
    """Quartiles of the ratios in the same round: what disturbed a round disturbed both of its samples."""
    return quartiles([value / other for value, other in zip(values, base, strict=True)])


def paired_difference(values: Sequence[float], base: Sequence[float]) -> dict:
    return quartiles([value - other for value, other in zip(values, base, strict=True)])


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest sample that at least so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def in_turns(subjects: Sequence, number: int) -> list:
    """The subjects of round `number`: each comes first, second ... last equally often."""
    start = number % len(subjects)
    return [*subjects[start:], *subjects[:start]]


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """E of cost = C * size^E by least squares of the logarithms: 0 is flat, 1 linear, 2 quadratic."""
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(cost) for cost in costs]).slope
