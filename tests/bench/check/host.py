# SPDX-License-Identifier: Apache-2.0
"""The measured host: an image, mounted as the top of a file system, with the programs that are measured in /bench."""
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILT = SOURCE / "build/release"
PROGRAMS = ("hostward", "walk_floor", "sweep_bench", "measure")
KILLED = 128 + 9  # as measure.cpp tells it
THREADS = 2  # of a sweep
HOSTWARD = ["/bench/hostward", "check", "--library", "/bench/hardening", "--profile", "cis-debian-12", "--level", "2", "--format", "json"]
FIND = ["/usr/bin/find", "/", "-xdev", "(", "-perm", "-0002", "-o", "-perm", "/6000", "-o", "-nouser", "-o", "-nogroup", ")"]


@dataclass
class Subject:
    name: str
    command: list[str]
    codes: tuple[int, ...] = (0,)


@dataclass
class Sample:
    wall_s: float
    cpu_s: float
    peak_mib: float
    is_ended: bool  # by the limit: it takes longer


def bare_walk(threads: int) -> list[str]:
    return ["/bench/walk_floor", str(threads), "/"]


class Host:
    """To be used in a mount namespace of its own: what is mounted goes with it, whatever happens."""

    def __init__(self, image: Path):
        self.image = image
        self.root = Path(tempfile.mkdtemp(prefix="hostward-host-"))

    def __enter__(self) -> "Host":
        self.mount()
        self.install()
        return self

    def __exit__(self, *_) -> None:
        self.unmount()
        self.root.rmdir()

    def mount(self) -> None:
        # Past the page cache of the image's own file system: what is not in the mounted one's caches comes from the disk.
        device = subprocess.run(["/usr/sbin/losetup", "--find", "--show", "--direct-io=on", self.image],
                                capture_output=True, text=True, check=True).stdout.strip()
        try:
            call("/usr/bin/mount", device, self.root)
        finally:
            call("/usr/sbin/losetup", "--detach", device)  # when it is no longer mounted
        call("/usr/bin/mount", "-t", "proc", "proc", self.root / "proc")
        call("/usr/bin/mount", "--rbind", "-o", "ro", "/sys", self.root / "sys")

    def unmount(self) -> None:
        call("/usr/bin/umount", "--recursive", self.root)

    def cool(self) -> None:
        """Unmounted, a file system has nothing in memory: no inode, no name, no page."""
        self.unmount()
        descriptor = os.open(self.image, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
        self.mount()

    def install(self) -> None:
        folder = self.root / "bench"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for program in PROGRAMS:
            shutil.copy(BUILT / program, folder)
        for each in ("rules", "profiles"):
            shutil.copytree(SOURCE / "hardening" / each, folder / "hardening" / each)

    def run(self, subject: Subject, limit_s: int) -> Sample:
        """Wall clock, CPU of all its processes, and peak memory of the largest of them, as wait4(2) says."""
        command = [self.root / "bench/measure", str(limit_s), self.root, *subject.command]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
        return sample_of(subject, done.stdout, done.stderr, limit_s)

    def entries(self) -> int:
        done = subprocess.run(["/usr/sbin/chroot", self.root, *bare_walk(1)], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[0])


def sample_of(subject: Subject, out: str, err: str, limit_s: int) -> Sample:
    code, wall, cpu, peak_kib = out.split()
    is_ended = int(code) == KILLED and float(wall) >= limit_s
    if int(code) not in subject.codes and not is_ended:
        raise SystemExit(f"{subject.name}: exit code {code}: {err[-500:]}")
    return Sample(float(wall), float(cpu), int(peak_kib) / 1024, is_ended)


def call(*command) -> None:
    subprocess.run([str(one) for one in command], check=True)
