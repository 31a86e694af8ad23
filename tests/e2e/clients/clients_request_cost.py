# SPDX-License-Identifier: Apache-2.0
"""What reading requests costs in the kernel, by the kernel's own statistics: printed, bounded, and each request counted.

A client sends requests on a connection that the guard follows, and the same on one whose first byte made it unknown, so that
it is not followed; the difference is the reading. Environment: HOSTWARD_BUILT, as in clients_guarded.py.
"""
import contextlib
import ctypes
import json
import os
import platform
import statistics
import subprocess

import harness
from clients_guarded import Guard
from harness import V4, expect, expect_equal

SYSTEM_CALL = {"x86_64": 321, "aarch64": 280}.get(platform.machine())  # bpf(2)
BPF_ENABLE_STATS, ATTRIBUTES_SIZE = 32, 128
MTU = "9001"  # of EC2's network; packets are larger on a loopback interface than any there
ROUNDS = 11
BYTES_MAX_NS = 500  # per byte; measured are some 35
REQUEST = (f"GET /latest/meta-data/iam/security-credentials/role HTTP/1.1\r\nHost: {V4}\r\n"
           "User-Agent: aws-cli/2.15.30 Python/3.11.8 Linux/6.1.0 exe/x86_64.amzn.2023\r\nAccept-Encoding: identity\r\n"
           f"X-aws-ec2-metadata-token: {'Ab3_' * 14}\r\nAccept: */*\r\n\r\n")
UNKNOWN = "\x01\r\n"
PORT = "8080"
SINK = """
import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    while connection.recv(1 << 20):
        pass
    connection.sendall(b"done")
    connection.close()
"""
CLIENT = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
first, request, times, at_once = sys.argv[3].encode(), sys.argv[4].encode(), int(sys.argv[5]), int(sys.argv[6])
connection.sendall(first)
for _ in range(0, times, at_once):
    connection.sendall(request * at_once)
connection.shutdown(socket.SHUT_WR)
assert connection.recv(16) == b"done"
"""


@contextlib.contextmanager
def statistics_of_programs():
    """The kernel measures programs as long as somebody holds this."""
    attributes = ctypes.create_string_buffer(ATTRIBUTES_SIZE)
    fd = ctypes.CDLL(None, use_errno=True).syscall(SYSTEM_CALL, BPF_ENABLE_STATS, attributes, ATTRIBUTES_SIZE)
    expect(fd >= 0, f"cannot enable the statistics: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def sink(lab):
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *lab.namespace.command("/usr/bin/python3", "-c", SINK, V4, PORT)],
                               stdout=subprocess.PIPE, text=True)
    try:
        expect_equal(process.stdout.readline(), "ready\n", "the far end")
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def bpftool(*words):
    return json.loads(harness.run("bpftool", "-j", *words).stdout)


class Meter:
    """Run time of the egress program of this guard."""

    def __init__(self, guard):
        self.guard = guard
        (link,) = guard.bpf.glob("hostward/*/link_guard_egress")
        self.program = str(bpftool("link", "show", "pinned", str(link))["prog_id"])

    def run_time_ns(self, first, times, at_once):
        before = self._read()
        done = self.guard.client("/usr/bin/python3", "-c", CLIENT, V4, PORT, first, REQUEST, str(times), str(at_once))
        expect_equal(done.returncode, 0, f"the client's end ({done.stderr.strip()})")
        return self._read() - before

    def _read(self):
        return bpftool("prog", "show", "id", self.program).get("run_time_ns", 0)


def measure(lab, title, times, at_once):
    with statistics_of_programs(), sink(lab), Guard(lab) as guard:
        meter = Meter(guard)
        followed = [meter.run_time_ns("", times, at_once) for _ in range(ROUNDS)]
        counted = guard.counters()
        blind = [meter.run_time_ns(UNKNOWN, times, at_once) for _ in range(ROUNDS)]
    size = times * len(REQUEST)
    fastest, median = ((of(followed) - of(blind)) / size for of in (min, statistics.median))
    print(f"{title}: {size} bytes, {fastest:.1f} ns per byte, median {median:.1f}, {fastest * len(REQUEST) / 1000:.1f} us per request")
    expect_equal(counted, {"v1": 0, "v2": ROUNDS * times, "unknown": 0}, "requests that were counted")
    expect(min(blind) > 0, "nothing was measured")
    expect(0 < fastest < BYTES_MAX_NS, f"{fastest} ns per byte")


def in_large_packets(lab):
    measure(lab, "many requests at once", 7000, 7000)


def one_by_one(lab):
    measure(lab, "one request at a time", 1750, 1)


if __name__ == "__main__":
    harness.require_commands("bpftool", "nsenter")
    expect(SYSTEM_CALL, f"the number of bpf(2) on {platform.machine()}?")

    def small_packets(lab):
        lab.namespace.ip("link", "set", "lo", "mtu", MTU)
    harness.main([small_packets, in_large_packets, one_by_one])
