# SPDX-License-Identifier: Apache-2.0
"""What to run: CTest's own list of the tests, so that the machine runs exactly what `ctest` runs here."""
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from initramfs import Archive, Error, enable_unit, is_elf

LABELS = "^(bpf|e2e)$"         # folders whose tests run inside
LABEL_NATIVE = "native-only"   # needs what the test machine has not: a client with an interpreter
LABEL_OWN_BOOT = "own-boot"    # changes the kernel for good: a boot of its own
SLOWER = 4                     # limits are for a real processor
PROGRAM_FOLDERS = (".", "tests", "tests/attacks", "tests/bpf", "tests/e2e", "tests/vm")  # of the build folder, not what is below


@dataclass
class Test:
    name: str
    command: list
    limit_s: float = 60
    folder: str = "/"
    environment: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    files: list = field(default_factory=list)

    def line(self, environment):
        """As init reads it."""
        inherited = {entry.split("=", 1)[0] for entry in self.environment}
        own = [f"{name}={value}" for name, value in environment.items() if name not in inherited]
        fields = [self.name, str(int(self.limit_s * 1000)), self.folder, "\x1f".join(own + self.environment),
                  "\x1f".join(self.command)]
        if any("\n" in text or "\t" in text for text in fields):
            raise Error(f"test {self.name}: a tab or a line break in its command or environment")
        return "\t".join(fields) + "\n"


def tests_of(build, name_pattern=None, labels=LABELS):
    """The tests that CTest would run for the folders, without those that can only run natively."""
    command = ["ctest", "--test-dir", str(build), "--show-only=json-v1", "-L", labels, "-LE", f"^{LABEL_NATIVE}$"]
    if name_pattern:
        command += ["-R", name_pattern]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise Error(f"ctest does not list the tests of {build}: {answer.stderr.strip()}")
    tests = [_test_from(entry) for entry in json.loads(answer.stdout)["tests"] if "command" in entry]
    for test in tests:
        if not is_elf(test.command[0]):
            print(f"--- left out: {test.name}: {os.path.basename(test.command[0])} needs an interpreter")
    return [test for test in tests if is_elf(test.command[0])]


def _test_from(entry):
    properties = {item["name"]: item["value"] for item in entry.get("properties", [])}
    return Test(entry["name"], entry["command"], float(properties.get("TIMEOUT", 60)) * SLOWER,
                properties.get("WORKING_DIRECTORY", "/"), list(properties.get("ENVIRONMENT", [])),
                list(properties.get("LABELS", [])), list(properties.get("REQUIRED_FILES", [])))


def programs_archive(build, tests, base):
    """The product, the test programs and what they ask for, each at the path it has here. `base`: what is there anyway."""
    archive = Archive()
    for path in (path for folder in PROGRAM_FOLDERS for path in (Path(build) / folder).glob("*")):
        if path.is_file() and os.access(path, os.X_OK) and is_elf(path):
            archive.program(path)
    for test in tests:
        archive.folder(test.folder)
        for file in test.files:
            archive.tree(file) if os.path.isdir(file) else archive.copy(file)
        if not archive.has(test.command[0]) and not base.has(test.command[0]):
            raise Error(f"test {test.name} runs {test.command[0]}, which is not in the test machine: "
                        f"list it in REQUIRED_FILES or label the test {LABEL_NATIVE}")
    return archive


def list_archive(tests, environment, files=(), units=()):
    """The list of tests for init, and what one run adds: files by (source, path), systemd units."""
    archive = Archive()
    for source, path in files:
        archive.program(source, path)
    for unit in units:
        enable_unit(archive, unit)
    archive.text("/hostward-tests", "".join(test.line(environment) for test in tests))
    return archive
