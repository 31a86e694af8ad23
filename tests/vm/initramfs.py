# SPDX-License-Identifier: Apache-2.0
"""Packs initramfs archives (cpio "newc") for the test machine.

An initramfs may be several archives one after another, so the parts that change at different times are packed
apart: the kernel's modules, the system's tools, the programs under test. Each is reproducible (sorted, all times zero, all owned
by root) and packed again only when something that went into it changed.
"""
import fnmatch
import glob
import hashlib
import os
import stat
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Error(Exception):
    """What is wrong, in one sentence for people."""


class Archive:
    """Files by their path in the test machine. Folders above a path appear by themselves."""

    def __init__(self):
        self._entries = {}

    def folder(self, path, mode=0o755):
        self._place(path, (stat.S_IFDIR | mode, None))

    def link(self, path, target):
        self._place(path, (stat.S_IFLNK | 0o777, target.encode()))

    def text(self, path, content, mode=0o644):
        self._place(path, (stat.S_IFREG | mode, content.encode()))

    def copy(self, source, path=None):
        """A file with its content and mode; a link is followed."""
        source = Path(source)
        self._place(path or source, (stat.S_IFREG | stat.S_IMODE(source.stat().st_mode), source))

    def has(self, path):
        return _inside(path) in self._entries

    def program(self, source, path=None):
        """A program and every library that its loader would map, each where it is on this machine. Any other file alone."""
        self.copy(source, path)
        for library in libraries_of(source) if is_elf(source) else ():
            if not self.has(library):
                self.copy(library)

    def tree(self, folder):
        for root, _, names in os.walk(folder):
            for name in names:
                source = Path(root, name)
                self.program(source)

    def mirror(self, folder, leave_out=()):
        """A folder as the root, links kept as links."""
        for root, folders, names in os.walk(folder):
            inside = "/" + os.path.relpath(root, folder)
            folders[:] = [name for name in folders if os.path.normpath(f"{inside}/{name}") not in leave_out]
            for name in folders + names:
                source, path = Path(root, name), os.path.normpath(f"{inside}/{name}")
                if source.is_symlink():
                    self.link(path, os.readlink(source))
                elif source.is_file():
                    self.copy(source, path)
                else:
                    self.folder(path)

    def _place(self, path, entry):
        inside = _inside(path)
        parent = os.path.dirname(inside)
        if parent and parent not in self._entries:
            self.folder("/" + parent)
        self._entries[inside] = entry

    def inputs(self):
        """What identifies the content: packing again is needed only when this changes."""
        digest = hashlib.sha256()
        for path, (mode, content) in sorted(self._entries.items()):
            digest.update(f"{path}\0{mode:o}\0".encode())
            if isinstance(content, Path):
                facts = content.stat()
                digest.update(f"{content}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
            else:
                digest.update(content or b"")
        return digest.hexdigest()

    def write(self, target):
        """Writes the archive to `target`, or leaves it when it was packed from the same inputs."""
        target = Path(target)
        stamp = target.with_suffix(".inputs")
        inputs = self.inputs()
        if target.exists() and stamp.exists() and stamp.read_text() == inputs:
            return target
        stamp.unlink(missing_ok=True)
        with open(target, "wb") as out:
            for number, (path, (mode, content)) in enumerate(sorted(self._entries.items()), 1):
                data = content.read_bytes() if isinstance(content, Path) else content or b""
                _append(out, number, path, mode, data)
            _append(out, 0, "TRAILER!!!", 0, b"")
            out.write(b"\0" * (-out.tell() % 512))
        stamp.write_text(inputs)
        return target


# Where Debian's merged /usr has links: a file asked for as /bin/x must not hide the link /bin.
_MERGED = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")


def _inside(path):
    inside = os.path.normpath(str(path)).lstrip("/")
    first, slash, rest = inside.partition("/")
    return f"usr/{first}/{rest}" if slash and first in _MERGED else inside


def _append(out, number, name, mode, data):
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
    out.write(header + b"\0" * (-len(header) % 4))
    out.write(data + b"\0" * (-len(data) % 4))


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def libraries_of(program):
    """As the loader itself tells them; a static program has none, a missing library is an error."""
    answer = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if "not found" in answer.stdout:
        raise Error(f"{program} needs a library that this machine lacks:\n{answer.stdout}")
    words = answer.stdout.split()
    return sorted({word for word in words if word.startswith("/") and not word.endswith(":")})


def lines_of(path):
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def base_archive(init):
    """A small Debian without packages: folders, accounts, busybox, the tools of tools.txt."""
    archive = Archive()
    for link in _MERGED[:4]:
        archive.folder(f"/usr/{link}")
        archive.link(f"/{link}", f"usr/{link}")
    for folder in ("/proc", "/sys", "/dev", "/run", "/root", "/mnt", "/srv", "/var/lib", "/var/cache", "/var/log"):
        archive.folder(folder)
    archive.folder("/tmp", 0o1777)
    archive.folder("/var/tmp", 0o1777)
    archive.link("/var/run", "/run")
    archive.copy(init, "/init")
    _accounts(archive)
    for line in lines_of(HERE / "tools.txt"):
        found = glob.glob(line)
        if not found:
            raise Error(f"the test machine needs {line}: run packaging/install-deps.sh test")
        for path in found:
            archive.tree(path) if os.path.isdir(path) else archive.program(path)
    _names(archive)
    return archive


def _accounts(archive):
    master = Path("/usr/share/base-passwd")  # the accounts that every Debian has
    users = (master / "passwd.master").read_text().replace(":*:", ":x:").replace("/usr/sbin/nologin", "/bin/sh")
    archive.text("/etc/passwd", users)
    archive.text("/etc/group", (master / "group.master").read_text().replace(":*:", ":x:"))
    archive.text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
    archive.text("/etc/hosts", "127.0.0.1 localhost hostward-vm\n::1 localhost\n")
    archive.text("/etc/machine-id", "")


def _names(archive):
    """The other names of programs with many: kmod's, iptables', and busybox for everything not there."""
    for name in ("modprobe", "insmod", "rmmod", "lsmod", "depmod", "modinfo"):
        archive.link(f"/usr/sbin/{name}", "/usr/bin/kmod")
    for family in ("iptables", "ip6tables"):
        for name in (family, f"{family}-save", f"{family}-restore", f"{family}-nft"):
            archive.link(f"/usr/sbin/{name}", "xtables-nft-multi")
        archive.link(f"/usr/sbin/{family}-legacy", "xtables-legacy-multi")
    busybox = "/usr/bin/busybox"
    archive.program(busybox)
    applets = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=True).stdout.split()
    for applet in applets:
        known = (f"/usr/{folder}/{os.path.basename(applet)}" for folder in ("bin", "sbin"))
        if not any(archive.has(path) for path in known):
            archive.link(f"/{applet}", busybox)


# Started by systemd once the machine is up: runs the tests and resets the machine.
_SYSTEMD_UNIT = """[Unit]
Description=Tests of this machine
After=dbus.socket systemd-journald.service
Requires=dbus.socket

[Service]
Type=oneshot
ExecStart=/init
TimeoutStartSec=infinity
StandardOutput=journal+console
StandardError=journal+console
"""
# What a machine without a console, a clock server, disks or users needs not.
_SYSTEMD_MASKED = ("getty.target", "console-getty.service", "serial-getty@.service", "systemd-timesyncd.service",
                   "systemd-update-done.service", "systemd-journal-catalog-update.service", "systemd-pcrphase.service",
                   "systemd-update-utmp.service", "systemd-logind.service", "apt-daily.timer", "fstrim.timer",
                   "e2scrub_all.timer", "systemd-tmpfiles-clean.timer", "systemd-firstboot.service", "ldconfig.service")


def enable_unit(archive, file):
    """A unit file installed and enabled as its own [Install] section asks."""
    file = Path(file)
    archive.copy(file, f"/etc/systemd/system/{file.name}")
    for line in file.read_text().splitlines():
        key, _, targets = line.partition("=")
        for target in targets.split() if key == "WantedBy" else ():
            archive.link(f"/etc/systemd/system/{target}.wants/{file.name}", f"../{file.name}")


def system_archive(folder):
    """systemd over the base archive, with the tests as the one thing it starts."""
    archive = Archive()
    archive.mirror(folder, leave_out=("/usr/share/doc", "/usr/share/locale", "/usr/share/man", "/usr/share/bash-completion"))
    etc = "/etc/systemd/system"
    archive.text(f"{etc}/hostward-tests.service", _SYSTEMD_UNIT)
    archive.link(f"{etc}/default.target", "/usr/lib/systemd/system/multi-user.target")
    archive.link(f"{etc}/multi-user.target.wants/hostward-tests.service", "../hostward-tests.service")
    for unit in _SYSTEMD_MASKED:
        archive.link(f"{etc}/{unit}", "/dev/null")
    archive.text("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")  # known: not the first boot
    return archive


def _wanted_modules(modules, patterns):
    """Paths of the modules that a pattern names, and of all they depend on."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[path] = rest.split()
    names = {path: os.path.basename(path).split(".ko")[0].replace("-", "_") for path in needs}
    wanted = {path for path, name in names.items() for pattern in patterns if fnmatch.fnmatch(name, pattern)}
    return sorted(wanted | {need for path in wanted for need in needs[path]})


def _unpacked(path):
    if path.suffix == ".xz":
        return subprocess.run(["xz", "-dc", path], capture_output=True, check=True).stdout
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    return path.read_bytes()


def modules_archive(kernel_folder, target):
    """Packs the modules of modules.txt with their dependencies and an index for exactly these."""
    modules = next((Path(kernel_folder) / "lib/modules").iterdir())
    patterns = lines_of(HERE / "modules.txt")
    stamp = Path(target).with_suffix(".patterns")
    inputs = f"{kernel_folder}\n{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}\n" + "\n".join(patterns)
    if Path(target).exists() and stamp.exists() and stamp.read_text() == inputs:
        return Path(target)
    stamp.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as work:
        own = Path(work, "usr/lib/modules", modules.name)
        for path in _wanted_modules(modules, patterns):
            place = own / path.removesuffix(".xz").removesuffix(".zst")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(_unpacked(modules / path))
        for index in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            (own / index).write_bytes((modules / index).read_bytes())
        Path(work, "lib").symlink_to("usr/lib")
        subprocess.run(["depmod", "-b", work, modules.name], check=True)
        archive = Archive()
        for file in sorted(own.rglob("*")):
            if file.is_file():
                archive.copy(file, Path("/", file.relative_to(work)))
        archive.write(target)
    stamp.write_text(inputs)
    return Path(target)
