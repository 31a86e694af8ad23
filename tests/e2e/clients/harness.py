# SPDX-License-Identifier: Apache-2.0
"""Runs real clients of the metadata service against the simulator, in a network namespace of the test's own.

A test is a list of functions that take a Lab. It passes when none raises; what is missing on the machine skips
with a line `SKIP: reason` and exit code 77.
"""
import argparse
import atexit
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

V4 = "169.254.169.254"
V6 = "fd00:ec2::254"
SKIP_EXIT = 77
CLIENT_LIMIT_S = 60
READY_LIMIT_S = 10
RUN_FOLDER = Path("/run/hostward-tests")  # only root can write there
CLEAN_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIP_EXIT)


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def expect_equal(found, wanted, text):
    expect(found == wanted, f"{text}: expected {wanted!r}, found {found!r}")


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_LIMIT_S)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done


def ip(*arguments, check=True):
    return run("ip", *arguments, check=check)


def require_commands(*names):
    missing = [name for name in names if not shutil.which(name, path=CLEAN_PATH)]
    if missing:
        skip(f"not installed: {' '.join(missing)}")


class Namespace:
    """A network namespace with a loopback. A leftover of a killed run is removed first, with its processes."""

    def __init__(self, name):
        self.name = name
        self.remove()
        ip("netns", "add", name)
        atexit.register(self.remove)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        ip("-n", self.name, *arguments)

    def command(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def remove(self):
        if not Path("/run/netns", self.name).exists():
            return
        # Whatever lives in this namespace was started by a run of this test.
        for pid in ip("netns", "pids", self.name, check=False).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), 9)
        ip("netns", "del", self.name, check=False)


class Simulator:
    """One run of the simulator. Its log is what a test believes, more than a client's exit code."""

    def __init__(self, program, namespace, log, options):
        self.log = log
        self.control = log.with_name(f"{log.name}.control")
        ready, writer = os.pipe()
        # It dies with this test, however that ends.
        self.process = subprocess.Popen(
            namespace.command("setpriv", "--pdeathsig", "KILL", program, "--log", str(log), "--control",
                              str(self.control), "--ready-fd", str(writer), *options), pass_fds=[writer])
        os.close(writer)
        with os.fdopen(ready) as pipe:
            expect_equal(pipe.read(), "ready\n", "the simulator did not start")

    def set(self, *settings):
        aside = self.control.with_name(f"{self.control.name}.new")
        aside.write_text("".join(f"{setting}\n" for setting in settings))
        aside.rename(self.control)

    def requests(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self):
        self.process.terminate()
        expect_equal(self.process.wait(READY_LIMIT_S), 0, "the simulator's exit code")


class Lab:
    def __init__(self, name, program):
        self.program = program
        self.folder = RUN_FOLDER / name
        shutil.rmtree(self.folder, ignore_errors=True)  # of a run that was killed
        self.folder.mkdir(parents=True)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.namespace = Namespace(f"hwtest-{name}")
        self.namespace.ip("addr", "add", f"{V4}/32", "dev", "lo")
        self.namespace.ip("-6", "addr", "add", f"{V6}/128", "dev", "lo", "nodad")
        self.runs = 0

    @contextlib.contextmanager
    def simulator(self, *options):
        self.runs += 1
        simulator = Simulator(self.program, self.namespace, self.folder / f"requests.{self.runs}", options)
        try:
            yield simulator
        finally:
            simulator.stop()

    def client(self, *command, env=None, stdin=""):
        """Runs a client in the namespace with an environment of nothing but what is given."""
        clean = {"PATH": CLEAN_PATH, "HOME": str(self.folder), "LANG": "C.UTF-8", **(env or {})}
        return subprocess.run(self.namespace.command(*command), env=clean, cwd=self.folder, input=stdin,
                              capture_output=True, text=True, timeout=CLIENT_LIMIT_S)


@contextlib.contextmanager
def cache_folder(name):
    """A folder that outlives the test, for what was downloaded; locked against other tests."""
    base = Path(os.environ.get("HOSTWARD_CACHE", "/var/cache/hostward-tests"))
    folder = base / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(base / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def main(cases):
    parser = argparse.ArgumentParser()
    parser.add_argument("--simulator", required=True)
    options = parser.parse_args()
    # As for an exception: what atexit registered cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.geteuid() != 0:
        skip("needs root for a network namespace")
    require_commands("ip", "setpriv")
    lab = Lab(Path(sys.argv[0]).stem, str(Path(options.simulator).resolve()))
    failed = 0
    for case in cases:
        started = time.monotonic()
        try:
            case(lab)
            print(f"ok   {case.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception:  # one broken case must not hide the others
            failed += 1
            print(f"FAIL {case.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{len(cases) - failed} of {len(cases)} cases passed")
    sys.exit(1 if failed else 0)
