# SPDX-License-Identifier: Apache-2.0
"""The options every part has, and the file it leaves its figures in."""
import argparse
import json
import os
from pathlib import Path


def parser(about: str, rounds: int) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=about)
    made.add_argument("--json", type=Path, help="write the figures here")
    made.add_argument("--rounds", type=int, default=rounds, help=f"of every subject, in turns (default: {rounds})")
    return made


def write(path: Path, figures: dict) -> None:
    """Complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(json.dumps(figures, indent=2) + "\n")
    os.replace(aside, path)
