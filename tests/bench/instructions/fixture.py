# SPDX-License-Identifier: Apache-2.0
"""A small host as files: a Debian 12 server by its configuration, made the same every time. Of a size that is asked for."""
import os
from pathlib import Path

SYSTEM_USERS = ("root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data", "backup",
                "list", "irc", "nobody", "systemd-network", "messagebus", "sshd", "_chrony")
PACKAGES = ("openssh-server", "sudo", "cron", "rsyslog", "auditd", "audispd-plugins", "apparmor", "apparmor-utils", "nftables",
            "chrony", "libpam-runtime", "libpam-modules", "libpam-pwquality", "systemd", "procps")
TEXTS = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "etc/hostname": "host-1\n",
    "etc/fstab": "UUID=0a3407de-014b-458b-b5c1-848e92a327a3 / ext4 errors=remount-ro 0 1\ntmpfs /tmp tmpfs nosuid,nodev,noexec 0 0\n"
                 "UUID=f9fe0b69-a280-415d-a03a-a32752370dee /var ext4 nosuid,nodev 0 2\n",
    "etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\n"
                           "PrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/openssh/sftp-server\n",
    "etc/ssh/sshd_config.d/10-site.conf": "PermitRootLogin no\nMaxAuthTries 4\nClientAliveInterval 15\nClientAliveCountMax 3\n"
                                          "LoginGraceTime 60\nBanner /etc/issue.net\nMatch Group backup\n  ForceCommand /bin/false\n",
    "etc/sudoers": "Defaults env_reset\nDefaults use_pty\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    "etc/sudoers.d/deploy": "deploy ALL=(root) /usr/bin/systemctl restart web.service\n",
    "etc/login.defs": "PASS_MAX_DAYS 365\nPASS_MIN_DAYS 1\nPASS_WARN_AGE 7\nENCRYPT_METHOD YESCRYPT\nUID_MIN 1000\nUID_MAX 60000\nUMASK 027\n",
    "etc/pam.d/common-auth": "auth required pam_faillock.so preauth\nauth [success=1 default=ignore] pam_unix.so nullok\n"
                             "auth requisite pam_deny.so\nauth required pam_permit.so\n",
    "etc/pam.d/common-password": "password requisite pam_pwquality.so retry=3\npassword [success=1 default=ignore] pam_unix.so obscure "
                                 "use_authtok try_first_pass yescrypt\npassword requisite pam_deny.so\n",
    "etc/pam.d/common-account": "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\n",
    "etc/pam.d/su": "auth sufficient pam_rootok.so\n@include common-auth\n",
    "etc/security/pwquality.conf": "minlen = 14\nminclass = 4\n",
    "etc/security/faillock.conf": "deny = 5\nunlock_time = 900\n",
    "etc/sysctl.d/60-net.conf": "".join(f"net.ipv4.conf.{which}.{what}\n" for which in ("all", "default") for what in (
        "rp_filter = 1", "accept_redirects = 0", "send_redirects = 0", "accept_source_route = 0", "log_martians = 1")),
    "etc/modprobe.d/unused.conf": "".join(f"install {name} /bin/false\nblacklist {name}\n" for name in ("cramfs", "udf", "dccp", "sctp")),
    "etc/systemd/journald.conf": "[Journal]\nStorage=persistent\nCompress=yes\nForwardToSyslog=no\n",
    "etc/profile": "if [ \"$PS1\" ]; then\n  if [ -f /etc/bash.bashrc ]; then\n    . /etc/bash.bashrc\n  fi\nfi\n"
                   "for i in /etc/profile.d/*.sh; do\n  if [ -r $i ]; then\n    . $i\n  fi\ndone\numask 027\n",
    "etc/profile.d/timeout.sh": "TMOUT=900\nreadonly TMOUT\nexport TMOUT\n",
    "etc/bash.bashrc": "[ -z \"$PS1\" ] && return\nshopt -s checkwinsize\n",
    "etc/audit/rules.d/50-site.rules": "".join(
        f"-a always,exit -F arch=b64 -S {call} -F auid>=1000 -F auid!=unset -k {call}\n" for call in (
            "chmod", "chown", "unlink", "rename", "mount", "adjtimex", "sethostname", "init_module")) + "-w /etc/passwd -p wa -k identity\n-e 2\n",
    "etc/audit/auditd.conf": "log_file = /var/log/audit/audit.log\nmax_log_file = 32\nmax_log_file_action = keep_logs\n",
    "etc/nftables.conf": "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n    iif lo accept\n"
                         "    tcp dport 22 accept\n  }\n}\n",
    "etc/issue.net": "Authorized users only.\n",
    "etc/crontab": "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n",
    "boot/grub/grub.cfg": "linux /vmlinuz root=/dev/sda1 ro audit=1 apparmor=1 security=apparmor\n",
}


def write(root: Path, name: str, text: str, mode: int = 0o644) -> None:
    path = root / name
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def accounts(root: Path, users: int) -> None:
    people = [(f"user{number:06d}", 1000 + number) for number in range(users)]
    system = list(zip(SYSTEM_USERS, range(len(SYSTEM_USERS))))
    homes = {name: "/root" if uid == 0 else f"/home/{name}" if uid >= 1000 else "/nonexistent" for name, uid in system + people}
    shells = {name: "/bin/bash" if uid == 0 or uid >= 1000 else "/usr/sbin/nologin" for name, uid in system + people}
    write(root, "etc/passwd", "".join(f"{name}:x:{uid}:{uid}:,,,:{homes[name]}:{shells[name]}\n" for name, uid in system + people))
    write(root, "etc/group", "".join(f"{name}:x:{uid}:\n" for name, uid in system + people))
    write(root, "etc/shadow", "".join(f"{name}:$y$j9T$salt$hash:20000:1:365:7:30::\n" for name, _ in system + people), 0o640)
    write(root, "etc/gshadow", "".join(f"{name}:!::\n" for name, _ in system + people), 0o640)
    for name, uid in people:
        write(root, f"home/{name}/.profile", "umask 027\n")
        (root / "home" / name).chmod(0o750)
        if os.geteuid() == 0:
            os.chown(root / "home" / name, uid, uid)


def packages(root: Path, number: int) -> None:
    names = [*PACKAGES, *(f"lib{n:04d}" for n in range(number - len(PACKAGES)))]
    write(root, "var/lib/dpkg/status", "".join(
        f"Package: {name}\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 1.0-{len(name)}\n"
        f"Depends: libc6 (>= 2.36)\nDescription: a part of the system\n It has a second line.\n\n" for name in names))


def make(root: Path, users: int = 40, files: int = 2000) -> None:
    """Below `root`, a folder that is there and empty."""
    root.chmod(0o755)
    for name, text in TEXTS.items():
        write(root, name, text)
    accounts(root, users)
    packages(root, 300)
    for number in range(files):
        write(root, f"usr/share/data/{number // 100:03d}/file-{number:06d}.dat", "", 0o4755 if number % 200 == 0 else 0o644)
