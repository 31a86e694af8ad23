# SPDX-License-Identifier: Apache-2.0
"""On which machine, with which versions of the others, something was measured."""
import os
import subprocess
from pathlib import Path


def machine() -> dict:
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // (1 << 20)
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": memory, "kernel": os.uname().release}


def described(found: dict) -> str:
    return f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, kernel {found['kernel']}"


def versions(*packages: str, root: Path = Path("/")) -> dict:
    """Of Debian packages in a root; one that is not installed is left out."""
    found = {}
    for package in packages:
        asked = subprocess.run(["/usr/bin/dpkg-query", "--admindir", root / "var/lib/dpkg", "-W", "-f", "${Version}", package],
                               capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout:
            found[package] = asked.stdout
    return found
