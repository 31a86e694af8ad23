# SPDX-License-Identifier: Apache-2.0
"""Roots of real Debians as fetch_images.sh makes them, and cheap copies of them: layers over the one in the cache."""
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import harden
import scan

HERE = Path(__file__).resolve().parent
INSIDE = "HOSTWARD_IMAGES_INSIDE"
PROFILE = "cis-debian-12"
SKIPPED = 77
# The kernel that the image would boot, as far as checks look at it.
KERNEL = "lib/modules/6.1.0-1-amd64"
MODULE_FOLDERS = {"dccp": "net/dccp", "tipc": "net/tipc", "rds": "net/rds", "sctp": "net/sctp", "usb-storage": "drivers/usb/storage"}


def start(program):
    """Fetches the images, then goes on in a mount namespace of its own: {suite: folder}."""
    if os.geteuid() != 0:
        print("SKIP: needs root for chroot and mounts")
        sys.exit(SKIPPED)
    if not shutil.which("mmdebstrap"):
        print("SKIP: mmdebstrap is not installed")
        sys.exit(SKIPPED)
    if INSIDE not in os.environ:
        answer = subprocess.run([HERE / "fetch_images.sh"], stdout=subprocess.PIPE, text=True, check=False)
        if answer.returncode != 0:
            print("SKIP: no images: fetch_images.sh says why above")
            sys.exit(SKIPPED)
        os.environ[INSIDE] = answer.stdout
        os.execv("/usr/bin/unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", program, *sys.argv[1:]])
    lines = (line.split() for line in os.environ[INSIDE].splitlines())
    return {suite: Path(folder) for suite, folder in lines}


class Layers:
    """Copies of trees that cost what is changed in them. The changes are in memory, and gone at the end."""

    def __init__(self):
        self.work = Path(tempfile.mkdtemp(prefix="hostward-images.")).resolve()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.work], check=True)
        self._numbers = itertools.count()

    def remove(self):
        subprocess.run(["umount", "--recursive", "--lazy", self.work], check=True)
        self.work.rmdir()

    def over(self, *lower):
        """(the tree, its changes): the changes can be a `lower` of other trees, in front, once this one is closed()."""
        place = self.work / str(next(self._numbers))
        for name in ("tree", "changes", "work"):
            (place / name).mkdir(parents=True)
        shutil.copystat(lower[-1], place / "changes")
        options = f"lowerdir={':'.join(map(str, lower))},upperdir={place}/changes,workdir={place}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", place / "tree"], check=True)
        return place / "tree", place / "changes"

    def close(self, tree, keep=False):
        subprocess.run(["umount", tree], check=True)
        if not keep:
            shutil.rmtree(tree.parent)


def prepare(root):
    """What every image here has besides: a kernel's list of modules, a person with a home, keys of sshd."""
    modules = Path(root, KERNEL)
    modules.mkdir(parents=True, exist_ok=True)
    names = ("cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "overlay", "squashfs", "udf", *MODULE_FOLDERS)
    modules.joinpath("modules.dep").write_text(
        "".join(f"kernel/{MODULE_FOLDERS.get(name, 'fs/' + name)}/{name}.ko:\n" for name in names))
    grub = Path(root, "boot/grub/grub.cfg")
    grub.parent.mkdir(parents=True, exist_ok=True)
    grub.write_text("menuentry Debian {\n\tlinux /vmlinuz-6.1.0-1-amd64 root=/dev/vda1 ro quiet\n}\n")
    shutil.rmtree(Path(root, "var/cache/apt/archives/partial"), ignore_errors=True)  # whoever made the image owns it
    done = harden.run(root, "useradd -m -s /bin/bash -u 1000 ada && printf 'ada:long-enough-9-Password\\n' | chpasswd && ssh-keygen -A")
    if done.returncode != 0:
        raise AssertionError(done.stdout)


def harden_all(program, root, profile=PROFILE):
    """Remedies what fails, as its texts say: {rule: whether its text could be pasted}. Twice, because one text can write a
    file that another one then closes."""
    harden.by_hand(root)
    library = harden.rules()
    told = {}
    for _ in range(2):
        for (rule, _), one in program.findings(root, profile).items():
            if one["verdict"] == "fail":
                told[rule] = harden.remedy(root, library[rule])
    return told


def verdicts(program, root, profile=PROFILE):
    return {row: one["verdict"] for row, one in program.findings(root, profile).items()}
