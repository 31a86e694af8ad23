# SPDX-License-Identifier: Apache-2.0
"""The JavaScript SDK's metadata provider (npm, pinned by js/package-lock.json) against the simulator."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import harness
from harness import expect
from sdk_cases import Sdk

HERE = Path(__file__).resolve().parent / "js"
INSTALL_LIMIT_S = 300


def install():
    """The cache folder with the packages that the lock file names, installed once per lock file."""
    node = shutil.which("node")
    npm = shutil.which("npm")
    if not node or not npm:
        harness.skip("not installed: nodejs npm")
    with harness.cache_folder("clients-js") as folder:
        lock = HERE / "package-lock.json"
        done_mark = folder / "installed.lock"
        if done_mark.exists() and done_mark.read_bytes() == lock.read_bytes():
            return node, folder
        done_mark.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        # Only the package manager sees this machine's settings: it may need a proxy or a mirror.
        done = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                              env=os.environ, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
        if done.returncode != 0:
            harness.skip(f"npm cannot fetch the pinned packages: {done.stderr.strip().splitlines()[-1:]}")
        shutil.copy(lock, done_mark)
        return node, folder


def main():
    node, folder = install()

    def get(lab, env):
        done = lab.client(node, str(HERE / "credentials.mjs"), str(folder), env=env)
        if done.returncode != 0:
            expect("CredentialsProviderError" in done.stderr or "ProviderError" in done.stderr or "ECONNREFUSED"
                   in done.stderr, f"an error that is no provider's: {done.stderr}")
            return None
        return json.loads(done.stdout)["access_key"]

    harness.main(Sdk(get, r"^$").cases())


if __name__ == "__main__":
    main()
