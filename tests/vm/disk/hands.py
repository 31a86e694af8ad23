# SPDX-License-Identifier: Apache-2.0
"""One boot of an instance as a story sees it: commands that must end as expected, and what the metadata service was asked."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from initramfs import Error  # noqa: E402


def expect(condition, text):
    """`text`, or what gives it: asking the machine for evidence takes its time."""
    if not condition:
        raise Error(text() if callable(text) else text)


class Instance:
    """One boot of the instance, with what the metadata service was asked during it."""

    def __init__(self, guest, log):
        self.guest = guest
        self._log = log

    def requests(self):
        """All that the metadata service was asked in this boot."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def asked(self, agent):
        """Requests of this boot whose User-Agent starts so."""
        return [request for request in self.requests() if (request["user_agent"] or "").startswith(agent)]

    def run(self, script, code=0):
        """One command, shown with its answer; ends the story when it ends otherwise."""
        answer = self.guest.ask(script)
        print(f"# {script}\n{answer['out']}{answer['err']}".rstrip(), flush=True)
        expect(answer["code"] == code, lambda: f"{script!r} ended with {answer['code']}, not {code}\n{self.evidence()}")
        return answer["out"]

    def read(self, script):
        return self.guest.ask(script)["out"].strip()

    def value(self, script):
        return json.loads(self.read(script))

    def evidence(self):
        return self.read("systemctl --failed --no-legend; journalctl -b --no-pager -n 60; tail -n 30 /var/log/cloud-init.log; "
                         "tail -n 5 /run/hostward/events.jsonl")
