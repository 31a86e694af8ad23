# SPDX-License-Identifier: Apache-2.0
"""Single faults for a hardened Debian 12, and which rules must find each: these, and no other one.

The scripts run in the root's folder, by this machine's shell, so paths are relative. `also` are rules that rightly follow:
they say the same in another recommendation, or rest on what the fault takes away.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Seed:
    rule: str
    script: str
    also: tuple = ()

    def __str__(self):
        return f"{self.rule}: {self.script}"


SSHD = "printf '%s\\n' '{}' | cat - etc/ssh/sshd_config.d/00-hardening.conf > x && cat x > etc/ssh/sshd_config.d/00-hardening.conf && rm x"
# Keyword and value; the first value that sshd meets counts, so it goes to the front.
SSHD_VALUES = {
    "sshd-no-root-login": ("PermitRootLogin yes", "permitrootlogin prohibit-password", "PermitRootLogin=without-password"),
    "sshd-no-empty-passwords": ("PermitEmptyPasswords yes",),
    "sshd-no-host-based": ("HostbasedAuthentication yes",),
    "sshd-ignores-rhosts": ("IgnoreRhosts no", "IgnoreRhosts shosts-only"),
    "sshd-no-user-environment": ("PermitUserEnvironment yes",),
    "sshd-no-forwarding": ("DisableForwarding no",),
    "sshd-no-gssapi": ("GSSAPIAuthentication yes",),
    "sshd-use-pam": ("UsePAM no",),
    "sshd-log-level": ("LogLevel QUIET",),
    "sshd-max-auth-tries": ("MaxAuthTries 7",),
    "sshd-max-sessions": ("MaxSessions 11",),
    "sshd-login-grace-time": ("LoginGraceTime 2m", "LoginGraceTime 0"),
    "sshd-client-alive": ("ClientAliveCountMax 0", "ClientAliveInterval 0"),
    "sshd-banner": ("Banner none",),
    "sshd-ciphers": ("Ciphers aes128-cbc,aes256-ctr",),
    "sshd-macs": ("MACs hmac-md5,hmac-sha2-512",),
    "sshd-kex-algorithms": ("KexAlgorithms diffie-hellman-group1-sha1,curve25519-sha256",),
}
SYSCTLS = {
    "sysctl-aslr": ("kernel.randomize_va_space = 1",),
    "sysctl-ptrace-scope": ("kernel.yama.ptrace_scope = 0",),
    "sysctl-ip-forward": ("net.ipv4.ip_forward = 1", "net/ipv6/conf/all/forwarding=1"),
    "sysctl-send-redirects": ("net.ipv4.conf.default.send_redirects = 1",),
    "sysctl-source-route": ("net.ipv6.conf.all.accept_source_route = 1",),
    "sysctl-accept-redirects": ("net.ipv4.conf.all.accept_redirects = 1",),
    "sysctl-secure-redirects": ("net.ipv4.conf.all.secure_redirects = 1",),
    "sysctl-log-martians": ("-net.ipv4.conf.all.log_martians = 0",),
    "sysctl-broadcast-pings": ("net.ipv4.icmp_echo_ignore_broadcasts = 0",),
    "sysctl-bogus-icmp": ("net.ipv4.icmp_ignore_bogus_error_responses = 0",),
    "sysctl-rp-filter": ("net.ipv4.conf.default.rp_filter = 0",),
    "sysctl-syncookies": ("net.ipv4.tcp_syncookies = 0",),
    "sysctl-router-advertisements": ("net.ipv6.conf.default.accept_ra = 1",),
    "core-dumps-off": ("fs.suid_dumpable = 2",),
}
MODULES = ("cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "overlay", "squashfs", "udf", "usb-storage", "dccp", "tipc", "rds", "sctp")
# Mount point -> the options that it has to have.
MOUNTS = {"/tmp": "nodev nosuid noexec", "/dev/shm": "nodev nosuid noexec", "/home": "nodev nosuid", "/var": "nodev nosuid",
          "/var/tmp": "nodev nosuid noexec", "/var/log": "nodev nosuid noexec", "/var/log/audit": "nodev nosuid noexec"}
MODES = {
    "motd-access": "chmod 664 etc/motd", "issue-access": "chmod 654 etc/issue", "issue-net-access": "chown 1 etc/issue.net",
    "crontab-access": "chmod 644 etc/crontab", "cron-hourly-access": "chmod 755 etc/cron.hourly",
    "cron-daily-access": "chmod 710 etc/cron.daily", "cron-weekly-access": "chown :1 etc/cron.weekly",
    "cron-monthly-access": "chmod 701 etc/cron.monthly", "cron-d-access": "chmod 755 etc/cron.d",
    "cron-users": "rm etc/cron.allow", "sshd-config-access": "chmod 640 etc/ssh/sshd_config",
    "ssh-host-private-keys-access": "chmod 644 etc/ssh/ssh_host_ed25519_key",
    "ssh-host-public-keys-access": "chmod 664 etc/ssh/ssh_host_ed25519_key.pub", "passwd-access": "chmod 664 etc/passwd",
    "passwd-backup-access": "chmod 664 etc/passwd-", "group-access": "chown 1 etc/group", "group-backup-access": "chmod 755 etc/group-",
    "shadow-access": "chmod 644 etc/shadow", "shadow-backup-access": "chmod 660 etc/shadow-", "gshadow-access": "chmod 644 etc/gshadow",
    "gshadow-backup-access": "chown :1 etc/gshadow-", "shells-access": "chmod 775 etc/shells",
    "audit-config-mode": "chmod 644 etc/audit/auditd.conf", "audit-config-owner": "chown 1 etc/audit/auditd.conf",
    "audit-config-group": "chown :1 etc/audit/auditd.conf", "audit-tools-mode": "chmod 775 sbin/auditctl",
    "audit-tools-owner": "chown 1 sbin/ausearch", "audit-tools-group": "chown :1 sbin/aureport",
}
UNITS = {
    "autofs-off": "autofs.service", "avahi-off": "avahi-daemon.service", "cups-off": "cups.service", "dhcp-server-off": "isc-dhcp-server.service",
    "dns-server-off": "named.service", "dnsmasq-off": "dnsmasq.service", "ftp-server-off": "vsftpd.service", "ldap-server-off": "slapd.service",
    "mail-access-server-off": "dovecot.service", "nfs-server-off": "nfs-server.service", "nis-server-off": "ypserv.service",
    "rpcbind-off": "rpcbind.socket", "rsync-daemon-off": "rsync.service", "samba-off": "smbd.service", "snmp-off": "snmpd.service",
    "tftp-server-off": "tftpd-hpa.service", "web-proxy-off": "squid.service", "web-servers-off": "nginx.service", "xinetd-off": "xinetd.service",
    "bluetooth-off": "bluetooth.service", "journal-remote-listener-off": "systemd-journal-remote.socket",
}
ABSENT = {"nis-client-absent": "nis", "rsh-client-absent": "rsh-client", "talk-client-absent": "talk", "telnet-client-absent": "telnet",
          "ldap-client-absent": "ldap-utils", "ftp-client-absent": "tnftp", "x-server-absent": "xserver-common",
          "at-users": "at"}  # with at there must be a list of who may use it
PRESENT = {"aide-installed": ("aide", ()), "apparmor-installed": ("apparmor-utils", ()), "sudo-installed": ("sudo", ()),
           "audit-installed": ("audispd-plugins", ()), "pam-pwquality-installed": ("libpam-pwquality", ()),
           "pam-modules-installed": ("libpam-modules", ())}
PACKAGE = "printf '\\nPackage: %s\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 1\\n' {} >> var/lib/dpkg/status"


def option_taken(point, option):
    pattern = f"\\#^[^ ]* {point} #s/,{option}\\b//"
    return f"sed -i -e '{pattern}' -e '{pattern.replace(',' + option, option + ',')}' etc/fstab"


def tables():
    for rule, values in SSHD_VALUES.items():
        yield from (Seed(rule, SSHD.format(value)) for value in values)
    for rule, values in SYSCTLS.items():
        yield from (Seed(rule, f"echo '{value}' > etc/sysctl.d/zz-fault.conf") for value in values)
    for name in MODULES:
        yield Seed(f"kernel-module-{name}-blocked", f"rm etc/modprobe.d/hostward-{name}.conf")
    for point, options in MOUNTS.items():
        rule = "mount" + point.replace("/", "-")
        yield from (Seed(f"{rule}-{option}", option_taken(point, option)) for option in options.split())
    yield from (Seed(rule, script) for rule, script in MODES.items())
    for rule, unit in UNITS.items():
        kind = "sockets" if unit.endswith("socket") else "multi-user"
        yield Seed(rule, f"printf '[Service]\\nExecStart=/bin/true\\n' > lib/systemd/system/{unit} && "
                         f"mkdir -p etc/systemd/system/{kind}.target.wants && "
                         f"ln -s /lib/systemd/system/{unit} etc/systemd/system/{kind}.target.wants/{unit}")
    yield from (Seed(rule, PACKAGE.format(name)) for rule, name in ABSENT.items())
    for rule, (name, also) in PRESENT.items():
        yield Seed(rule, f"sed -i '/^Package: {name}$/,/^$/s/^Status: .*/Status: deinstall ok config-files/' var/lib/dpkg/status", also)


SINGLE = (
    # sweep
    Seed("no-world-writable-files", "touch opt/open && chmod 666 opt/open"),
    Seed("no-world-writable-files", "mkdir -p opt/a/b && chmod 777 opt/a/b"),
    Seed("no-world-writable-files", "printf x > 'var/lib/new\nline' && chmod 602 'var/lib/new\nline'"),
    Seed("files-have-owners", "touch opt/nobodys && chown 54321:0 opt/nobodys"),
    Seed("files-have-owners", "mkdir opt/nobodys && chown 0:54321 opt/nobodys"),
    Seed("homes-closed", "chmod 755 home/ada"),
    Seed("homes-closed", "chown 1 home/ada"),
    Seed("homes-closed", "rm -r home/ada"),
    Seed("dot-files-closed", "touch home/ada/.rhosts && chown 1000:1000 home/ada/.rhosts"),
    Seed("dot-files-closed", "touch home/ada/.bashrc && chown 1000:1000 home/ada/.bashrc && chmod 664 home/ada/.bashrc"),
    Seed("dot-files-closed", "touch home/ada/.bash_history && chown 1000:1000 home/ada/.bash_history && chmod 644 home/ada/.bash_history"),
    Seed("dot-files-closed", "touch home/ada/.profile && chown 1:1000 home/ada/.profile"),
    Seed("log-files-closed", "touch var/log/own.log && chmod 646 var/log/own.log", ("no-world-writable-files",)),
    Seed("log-files-closed", "touch var/log/secure && chmod 644 var/log/secure"),
    # accounts
    Seed("only-root-uid-0", "echo 'toor:x:00:0::/root:/bin/bash' >> etc/passwd && echo 'toor:*:19700:1:365:7:45::' >> etc/shadow",
         ("uids-unique", "only-root-primary-gid-0", "system-accounts-no-shell")),
    Seed("only-root-primary-gid-0", "sed -i 's/^ada:x:1000:1000:/ada:x:1000:0:/' etc/passwd", ("dot-files-closed",)),
    Seed("only-root-group-gid-0", "echo 'wheel:x:0:' >> etc/group", ("gids-unique",)),
    Seed("uids-unique", "echo 'bob:x:1000:1000::/home/ada:/bin/bash' >> etc/passwd && echo 'bob:!:19700:1:365:7:45::' >> etc/shadow"),
    Seed("gids-unique", "echo 'again:x:1000:' >> etc/group"),
    Seed("user-names-unique", "echo 'daemon:x:999:1::/:/usr/sbin/nologin' >> etc/passwd"),
    Seed("group-names-unique", "echo 'daemon:x:4242:' >> etc/group"),
    Seed("primary-groups-exist", "sed -i 's/^ada:x:1000:1000:/ada:x:1000:4242:/' etc/passwd", ("dot-files-closed",)),
    Seed("passwords-shadowed", "sed -i 's/^games:x:/games:*:/' etc/passwd"),
    Seed("no-empty-passwords", "sed -i 's/^ada:[^:]*:/ada::/' etc/shadow"),
    Seed("shadow-group-empty", "sed -i 's/^shadow:\\(.*\\):$/shadow:\\1:ada/' etc/group"),
    Seed("system-accounts-no-shell", "sed -i 's#^games:\\(.*\\):/usr/sbin/nologin#games:\\1:/bin/sh#' etc/passwd", ("homes-closed",)),
    Seed("no-shell-accounts-locked", "sed -i 's/^games:[^:]*:/games:$y$j9T$abcdefgh$0123456789012345678901234567890123456789012:/' etc/shadow",
         ("password-max-days", "password-min-days", "password-inactive-lock")),
    Seed("shells-list-no-nologin", "echo /usr/sbin/nologin >> etc/shells"),
    Seed("password-max-days", "sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 99999/' etc/login.defs"),
    Seed("password-max-days", "sed -i 's/^\\(ada:[^:]*:[0-9]*:1\\):365:/\\1:366:/' etc/shadow"),
    Seed("password-min-days", "sed -i 's/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 0/' etc/login.defs"),
    Seed("password-warn-days", "sed -i 's/^PASS_WARN_AGE.*/PASS_WARN_AGE 6/' etc/login.defs"),
    Seed("password-inactive-lock", "sed -i 's/^INACTIVE=.*/INACTIVE=46/' etc/default/useradd"),
    Seed("password-changed-in-past", "sed -i 's/^ada:\\([^:]*\\):[0-9]*:/ada:\\1:99999:/' etc/shadow"),
    Seed("encrypt-method", "sed -i 's/^ENCRYPT_METHOD.*/ENCRYPT_METHOD MD5/' etc/login.defs"),
    # sudo and su
    Seed("sudo-no-nopasswd", "echo 'ada ALL=(ALL) NOPASSWD: ALL' > etc/sudoers.d/10-ada && chmod 440 etc/sudoers.d/10-ada"),
    Seed("sudo-use-pty", "echo 'Defaults !use_pty' > etc/sudoers.d/10-x && sed -i '/use_pty/d' etc/sudoers.d/00-hardening etc/sudoers"),
    Seed("sudo-logfile", "sed -i '/logfile/d' etc/sudoers.d/00-hardening"),
    Seed("sudo-authenticate", "echo 'Defaults !authenticate' > etc/sudoers.d/10-x"),
    Seed("sudo-timestamp-timeout", "echo 'Defaults timestamp_timeout=-1' > etc/sudoers.d/10-x"),
    Seed("su-restricted", "sed -i '/pam_wheel/d' etc/pam.d/su"),
    # PAM
    Seed("faillock-deny", "echo 'deny = 6' >> etc/security/faillock.conf"),
    Seed("faillock-unlock-time", "sed -i 's/^unlock_time.*/unlock_time = 60/' etc/security/faillock.conf"),
    Seed("faillock-root", "sed -i '/^even_deny_root/d;/^root_unlock_time/d' etc/security/faillock.conf"),
    Seed("pwquality-minlen", "sed -i 's/^minlen.*/minlen = 8/' etc/security/pwquality.conf"),
    Seed("pwquality-difok", "sed -i 's/^difok.*/difok = 0/' etc/security/pwquality.conf"),
    Seed("pwquality-maxrepeat", "echo 'maxrepeat = 9' >> etc/security/pwquality.conf"),
    Seed("pwquality-dictcheck", "echo 'dictcheck = 0' >> etc/security/pwquality.conf"),
    Seed("pwquality-enforcing", "echo 'enforcing = 0' >> etc/security/pwquality.conf"),
    Seed("pam-unix-no-nullok", "sed -i '/pam_unix/s/$/ nullok/' etc/pam.d/common-auth"),
    Seed("pam-unix-hash", "sed -i 's/ yescrypt/ md5/' etc/pam.d/common-password"),
    Seed("pwhistory-remember", "sed -i 's/remember=24/remember=3/' etc/pam.d/common-password"),
    # the firewall of the next boot
    Seed("nft-policy", "sed -i '/hook forward/s/policy drop/policy accept/' etc/nftables.conf"),
    Seed("nft-loopback", "sed -i '/127.0.0.0/d' etc/nftables.conf"),
    # the rest
    Seed("sshd-max-startups", "echo 'MaxStartups 10:30:100' >> etc/ssh/sshd_config.d/00-hardening.conf"),  # of it the last one counts
    Seed("motd-content", "echo 'Debian \\\\s \\\\r' > etc/motd"),
    Seed("issue-content", "echo 'Debian GNU/Linux 12 \\\\n' > etc/issue"),
    Seed("issue-net-content", ": > etc/issue.net"),
    Seed("journald-compress", "printf '[Journal]\\nCompress=no\\n' > etc/systemd/journald.conf.d/zz.conf"),
    Seed("cron-on", "rm etc/systemd/system/multi-user.target.wants/cron.service"),
    Seed("auditd-on", "ln -sf /dev/null etc/systemd/system/auditd.service"),
    Seed("aide-scheduled", "rm -f etc/systemd/system/timers.target.wants/dailyaidecheck.timer etc/cron.d/aide etc/cron.daily/dailyaidecheck etc/cron.daily/aide"),
    Seed("rsyslog-no-listener", "echo 'module(load=\"imtcp\")' > etc/rsyslog.d/in.conf"),
)
SEEDS = (*tables(), *SINGLE)
SWEEP_RULES = {"no-world-writable-files", "files-have-owners", "homes-closed", "dot-files-closed", "log-files-closed"}
SEEDS_MIN = 100 + len(SWEEP_RULES)
