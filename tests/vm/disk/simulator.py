# SPDX-License-Identifier: Apache-2.0
"""The metadata service on the other side of a machine's network."""
import subprocess

from hands import expect


class Simulator:
    """The metadata service on the other side of the machine's network."""

    def __init__(self, build, place, tree, log, *options):
        """`place`: address and port, on loopback of the story's own network namespace. `tree`: a file, or none for the built-in."""
        tree_options = ("--tree", tree) if tree else ()
        self._command = [build / "tests/imds_sim", "--listen", place[0], "--port", place[1], *tree_options, "--log", log, *options]
        self._process = None

    def __enter__(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self._command], stdout=subprocess.PIPE, text=True)
        expect(self._process.stdout.readline() == "ready\n", "the simulator did not start")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
