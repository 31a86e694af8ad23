# SPDX-License-Identifier: Apache-2.0
"""Roots that try to lead a scanner astray: whatever a check asks for is a link out of the root, a pipe, a device, endless."""
import os
import shutil
import socket
import stat
from pathlib import Path

CANARY = "canary-5d1f"  # outside of every root only
DEEP = 2000
SPARSE_BYTES = 1 << 40
LONG_BYTES = 2 << 20  # as long as a file may be
ODD_NAMES = (b"new\nline", b"esc\x1b[31mape", b"not\xff\xfeutf8", b"-dash", b"blank name", b"quote\"'<&>", b"n" * 240)
# Files in a folder that holds configuration have one of these ends.
ENDS = (b".conf", b".service", b".timer", b"")

# A small system, complete enough that checks look into every corner of it.
BASE = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
                  "ada:x:1000:1000:Ada:/home/ada:/bin/bash\n",
    "etc/group": "root:x:0:\nshadow:x:42:\nada:x:1000:\n",
    "etc/shadow": "root:*:19700:0:99999:7:::\ndaemon:*:19700:0:99999:7:::\nada:$y$j9T$abc$def:19700:1:365:7:30::\n",
    "etc/gshadow": "root:*::\nshadow:*::\nada:!::\n",
    "etc/shells": "/bin/sh\n/bin/bash\n",
    "etc/login.defs": "PASS_MAX_DAYS 365\nUID_MIN 1000\nENCRYPT_METHOD YESCRYPT\n",
    "etc/fstab": "/dev/vda1 / ext4 defaults 0 1\ntmpfs /tmp tmpfs nosuid,nodev,noexec 0 0\n",
    "etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\nBanner /etc/issue.net\nMatch User ada\n  X11Forwarding yes\n",
    "etc/ssh/ssh_host_ed25519_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    "etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 AAAA root@x\n",
    "etc/sudoers": "@includedir /etc/sudoers.d\nDefaults use_pty\nroot ALL=(ALL) ALL\n",
    "etc/pam.d/common-auth": "auth required pam_unix.so\n@include common-account\n",
    "etc/pam.d/common-account": "account include system-auth\n",
    "etc/modprobe.d/a.conf": "install cramfs /bin/false\nblacklist usb-storage\n",
    "etc/sysctl.d/a.conf": "net.ipv4.ip_forward = 0\n",
    "etc/systemd/journald.conf": "[Journal]\nStorage=persistent\n",
    "etc/chrony/chrony.conf": "confdir /etc/chrony/conf.d\ninclude /etc/chrony/more.conf\nsourcedir /etc/chrony/sources.d\n",
    "etc/default/ssh": "SSHD_OPTS=\n",
    "etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
    "etc/crypto-policies/config": "DEFAULT\n",
    "etc/dconf/profile/user": "user-db:user\nsystem-db:local\n",
    "boot/grub/grub.cfg": "linux /vmlinuz root=/dev/vda1 ro quiet\n",
    "boot/loader/entries/a.conf": "options root=/dev/vda1\n",
    "lib/modules/6.1.0/modules.dep": "kernel/fs/cramfs/cramfs.ko:\n",
    "lib/modules/6.1.0/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
    "usr/lib/systemd/system/ssh.service": "[Service]\nExecStart=/usr/sbin/sshd\n[Install]\nWantedBy=multi-user.target\n",
    "usr/sbin/sshd": "\x7fELF OpenSSH_9.2p1\n",
    "home/ada/.bashrc": "umask 077\n",
    "var/log/syslog": "x\n",
    "var/lib/dpkg/status": "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n" for name, version in (
            ("openssh-server", "1:9.2p1-2"), ("sudo", "1.9.13"), ("cron", "3.0"), ("chrony", "4.3"), ("systemd", "252"),
            ("apparmor", "3.0"), ("auditd", "1:3.0"), ("libpam-pwquality", "1.4"), ("rsyslog", "8.2"), ("nftables", "1.0"),
            ("ufw", "0.36"), ("gdm3", "43"), ("aide", "0.18"), ("selinux-policy", "38"), ("linux-image-amd64", "6.1"))),
}


FAMILIES = ("deb", "rpm")  # by their package database


def family_of(profile):
    return "deb" if "debian" in profile or "ubuntu" in profile else "rpm"


def base(root, family="deb"):
    for path, text in BASE.items():
        if family == "rpm" and "dpkg" in path:
            continue
        place = Path(root, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    if family == "rpm":
        Path(root, "var/lib/rpm").mkdir(parents=True)
        Path(root, "var/lib/rpm/rpmdb.sqlite").write_bytes(b"SQLite format 3\0" + bytes(500))
    for name in ("root", "tmp", "dev/shm", "var/tmp", "var/lib/rpm", "usr/lib/sysimage/rpm", "run", "proc", "sys"):
        Path(root, name).mkdir(parents=True, exist_ok=True)


def outside(folder):
    """What links lead to: a second system where everything has the canary in it."""
    for path, text in BASE.items():
        place = Path(folder, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.replace("ada", CANARY).replace("root:", f"{CANARY}:x:0:0::/:/bin/sh\nroot:") + f"\n# {CANARY}\n")
    (Path(folder) / CANARY).write_text(CANARY)


# What stands in the place of a file. Each: function of the place (bytes) and the outside folder (str).

def _text(data):
    def make(place, _):
        with open(place, "wb") as out:
            out.write(data)
    return make


def _node(kind, device=0):
    return lambda place, _: os.mknod(place, kind | 0o644, device)


def _socket(place, _):
    """A bound one. Its path would be too long for bind, so it is made elsewhere."""
    with socket.socket(socket.AF_UNIX) as one:
        short = f"/tmp/hostward-game.{os.getpid()}"
        one.bind(short)
        shutil.move(short, os.fsdecode(place))


def _sparse(place, _):
    with open(place, "wb") as out:
        out.truncate(SPARSE_BYTES)


def _unreadable(place, _):
    _text(b"x\n")(place, _)
    os.chmod(place, 0)


def _directory(place, _):
    os.mkdir(place)
    for name in ODD_NAMES:
        os.mkdir(os.path.join(place, name))


def _link(target):
    """{path}: the place inside the root; {outside}: the folder of the canary."""
    def make(place, away, inside):
        text = target.replace(b"{outside}", os.fsencode(away)).replace(b"{path}", inside)
        os.symlink(text, place)
    make.wants_path = True
    return make


_UP = b"../" * 40
FILES = {
    "dangling": _link(b"/no/such/place{path}"),
    "absolute": _link(b"{outside}{path}"),
    "dotdot": _link(_UP + b"{outside}{path}"),
    "through_proc": _link(b"/proc/self/root{outside}{path}"),
    "own_descriptor": _link(b"/proc/self/fd/0"),
    "loop": _link(b"{path}"),
    "loop_up": _link(b"..{path}/../" + b"x/../" * 30 + b".."),
    "fifo": _node(stat.S_IFIFO),
    "socket": _socket,
    "character_device": _node(stat.S_IFCHR, os.makedev(1, 5)),
    "block_device": _node(stat.S_IFBLK, os.makedev(7, 250)),
    "directory": _directory,
    "sparse": _sparse,
    "unreadable": _unreadable,
    "empty": _text(b""),
    "not_text": _text(b"\x1b]0;x\x07\x00\xff\xfe\x80 \xc3\x28 = \x1b[2J\x9b31m\r\n<b>&\"']]>\n\xed\xa0\x80:\xf4\x90\x80\x80:0:0\n" * 50),
    "colons": _text(b":" * 5000 + b"\n" + b"[" * 5000 + b"\n" + b"(" * 5000 + b"\\\n" * 5000),
}
# The same file many times over, each as large as may be read.
LARGE = {
    "one_line": b"a b=c:d," * (LONG_BYTES // 8),
    "lines": b"a b=c:d\n" * (LONG_BYTES // 8),
}
# What stands in the place of a folder that is listed.
FOLDERS = {name: FILES[name] for name in ("absolute", "dotdot", "through_proc", "loop", "loop_up", "fifo", "unreadable", "dangling")}
SAME_AS_DANGLING = ("absolute", "dotdot", "through_proc")


def put(root, inside, make, away):
    """`inside`: path of the root, bytes. Not where a hostile thing stands on the way to it already."""
    place = os.fsencode(root) + inside
    parent = os.path.dirname(place)
    try:
        os.makedirs(parent, exist_ok=True)
    except OSError:
        return
    if os.path.realpath(parent) != parent:
        return
    if os.path.isdir(place) and not os.path.islink(place):
        shutil.rmtree(place)
    elif os.path.lexists(place):
        os.unlink(place)
    if getattr(make, "wants_path", False):
        make(place, away, inside)
    else:
        make(place, away)


def all_files(root, asked, make, away, family):
    """Every file that was asked for, and in every folder some with odd names."""
    base(root, family)
    folders = {path for path, is_folder in asked if is_folder}
    for path in sorted({path for path, is_folder in asked if not is_folder} - folders, key=len, reverse=True):
        put(root, path, make, away)
    for folder in sorted(folders):
        for number, name in enumerate(ODD_NAMES):
            put(root, folder.rstrip(b"/") + b"/" + name + ENDS[number % len(ENDS)], make, away)


def all_folders(root, asked, make, away, family):
    """Every folder that was listed."""
    base(root, family)
    for path in sorted({path for path, is_folder in asked if is_folder and path != b"/"}, key=len):
        put(root, path, make, away)


def all_large(root, asked, text, family):
    one = Path(root, "large")
    one.write_bytes(text)
    all_files(root, asked, lambda place, _: os.link(one, place), "", family)


def deep(root):
    """A tree deeper than there are descriptors, with a violation at its end, and links that lead up all along."""
    base(root)
    at = os.open(root, os.O_RDONLY)
    for level in range(DEEP):
        name = b"d" if level % 100 else ODD_NAMES[level // 100 % len(ODD_NAMES)]
        os.mkdir(name, dir_fd=at)
        if level % 50 == 0:
            os.symlink("../" * 50, "up", dir_fd=at)
            os.close(os.open("writable", os.O_CREAT | os.O_WRONLY, dir_fd=at))
            os.chmod("writable", 0o666, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def odd_names(root):
    """Files that every sweep rule has to name, with names that break lines, terminals and encodings."""
    base(root)
    for name in ODD_NAMES:
        place = os.fsencode(root) + b"/var/" + name
        os.mkdir(place)
        os.chmod(place, 0o777)
        for number, (mode, owner) in enumerate(((0o666, 0), (0o4755, 0), (0o2755, 0), (0o644, 54321))):
            file = place + b"/" + name[:200] + b"%d" % number
            with open(file, "wb"):
                pass
            os.chown(file, owner, owner)
            os.chmod(file, mode)
    with open(Path(root, "etc/passwd"), "ab") as out:
        for name in ODD_NAMES:
            out.write(name + b":x:0:0:" + name + b":/home/" + name + b":/bin/" + name + b"\n")
