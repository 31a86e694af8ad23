# SPDX-License-Identifier: Apache-2.0
"""Calls packaging/build.sh, and reads what it made."""
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILT = Path(os.environ.get("HOSTWARD_BUILT", ROOT / "build/release"))


def output(*command, **more) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


class Packages:
    """The packages of one release in `folder`."""

    def __init__(self, folder: Path, release=1, umask=0o022, cwd=ROOT, kinds=("deb", "rpm"), **environment):
        folder.mkdir(parents=True, exist_ok=True)
        words = [ROOT / "packaging/build.sh", "--build", BUILT, "--out", folder, "--release", str(release)]
        output(*words, *(f"--{kind}" for kind in kinds), umask=umask, cwd=cwd, env={**os.environ, **environment})
        self.folder = folder
        self.deb = next(iter(folder.glob(f"hostward_*-{release}_*.deb")), None)
        self.rpm = next(iter(folder.glob(f"hostward-*-{release}.*.rpm")), None)
        self.sbom = next(folder.glob(f"hostward-*-{release}.spdx.json"))

    def unpacked(self) -> Path:
        target = self.folder / "unpacked"
        if not target.exists():
            output("dpkg-deb", "-x", self.deb, target)
        return target
