#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests on another kernel, in an emulated machine without a disk or a network.

  tests/vm/run.py 6.1 --build build/release            all bpf and e2e tests, as CTest lists them
  tests/vm/run.py 6.1 --build build/release -R attack  only those whose name matches
  tests/vm/run.py 6.1 --build build/release -- PROGRAM ARGUMENT...   one command
  tests/vm/run.py native --build build/release --labels '^rows$'     the same on this kernel, without a machine

Ends with 0 when all passed, 1 when something failed, 77 when this machine cannot run it (the reason is printed).
"""
import argparse
import fcntl
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from initramfs import Error, base_archive, is_elf, modules_archive, system_archive  # noqa: E402
from machine import FROZEN_S, SYSTEMD, Lost, Machine  # noqa: E402
from suite import LABEL_OWN_BOOT, LABELS, Test, list_archive, programs_archive, tests_of  # noqa: E402

SKIPPED = 77  # CTest's SKIP_RETURN_CODE of these tests
ROW = re.compile(r"^\[ROW\] id=(\S+) result=(stopped|open|skipped)(?: why=(.*))?$")
FACT = re.compile(r'^\[FACT\] name=(\S+) result=(yes|no) why="(.*)"$')
GTEST_SKIP = re.compile(r"^\[  SKIPPED \] (\S+)(?: \(\d+ ms\))?$")


class Skip(Exception):
    """This machine cannot run it; the text says why."""


class Results:
    """What a run showed, gathered line by line."""

    def __init__(self, kernel):
        self.data = {"kernel": kernel, "release": "", "tests": [], "rows": {}, "facts": {}, "lost": []}
        self._skips = []

    def output(self, text):
        print(text, flush=True)
        if match := ROW.match(text):
            self.data["rows"][match[1]] = {"result": match[2], "why": match[3] or ""}
        elif match := FACT.match(text):
            self.data["facts"][match[1]] = {"result": match[2], "why": match[3]}
        elif match := GTEST_SKIP.match(text):
            self._skips.append(match[1])

    def end(self, name, facts):
        passed = facts["status"] == "exit:0"
        skips = sorted(set(self._skips))
        self._skips = []
        self.data["tests"].append({"name": name, "passed": passed, "skipped": skips, **facts})
        left = ", ".join(f"{facts[key]} {key}" for key in ("processes", "cgroups") if facts.get(key, "0") != "0")
        note = f", left behind: {left}" if left else ""
        print(f"=== {name}: {'passed' if passed else 'FAILED, ' + facts['status']} in {facts['ms']} ms{note}\n", flush=True)

    def lost(self, name):
        self.data["lost"].append(name)
        self._skips = []

    def failed(self):
        return [test["name"] for test in self.data["tests"] if not test["passed"]]


def kernel_folder(kernel):
    answer = subprocess.run([HERE / "fetch_kernel.sh", kernel], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        raise Skip(f"no kernel {kernel}: fetch_kernel.sh says why above")
    return Path(answer.stdout.strip())


def system_folder():
    answer = subprocess.run([HERE / "fetch_system.sh"], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        raise Skip("no systemd for the machine: fetch_system.sh says why above")
    return Path(answer.stdout.strip())


def boot(options, kernel, initrds, tests, results):
    """One boot that runs `tests`. Raises Error with the console's end when the machine does not come through."""
    limits = {test.name: test.limit_s for test in tests}
    start = time.monotonic()
    parameters = f"{options.parameters} {SYSTEMD if options.systemd else ''}"
    with Machine(kernel, initrds, not options.no_lsm, parameters=parameters) as machine:
        try:
            for event in machine.events(limits, options.frozen_after):
                if event[0] == "output":
                    results.output(event[1])
                elif event[0] == "up":
                    print(f"--- kernel {options.kernel}: up after {time.monotonic() - start:.1f} s\n", flush=True)
                elif event[0] == "begin":
                    print(f"=== {event[1]}", flush=True)
                elif event[0] == "end":
                    results.end(event[1], event[2])
                elif event[0] == "bad-line":
                    raise Error(f"init cannot read a line of the list: {event[1]}")
        except Error as error:
            raise type(error)(f"{error}\n--- the console's last lines\n{machine.console_tail()}") from error
        if options.console:
            print(machine.console.read_text(errors="backslashreplace"))


def boot_again_if_lost(options, kernel, initrds, tests, results):
    """An emulated machine can freeze or be gone through no fault of what runs in it, so one loss is survived: the rest, from
    the test it was lost in, runs in a second machine. It is never silent: the diagnosis is printed and the last line counts
    it. A second loss is a failure, and so is at once what the kernel itself reports, an oops for example."""
    try:
        boot(options, kernel, initrds(tests), tests, results)
    except Lost as lost:
        ended = {test["name"] for test in results.data["tests"]}
        rest = [test for test in tests if test.name not in ended]
        if not rest:
            raise
        results.lost(rest[0].name)
        print(f"--- {lost}\n--- the machine was lost in {rest[0].name}: once more from there", flush=True)
        boot(options, kernel, initrds(rest), rest, results)


def run_in_machine(options, tests, results):
    kernel = kernel_folder(options.kernel)
    results.data["release"] = kernel.name
    work = options.build / "vm"
    work.mkdir(exist_ok=True)
    environment = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "TERM": "dumb", "HOSTWARD_VM": "1",
                   "HOSTWARD_VM_KERNEL": options.kernel, "HOSTWARD_VM_LSM": "0" if options.no_lsm else "1"}
    base = base_archive(options.build / "tests/vm/vm_init")
    with open(work / ".lock", "w") as lock:  # two runs at once share the archives that they have in common
        fcntl.flock(lock, fcntl.LOCK_EX)
        fixed = [base.write(work / "base.cpio"), modules_archive(kernel, work / f"modules-{options.kernel}.cpio")]
        if options.systemd:
            fixed.insert(1, system_archive(system_folder()).write(work / "system.cpio"))
    fixed.append(programs_archive(options.build, tests, base).write(work / f"programs-{os.getpid()}.cpio"))
    groups = [[test for test in tests if LABEL_OWN_BOOT not in test.labels]]
    groups += [[test] for test in tests if LABEL_OWN_BOOT in test.labels]
    try:
        def initrds(of):
            own = list_archive(of, environment, options.file, options.unit).write(work / f"list-{os.getpid()}.cpio")
            return fixed + [own]

        for group in filter(None, groups):
            boot_again_if_lost(options, kernel, initrds, group, results)
    finally:
        for leftover in work.glob(f"*-{os.getpid()}*"):
            leftover.unlink()


def run_here(tests, results):
    """The same tests on the running kernel, so that its column of the table is measured the same way."""
    results.data["release"] = platform.release()
    for test in tests:
        print(f"=== {test.name}", flush=True)
        environment = dict(os.environ) | dict(entry.split("=", 1) for entry in test.environment)
        start = time.monotonic()
        try:
            answer = subprocess.run(test.command, cwd=test.folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=test.limit_s, check=False)
            output, code = answer.stdout, answer.returncode
            status = f"exit:{code}" if code >= 0 else f"signal:{-code}"
        except subprocess.TimeoutExpired as late:
            output, status = (late.stdout or b"").decode(errors="backslashreplace"), "timeout"
        for line in output.splitlines():
            results.output(line)
        results.end(test.name, {"status": status, "ms": str(int((time.monotonic() - start) * 1000))})


def _placed(text):
    source, _, path = text.partition("=")
    if not path.startswith("/"):
        raise argparse.ArgumentTypeError("need SOURCE=/PATH")
    return source, path


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernel", choices=["5.10", "6.1", "6.12", "native"])
    parser.add_argument("--build", type=Path, required=True, help="the build folder")
    parser.add_argument("--no-lsm", action="store_true", help="without bpf among the active security modules")
    parser.add_argument("--systemd", action="store_true", help="systemd is process 1 and the command a service of it")
    parser.add_argument("--file", action="append", default=[], type=_placed, metavar="SOURCE=PATH", help="a file more in the machine")
    parser.add_argument("--unit", action="append", default=[], help="a systemd unit, installed and enabled there")
    parser.add_argument("--labels", default=LABELS, help="CTest labels to run, default %(default)s")
    parser.add_argument("-R", dest="pattern", help="only tests whose name matches")
    parser.add_argument("--limit", type=float, default=600, help="seconds that the one command may take, default %(default)s")
    parser.add_argument("--frozen-after", type=float, default=FROZEN_S, metavar="SECONDS",
                        help="without a sign of life, until the machine counts as frozen, default %(default)s")
    parser.add_argument("--facts", action="store_true", help="ask the kernel for its features first")
    parser.add_argument("--results", type=Path, help="write what was measured there, as JSON")
    parser.add_argument("--parameters", default="", help="more kernel parameters")
    parser.add_argument("--console", action="store_true", help="show the console at the end")
    own, _, command = _split_command(sys.argv[1:])
    options = parser.parse_args(own)
    options.build = options.build.resolve()
    options.command = command
    return options


def _split_command(words):
    if "--" not in words:
        return words, None, []
    place = words.index("--")
    return words[:place], "--", words[place + 1:]


def chosen_tests(options):
    if not options.command:
        tests = tests_of(options.build, options.pattern, options.labels)
        if not tests:
            raise Error(f"no test of {options.build} has a label {options.labels}: is it built?")
        if options.facts:
            tests.insert(0, Test("vm/kernel-probe", [str(options.build / "tests/vm/vm_kernel_probe")], limit_s=900))
        return tests
    program = Path(options.command[0])  # a program of the build by its path here, any other by its path there
    given = [str(program.resolve())] + options.command[1:] if program.is_file() and is_elf(program) else options.command
    return [Test("command", given, limit_s=options.limit)]


def run(options):
    if options.results:
        options.results.unlink(missing_ok=True)
    tests = chosen_tests(options)
    results = Results(options.kernel + ("-nolsm" if options.no_lsm else ""))
    start = time.monotonic()
    try:
        run_here(tests, results) if options.kernel == "native" else run_in_machine(options, tests, results)
    finally:
        # Also after a crash of the machine: what came before it is still worth reading.
        if options.results:
            options.results.parent.mkdir(parents=True, exist_ok=True)
            options.results.write_text(json.dumps(results.data, indent=1, sort_keys=True) + "\n")
    done = results.data["tests"]
    skips = sum(len(test["skipped"]) for test in done)
    lost = f", machine lost in {', '.join(results.data['lost'])}" if results.data["lost"] else ""
    print(f"{len(done) - len(results.failed())} of {len(tests)} test programs passed on {results.data['release']}, {skips} cases "
          f"skipped, in {time.monotonic() - start:.0f} s{lost}")
    for name in results.failed():
        print(f"FAILED: {name}")
    return 0 if not results.failed() and len(done) == len(tests) else 1


def main():
    options = arguments()
    try:
        return run(options)
    except Skip as reason:
        print(f"SKIP: {reason}")
        return SKIPPED
    except Error as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
