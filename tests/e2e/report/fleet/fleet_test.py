# SPDX-License-Identifier: Apache-2.0
"""The ten questions of docs/examples/athena over a fleet of 50,000 hosts, answered by DuckDB (npm, pinned by
js/package-lock.json), compared with what the generator planted.  Usage: fleet_test.py [--hosts N] [--seed N]"""
import argparse
import fcntl
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import fleet

HERE = Path(__file__).resolve().parent
QUESTIONS = sorted((HERE.parents[3] / "docs/examples/athena/questions").glob("*.sql"))


def skip(why: str):
    print(why)
    sys.exit(77)


def install() -> Path:
    """The cache folder with the packages that the lock file names."""
    folder = Path(os.environ.get("HOSTWARD_CACHE", "/var/cache/hostward-tests")) / "fleet-duckdb"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        lock, mark = HERE / "js/package-lock.json", folder / "installed.lock"
        if mark.exists() and mark.read_bytes() == lock.read_bytes():
            return folder
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "js" / name, folder)
        # Not `ci`: it demands that the lock file names the binaries of every other machine, too.
        done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=False,
                              capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            skip(f"npm cannot fetch the pinned packages: {done.stderr.strip().splitlines()[-1:]}")
        shutil.copy(lock, mark)
    return folder


def ask(packages: Path, store: Path) -> dict[str, list]:
    views = store / "views.sql"
    views.write_text((HERE / "views.duckdb.sql").read_text().replace("@STORE@", str(store)))
    done = subprocess.run(["node", str(HERE / "js/ask.mjs"), str(packages), str(views), *map(str, QUESTIONS)],
                          capture_output=True, text=True, timeout=500, check=False)
    if done.returncode != 0:
        print(done.stderr)
        sys.exit(1)
    return json.loads(done.stdout)


def same(row, expected) -> bool:
    """Numbers of SQL may come as text; a column more at the end (when it was last seen) is not compared."""
    return all(abs(float(a) - b) < 1e-9 if isinstance(b, (int, float)) else a == b for a, b in zip(row, expected))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=20261121)
    options = parser.parse_args()
    if not shutil.which("node") or not shutil.which("npm"):
        skip("not installed: nodejs npm")
    packages = install()
    rng = random.Random(options.seed)
    hosts = [fleet.make_host(rng, number) for number in range(options.hosts)]
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        fleet.write(Path(folder), hosts, rng)
        told = ask(packages, Path(folder))
    for name, expected in fleet.answers(hosts).items():
        rows = told.pop(name)
        if name == "04-silent-hosts":
            rows = sorted(rows[:], key=lambda row: row[:3])
        if not expected or len(rows) != len(expected) or not all(map(same, rows, expected)):
            first = next((pair for pair in zip(rows, expected) if not same(*pair)), "")
            problems.append(f"{name}: {len(rows)} rows for {len(expected)}, first difference {first}")
        print(f"{name}: {len(rows)} rows")
    problems += [f"{name}: a question that nobody checks" for name in told]
    print("\n".join(problems) or f"all right for {len(hosts)} hosts")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
