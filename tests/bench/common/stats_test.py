#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The statistics of the benchmarks, held to results worked out by hand."""
import unittest

import stats


class Stats(unittest.TestCase):
    def test_quartiles(self):
        self.assertEqual(stats.quartiles([5, 1, 3, 2, 4]), {"median": 3, "low": 2, "high": 4, "runs": 5})
        self.assertEqual(stats.quartiles([7]), {"median": 7, "low": 7, "high": 7, "runs": 1})

    def test_a_ratio_is_that_of_one_round(self):
        # The machine was ten times slower in the second round: the ratio does not see it.
        self.assertEqual(stats.paired_ratio([2, 20, 2], [1, 10, 1]), {"median": 2, "low": 2, "high": 2, "runs": 3})
        self.assertEqual(stats.paired_difference([3, 13], [1, 11])["median"], 2)
        with self.assertRaises(ValueError):
            stats.paired_ratio([1, 2], [1])

    def test_percentile(self):
        values = list(range(100, 0, -1))
        self.assertEqual([stats.percentile(values, p) for p in (0, 1, 50, 99, 99.9, 100)], [1, 1, 50, 99, 100, 100])

    def test_everybody_comes_first_once(self):
        orders = [stats.in_turns("ABC", number) for number in range(3)]
        for place in range(3):
            self.assertEqual(sorted(order[place] for order in orders), ["A", "B", "C"])

    def test_exponent(self):
        sizes = [1, 4, 16, 256]
        self.assertAlmostEqual(stats.exponent(sizes, [3 * size ** 2 for size in sizes]), 2)
        self.assertAlmostEqual(stats.exponent(sizes, [5, 5, 5, 5]), 0)


if __name__ == "__main__":
    unittest.main()
