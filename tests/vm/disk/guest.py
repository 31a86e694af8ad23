# SPDX-License-Identifier: Apache-2.0
"""One boot of the machine with the disk: commands run there as root, over a serial port."""
import json
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from initramfs import Error  # noqa: E402
from machine import Lost, Machine  # noqa: E402

BOOT_LIMIT_S = 900
COMMAND_LIMIT_S = 600
END_LIMIT_S = 300
LINE_MARGIN_S = 60  # beyond a command's own limit, until we call the machine frozen
MAC = "06:1a:2b:3c:4d:5e"  # as the simulated instance has it
UUID = "ec2f0000-1234-5678-9abc-def012345678"  # `ec2` in front, and in the serial number: by that software knows EC2


class Guest:
    """Context manager, entered when commands can run. Raises Lost when the machine is gone or frozen."""

    def __init__(self, kernel_folder, initrds, disk, netdev):
        """`netdev`: its only network, as QEMU's option has it, without the id."""
        self._port = disk.with_suffix(".port")
        extra = ("-smp", "1",  # one thread runs all processors anyway
                 "-serial", f"unix:{self._port},server=on,wait=off",
                 "-drive", f"file={disk},format=raw,if=virtio,cache=unsafe",
                 "-netdev", f"{netdev},id=net", "-device", f"virtio-net-pci,netdev=net,mac={MAC},romfile=",
                 "-smbios", f"type=1,manufacturer=Amazon EC2,product=m7i.large,uuid={UUID},serial={UUID}")
        patient = "systemd.show_status=no systemd.log_level=warning systemd.default_timeout_start_sec=600"
        self._machine = Machine(kernel_folder, initrds, extra=extra, parameters=patient)
        self._socket = None
        self._rest = b""

    def __enter__(self):
        self._machine.__enter__()
        try:
            self._socket = self._connect()
            deadline = time.monotonic() + BOOT_LIMIT_S
            while self._line(deadline) != "ready":
                pass
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._socket:
            self._socket.close()
        self._machine.__exit__()
        self._port.unlink(missing_ok=True)

    def _connect(self):
        for _ in range(100):
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._port))
                return connection
            except OSError:
                connection.close()
                time.sleep(0.1)
        raise Error("the emulator does not open the machine's serial port")

    def _line(self, deadline):
        while b"\n" not in self._rest:
            self._machine.check_console()
            self._socket.settimeout(5)
            try:
                chunk = self._socket.recv(65536)
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise Lost(f"the machine does not answer any more\n{self._machine.diagnosis()}") from None
                continue
            if not chunk:
                self._machine.check_console()
                raise Lost(f"the machine stopped\n{self._machine.console_tail()}")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def ask(self, script, limit_s=COMMAND_LIMIT_S):
        """What a command answers: {"code", "out", "err"}; code -1: it was out of time."""
        self._socket.sendall(json.dumps({"script": script, "limit_s": limit_s}).encode() + b"\n")
        return json.loads(self._line(time.monotonic() + limit_s + LINE_MARGIN_S))

    def power_off(self):
        """As an administrator would, so that what was written is on the disk."""
        self._socket.sendall(json.dumps({"script": "systemctl reboot", "limit_s": 30}).encode() + b"\n")
        self._machine.wait(END_LIMIT_S)
