# SPDX-License-Identifier: Apache-2.0
"""One emulated machine: starts a kernel with an initramfs, passes on what init says, never waits without a limit."""
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from initramfs import Error

BOOT_LIMIT_S = 120   # until init says it is up; usually 2 s
QUIET_MARGIN_S = 60  # beyond a test's own limit, until we call the machine hung
FROZEN_S = 120       # without a beat of init, which sends one every 5 s, until we call the machine frozen
CONSOLE_TAIL = 40    # lines shown when something went wrong: before the first sign of damage and at the end
MONITOR_ANSWER_S = 3
MEMORY_MB = 2048
# What the kernel says when it is damaged: no result after that is worth anything.
DAMAGE = ("BUG: ", "Oops", "Kernel panic", "general protection fault")
# An emulated processor stands still whenever this machine is busy: the kernel's own watches would call that a fault. Ours
# are the limits of the tests.
PATIENT = "nowatchdog rcupdate.rcu_cpu_stall_suppress=1 tsc=reliable no_timer_check hung_task_panic=0 unknown_nmi_panic"


def security_modules(kernel_folder, with_bpf):
    """The value of `lsm=`: the kernel's own default list with bpf added or taken out."""
    prefix = 'CONFIG_LSM="'
    lines = (Path(kernel_folder) / "config").read_text().splitlines()
    default = next(line for line in lines if line.startswith(prefix))[len(prefix):].rstrip('"')
    names = [name for name in default.split(",") if name != "bpf"]
    return ",".join(names + ["bpf"] if with_bpf else names)


# One host thread takes turns with the processors. With a thread for each, QEMU before 8.1 can translate an instruction while
# another processor changes it, and keep the old one: kernels change their own text whenever a program is attached, and some
# processor then ran into a breakpoint that was long gone ("Oops: int3" in a bpf_lsm_ function, or a freeze). Debian 12 has 7.2.
ACCELERATOR = "tcg,thread=single"

# Software emulation moves a byte at a time for what ERMS promises to be fast, walks five levels of page tables where four
# do, and leaves its translated code at both ends of each copy under SMAP: without the three, tests take a fifth less time.
PROCESSOR = "max,-erms,-la57,-smap"

SYSTEMD = "hostward.init=/usr/lib/systemd/systemd systemd.show_status=no systemd.log_level=warning"


class Lost(Error):
    """The machine froze or was gone, and the kernel says nothing of its own about it. The text has where the processors stand."""


class Machine:
    """Context manager. `events()` yields ("up",), ("output", text), ("begin", name), ("end", name, facts), ("done",)."""

    def __init__(self, kernel_folder, initrds, with_bpf_lsm=True, extra=(), parameters=""):
        if shutil.which("qemu-system-x86_64") is None:
            raise Error("qemu-system-x86_64 is not installed: run packaging/install-deps.sh test")
        self._work = Path(tempfile.mkdtemp(prefix="hostward-vm."))
        self._token = "@" + secrets.token_hex(8)
        self.console = self._work / "console.log"
        self.console.touch()
        self._monitor = self._work / "monitor"
        initrd = self._work / "initrd"
        with open(initrd, "wb") as out:
            for part in initrds:
                with open(part, "rb") as source:
                    shutil.copyfileobj(source, out)
        lsm = security_modules(kernel_folder, with_bpf_lsm)
        append = (f"console=ttyS0 panic=-1 oops=panic loglevel=5 mitigations=off {PATIENT} lsm={lsm} "
                  f"hostward.token={self._token} {parameters}")
        self._command = [
            "setpriv", "--pdeathsig", "KILL",  # not even a killed test runner leaves a machine behind
            "qemu-system-x86_64", "-accel", ACCELERATOR, "-cpu", PROCESSOR, "-smp", "2", "-m", str(MEMORY_MB),
            "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", str(Path(kernel_folder) / "vmlinuz"), "-initrd", str(initrd), "-append", append.strip(),
            "-serial", f"file:{self.console}", "-serial", "stdio",
            "-monitor", f"unix:{self._monitor},server=on,wait=off", *extra]
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT)
        os.set_blocking(self._process.stdout.fileno(), False)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self._work, ignore_errors=True)

    def wait(self, limit_s):
        """Until the machine ends by itself."""
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise Lost(f"the machine does not end\n{self.diagnosis()}") from None

    def _lines(self, limit_s):
        """Lines of the result port; ends with the machine. `limit_s()` is the patience left at any moment."""
        selector = selectors.DefaultSelector()
        selector.register(self._process.stdout, selectors.EVENT_READ)
        rest = b""
        while True:
            patience = limit_s()
            if patience <= 0 or not selector.select(min(patience, 5)):
                if patience <= 0:
                    self.check_console()
                    raise Lost(f"the machine does not answer any more\n{self.diagnosis()}")
                self.check_console()
                continue
            chunk = self._process.stdout.read()
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "backslashreplace").rstrip("\r")
        if rest:
            yield rest.decode("utf-8", "backslashreplace")

    def events(self, limits, frozen_s=FROZEN_S):
        """`limits`: seconds that each test may take, by name. `frozen_s`: seconds without a sign of life."""
        deadline = time.monotonic() + BOOT_LIMIT_S
        alive = deadline  # until the first beat is due
        done = False
        for line in self._lines(lambda: min(deadline, alive) - time.monotonic()):
            alive = time.monotonic() + frozen_s
            output, token, word = line.partition(self._token + " ")
            if output or not token:
                yield ("output", output)
            if not token:
                continue
            kind, _, rest = word.partition(" ")
            if kind == "beat":
                continue
            name, _, facts = rest.partition(" ")
            deadline = time.monotonic() + limits.get(name if kind == "begin" else "", 0) + QUIET_MARGIN_S
            done = done or kind == "done"
            if kind == "end":
                yield ("end", name, dict(fact.split("=", 1) for fact in facts.split()))
            else:
                yield (kind, rest) if rest else (kind,)
        self.check_console()
        if not done:
            raise Lost("the machine stopped before all was done")

    def check_console(self):
        """Raises Error when the kernel reports damage."""
        for line in self.console_lines():
            if any(word in line for word in DAMAGE):
                raise Error(f"the kernel reports damage: {line.strip()}")

    def console_lines(self):
        return self.console.read_text(errors="backslashreplace").splitlines()

    def console_tail(self):
        """The lines around the first sign of damage, if there is one, and the last ones."""
        lines = self.console_lines()
        last = max(0, len(lines) - CONSOLE_TAIL)
        damage = next((number for number, line in enumerate(lines[:last]) if any(word in line for word in DAMAGE)), None)
        first = [] if damage is None else [*lines[max(0, damage - CONSOLE_TAIL):damage + 1], "..."]
        return "\n".join(first + lines[last:])

    def diagnosis(self):
        """Where each processor stands, then what the kernel prints when a non-maskable interrupt makes it panic."""
        return self._ask("info registers -a") + self._ask("nmi")

    def _ask(self, command):
        answer = b""
        try:
            with socket.socket(socket.AF_UNIX) as monitor:
                monitor.settimeout(MONITOR_ANSWER_S)
                monitor.connect(str(self._monitor))
                monitor.sendall(command.encode() + b"\n")
                while chunk := monitor.recv(65536):
                    answer += chunk
        except OSError as problem:
            if not answer:
                return f"(the emulator does not answer: {problem})\n"
        wanted = ("CPU#", "RIP=", "EIP=")
        lines = answer.decode(errors="backslashreplace").replace("\r", "").splitlines()
        return "".join(line + "\n" for line in lines if line.startswith(wanted))
