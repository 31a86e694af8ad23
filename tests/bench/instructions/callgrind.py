# SPDX-License-Identifier: Apache-2.0
"""What a program of ours did, from a file of callgrind: its own instructions, and its calls into libraries.

Libraries' instructions are left out on purpose: glibc and libcrypto choose their code by the CPU, and security updates
change it. How often they are called is ours to answer for.
Format: "Callgrind Format Specification" in valgrind's manual.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    instructions: int
    library_calls: int


class Reader:
    def __init__(self, program: str):
        self.program = program
        self.names: dict[str, str] = {}  # of objects: a number stands for a name that was there before
        self.here = self.there = ""
        self.is_call_cost = False  # the line after `calls=` has what the call cost, all of it
        self.instructions = self.library_calls = 0

    def object_name(self, text: str) -> str:
        number, _, name = text.partition(" ")
        if name:
            self.names[number] = name
        return self.names[number]

    def take(self, line: str) -> None:
        key, _, value = line.partition("=")
        if key == "ob":
            self.here = self.object_name(value)
        elif key == "cob":
            self.there = self.object_name(value)
        elif key == "calls":
            if self.here == self.program and self.there not in ("", self.program):
                self.library_calls += int(value.split()[0])
            self.there, self.is_call_cost = "", True
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            if not self.is_call_cost and self.here == self.program:
                self.instructions += int(line.split()[1])
            self.is_call_cost = False


def read_counts(text: str, program: str) -> Counts:
    reader = Reader(program)
    for line in text.splitlines():
        reader.take(line)
    return Counts(reader.instructions, reader.library_calls)
