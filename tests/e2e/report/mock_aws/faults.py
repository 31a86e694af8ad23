# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, on demand. A fault is a dictionary:

  {"service": "s3",            which ones: s3, securityhub, ssm, logs, sts, collector; absent: all
   "times": 2,                 how often; absent: always
   "do": "status",             status | throttle | slow | hang | reset | garbage | early_end | partial | redirect
   "status": 503, "code": "SlowDown", "headers": {"Retry-After": "1"}, "body": "...", "count": 3}

From a file (JSON list; read again for each request), or set by a test in the same process.
"""
import json
import threading
from pathlib import Path


class Faults:
    def __init__(self, control: Path | None = None):
        self.control = control
        self.text = ""
        self.faults: list[dict] = []
        self.clock_offset_s = 0.0  # of the server's clock
        self.lock = threading.Lock()

    def set(self, *faults: dict) -> None:
        with self.lock:
            self.faults = [dict(fault) for fault in faults]

    def read_control(self) -> None:
        if self.control is None or not self.control.exists():
            return
        text = self.control.read_text()
        if text != self.text:
            self.text = text
            self.faults = json.loads(text or "[]")
            self.clock_offset_s = sum(fault.get("offset_s", 0) for fault in self.faults if fault["do"] == "clock")

    def next(self, service: str) -> dict | None:
        """The fault of this request, counted down."""
        with self.lock:
            self.read_control()
            for fault in self.faults:
                if fault["do"] == "clock" or fault.get("service", service) != service or fault.get("times") == 0:
                    continue
                if "times" in fault:
                    fault["times"] -= 1
                return fault
        return None
