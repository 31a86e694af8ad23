# SPDX-License-Identifier: Apache-2.0
"""Hardens a root as its owner would: with what `hostward check` tells as remediation, run by the root's own programs."""
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A line that begins so is a command; the rest is for people.
PROGRAMS = ("printf", "echo", "mkdir", "chown", "chmod", "systemctl mask", "systemctl enable", "touch", "sed", "find", "useradd", "groupadd", "apt")
WRITES = re.compile(r"^(?:Write into|Write it with `visudo -f|Write|Set in) (/\S+?)[:,`](?:.*:)?$")

# What the texts leave to the owner: what to mount where, which group, which words; or what only a person may decide.
BY_HAND = """
sed -i '/^Include/d' /etc/ssh/sshd_config && sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config
groupadd -f ssh-users
groupadd -f sugroup
printf 'auth required pam_wheel.so use_uid group=sugroup\\n' | cat - /etc/pam.d/su > /tmp/su && cat /tmp/su > /etc/pam.d/su && rm /tmp/su
printf '%s\\n' '/dev/vda1 / ext4 defaults 0 1' > /etc/fstab
printf '%s\\n' '/dev/vda2 /home ext4 nosuid,nodev 0 2' '/dev/vda3 /var ext4 nosuid,nodev 0 2' >> /etc/fstab
printf '%s\\n' '/dev/vda5 /var/tmp ext4 nosuid,nodev,noexec 0 2' '/dev/vda6 /var/log ext4 nosuid,nodev,noexec 0 2' >> /etc/fstab
printf '%s\\n' '/dev/vda7 /var/log/audit ext4 nosuid,nodev,noexec 0 2' 'tmpfs /tmp tmpfs nosuid,nodev,noexec 0 0' >> /etc/fstab
printf '%s\\n' 'tmpfs /dev/shm tmpfs nosuid,nodev,noexec 0 0' >> /etc/fstab
printf 'Name: faillock\\nDefault: yes\\nPriority: 0\\nAuth-Type: Primary\\nAuth:\\n\\t[default=die] pam_faillock.so authfail\\n' > /usr/share/pam-configs/faillock
printf 'Name: faillock notify\\nDefault: yes\\nPriority: 1025\\nAuth-Type: Primary\\nAuth:\\n\\trequisite pam_faillock.so preauth\\nAccount-Type: Primary\\nAccount:\\n\\trequired pam_faillock.so\\n' > /usr/share/pam-configs/faillock_notify
printf 'Name: pwhistory\\nDefault: yes\\nPriority: 1023\\nPassword-Type: Primary\\nPassword:\\n\\trequisite pam_pwhistory.so enforce_for_root remember=24 use_authtok try_first_pass\\n' > /usr/share/pam-configs/pwhistory
sed -i 's/ nullok//' /usr/share/pam-configs/unix
pam-auth-update --force --enable unix faillock faillock_notify pwquality pwhistory
useradd -D -f 45
chage --maxdays 365 --mindays 1 --inactive 45 ada
chmod 750 /home/ada
sed -i 's/quiet/quiet audit=1 audit_backlog_limit=8192 apparmor=1 security=apparmor/' /boot/grub/grub.cfg
printf '%s\\n' 'set superusers="boss"' 'password_pbkdf2 boss grub.pbkdf2.sha512.10000.AB.CD' >> /boot/grub/grub.cfg
sed -i 's/hook \\(input\\|forward\\|output\\) priority [a-z0-9]*;/& policy drop;/' /etc/nftables.conf
sed -i '/hook input/a iif lo accept\\nip saddr 127.0.0.0/8 drop\\nip6 saddr ::1 drop\\ntcp dport 22 accept' /etc/nftables.conf
sed -i '/hook output/a accept' /etc/nftables.conf
systemctl enable chrony.service cron.service nftables.service auditd.service rsyslog.service
systemctl mask systemd-timesyncd.service
"""


def rules():
    """{id: rule} of the whole library."""
    files = (tomllib.loads(path.read_text()) for path in sorted((ROOT / "hardening/rules").glob("*.toml")))
    return {rule["id"]: rule for file in files for rule in file["rule"]}


def run(root, script):
    """In the root, in namespaces of its own: no process, packet or mount of it reaches this machine."""
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--net",
         "chroot", root, "/bin/sh", "-c", f"exec 2>&1; {script}"],
        capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"})


def by_hand(root):
    for line in BY_HAND.strip().splitlines():
        done = run(root, line)
        if done.returncode != 0:
            raise AssertionError(f"{line}: {done.stdout}")


def commands(text):
    """The commands of a remediation; one that goes on in the next line, and a loop, are one."""
    out, open_loop = [], False
    for line in text.splitlines():
        bare = line.strip().partition("    # ")[0]
        if open_loop or (out and out[-1].endswith("\\")):
            out[-1] = out[-1].removesuffix("\\") + (" " if out[-1].endswith("\\") else "\n") + bare
            open_loop = open_loop and not bare.startswith("done")
        elif bare.startswith(PROGRAMS):
            out.append(bare)
        elif bare.startswith("for "):
            out.append(bare)
            open_loop = True
    return out


def settings(text):
    """[(line, file)] of `write LINE into FILE`."""
    out = []
    for sentence in re.findall(r"write (`[^`]+`(?: and `[^`]+`)*) into (/etc/\S+?)[,\s]", text):
        out += [(line, sentence[1]) for line in re.findall(r"`([^`]+)`", sentence[0])]
    defs = re.match(r"In (/etc/login\.defs): `([^`]+)`", text)
    return out + ([(defs.group(2), defs.group(1))] if defs else [])


def contents(text):
    """{file: lines} of what a remediation says to write: the lines below `Write into FILE:`, up to the next sentence."""
    out, file, begun = {}, None, False
    for line in text.splitlines():
        found = WRITES.match(line)
        if found:
            file, begun = found.group(1), False
        elif line.startswith(("Then ", "or ", "On ", "Where ")) or (begun and not line.strip()):
            file = None
        elif file and line.strip():
            out.setdefault(file, []).append(line.strip())
            begun = True
    return out


def remedy(root, rule):
    """Does what the text of this rule says. False: it has nothing that can be pasted."""
    text = rule["remediation"]
    writes, todo = contents(text), commands(text)
    for line, file in settings(text):
        writes.setdefault(file, []).append(line)
    for file, lines in writes.items():
        place = Path(root, file.lstrip("/"))
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "a") as out:
            out.write("\n".join(lines) + "\n")
    for command in todo:
        run(root, command)  # one that fails shows in the verdict
    return bool(writes or todo)
