# SPDX-License-Identifier: Apache-2.0
"""The disk of the fleet story's machine: a Debian with cloud-init, cron and awscli, and hostward as a package places it."""
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent / "disk"))

from stage import Stage  # noqa: E402


def install_hostward(stage, build):
    """What the package brings; its unit is not enabled."""
    stage.place(build / "hostward", "/usr/sbin/hostward", 0o755)
    stage.check_program("/usr/sbin/hostward")
    stage.place(ROOT / "packaging/systemd/hostward-guard.service", "/usr/lib/systemd/system/hostward-guard.service")
    stage.place(HERE / "audit.toml", "/etc/hostward/hostward.toml")
    (stage.folder / "etc/hostward/policy.d").mkdir()
    for preset in sorted((ROOT / "packaging/policies").glob("*.toml")):
        stage.place(preset, f"/usr/share/hostward/policies/{preset.name}")
    # The unit's limit is for a real processor.
    stage.text("/etc/systemd/system/hostward-guard.service.d/slow.conf", "[Service]\nTimeoutStartSec=600\n")


def make_disk(system, kernel_folder, build, target):
    stage = Stage(system, target.with_suffix(".stage"))
    try:
        stage.bootable(kernel_folder)
        stage.networkd()
        stage.text("/etc/hostname", "fleet\n")
        stage.place(HERE / "cloud.cfg", "/etc/cloud/cloud.cfg.d/90_fleet.cfg")
        install_hostward(stage, build)
        return stage.disk(target)
    finally:
        shutil.rmtree(stage.folder, ignore_errors=True)
