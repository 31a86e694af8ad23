#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A hardened Debian 12 with one fault after the other: each is found by its rules, and no rule says more than before.

Environment: HOSTWARD_BUILT, the build folder; HOSTWARD_QUICK, every eighth fault.
"""
import collections
import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

import harden
import images
import scan
import seeds

QUICK = "HOSTWARD_QUICK" in os.environ
WORKERS = 2
FOLDERS = {}


class Seeds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = scan.Program()
        cls.layers = images.Layers()
        cls.lower = FOLDERS["bookworm"]
        tree, cls.changes = cls.layers.over(cls.lower)
        images.prepare(tree)
        images.harden_all(cls.program, tree)
        cls.before = images.verdicts(cls.program, tree)
        cls.layers.close(tree, keep=True)

    @classmethod
    def tearDownClass(cls):
        cls.layers.remove()
        cls.program.remove()

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(seeds.SEEDS), seeds.SEEDS_MIN)
        self.assertLessEqual(seeds.SWEEP_RULES, {seed.rule for seed in seeds.SEEDS})
        self.assertEqual([seed for seed, count in collections.Counter(map(str, seeds.SEEDS)).items() if count > 1], [])
        self.assertLessEqual({seed.rule for seed in seeds.SEEDS} | {rule for seed in seeds.SEEDS for rule in seed.also},
                             set(harden.rules()))

    def test_each_is_found_and_nothing_else(self):
        chosen = seeds.SEEDS[::8] if QUICK else seeds.SEEDS
        with ThreadPoolExecutor(WORKERS) as pool:
            wrong = [text for text in pool.map(self.plant, chosen) if text]
        print(f"{len(chosen)} faults planted", flush=True)
        self.assertEqual(wrong, [], "\n".join([f"{len(wrong)} of {len(chosen)} faults:", *wrong]))

    def plant(self, seed):
        """What is wrong about the verdicts with this fault; nothing: they are right."""
        tree, _ = self.layers.over(self.changes, self.lower)
        try:
            done = subprocess.run(["/bin/bash", "-euc", seed.script], cwd=tree, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return f"{seed}: was not planted: {done.stderr}"
            after = images.verdicts(self.program, tree)
        finally:
            self.layers.close(tree)
        return compare(seed, self.before, after)


def compare(seed, before, after):
    changed = {row: (before[row], verdict) for row, verdict in after.items() if verdict != before[row]}
    failed = {rule for (rule, _), (_, verdict) in changed.items() if verdict == "fail"}
    others = sorted(f"{number} {rule} {old} -> {new}" for (rule, number), (old, new) in changed.items() if new != "fail")
    expected = {seed.rule, *seed.also}
    if failed == expected and not others:
        return ""
    now = {verdict for (rule, _), verdict in after.items() if rule == seed.rule}
    return f"{seed}: missed {sorted(expected - failed)} ({now}), invented {sorted(failed - expected)}, otherwise {others}"


if __name__ == "__main__":
    FOLDERS.update(images.start(os.path.realpath(__file__)))
    unittest.main()
