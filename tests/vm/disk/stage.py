# SPDX-License-Identifier: Apache-2.0
"""A Debian on a disk of its own for a machine of guest.py: a root that is there already, and what a boot of it needs.

A real file system on a virtual disk, so that what a boot leaves there is there at the next one.
"""
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from initramfs import Archive, Error, modules_archive  # noqa: E402

SIZE = "1G"
AGENT = "/usr/local/lib/vm-agent/agent.py"
AGENT_UNIT = "vm-agent.service"
# Consoles that nobody reads.
MASKED = ("getty@.service", "serial-getty@.service")
INIT = """#!/usr/bin/busybox sh
set -e
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
modprobe virtio_pci
modprobe virtio_blk
modprobe ext4
mount -t ext4 /dev/vda /root
umount /proc /sys
exec switch_root /root /sbin/init
"""


def initrds(kernel_folder, work):
    """An initramfs that does nothing but start the system on the disk."""
    archive = Archive()
    for folder in ("/proc", "/sys", "/dev", "/root"):
        archive.folder(folder)
    archive.program("/usr/bin/busybox")
    archive.link("/lib", "usr/lib")
    for name in ("mount", "umount", "modprobe", "switch_root", "insmod"):
        archive.link(f"/usr/bin/{name}", "busybox")
    archive.text("/init", INIT, 0o755)
    return [archive.write(work / "disk-init.cpio"), modules_archive(kernel_folder, work / "modules.cpio")]


class Stage:
    """The files of the disk: a copy of the installed system, and what is added."""

    def __init__(self, system, folder):
        self.folder = Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", system, self.folder], check=True)

    def place(self, source, path, mode=0o644):
        target = self._fresh(path)
        shutil.copyfile(source, target)
        target.chmod(mode)

    def text(self, path, content):
        target = self._fresh(path)
        target.write_text(content)
        target.chmod(0o644)

    def link(self, path, to):
        self._fresh(path).symlink_to(to)

    def tree(self, source, path):
        subprocess.run(["cp", "-a", "--reflink=auto", source, self._fresh(path)], check=True)

    def _fresh(self, path):
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        return target

    def check_program(self, path):
        """The loader of the machine finds all that the program is linked with."""
        answer = subprocess.run(["chroot", self.folder, "/usr/bin/ldd", path], capture_output=True, text=True, check=False)
        if answer.returncode != 0 or "not found" in answer.stdout:
            raise Error(f"{path} does not start in the machine: {answer.stdout}{answer.stderr}")

    def bootable(self, kernel_folder, fstab="/dev/vda / ext4 defaults 0 0\n"):
        """What a boot of this kernel from the disk needs, and our hands in it."""
        version = next((Path(kernel_folder) / "lib/modules").iterdir())
        shutil.rmtree(self.folder / "usr/lib/modules", ignore_errors=True)
        self.tree(version, f"/usr/lib/modules/{version.name}")
        self.text("/etc/fstab", fstab)
        self.text("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        for unit in MASKED:
            self.link(f"/etc/systemd/system/{unit}", "/dev/null")
        self.place(HERE / "agent.py", AGENT, 0o755)
        self.place(HERE / AGENT_UNIT, f"/etc/systemd/system/{AGENT_UNIT}")
        self.link(f"/etc/systemd/system/multi-user.target.wants/{AGENT_UNIT}", f"../{AGENT_UNIT}")

    def networkd(self):
        """Network by systemd-networkd, as cloud-init sets it up; and a journal that outlives a boot."""
        for unit in ("systemd-networkd.service", "systemd-networkd-wait-online.service"):
            self.link(f"/etc/systemd/system/multi-user.target.wants/{unit}", f"/usr/lib/systemd/system/{unit}")
        (self.folder / "var/log/journal").mkdir(exist_ok=True)

    def disk(self, target):
        target.unlink(missing_ok=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", self.folder, target, SIZE], check=True)
        return target
