# SPDX-License-Identifier: Apache-2.0
"""On which machine, with which versions of the others, something was measured."""
import os
import subprocess
import time
from pathlib import Path


BUSY = 0.1  # share of all processors
LOOK_S = 2


def processor_times() -> tuple[int, int]:
    """Idle and all ticks of all processors since boot."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return fields[3], sum(fields)


def busy_share() -> float:
    """What others do with the processors while we do nothing."""
    idle_before, all_before = processor_times()
    time.sleep(LOOK_S)
    idle, everything = processor_times()
    return 1 - (idle - idle_before) / (everything - all_before)


def machine() -> dict:
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // (1 << 20)
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": memory, "kernel": os.uname().release, "busy_before": busy_share()}


def described(found: dict) -> str:
    """With a word of warning where others had the processors: seconds and spreads are not to be trusted then."""
    text = f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, kernel {found['kernel']}"
    busy = found["busy_before"]
    return text + (f", **{busy * 100:.0f} % busy with other work when this was recorded**" if busy >= BUSY else "")


def versions(*packages: str, root: Path = Path("/")) -> dict:
    """Of Debian packages in a root; one that is not installed is left out."""
    found = {}
    for package in packages:
        asked = subprocess.run(["/usr/bin/dpkg-query", "--admindir", root / "var/lib/dpkg", "-W", "-f", "${Version}", package],
                               capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout:
            found[package] = asked.stdout
    return found
