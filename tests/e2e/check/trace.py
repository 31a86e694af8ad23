# SPDX-License-Identifier: Apache-2.0
"""What a program did with files, as strace saw it: the proof that nothing outside a root was touched."""
import re
from dataclasses import dataclass
from pathlib import Path

# -y: the path behind every descriptor, as the kernel knows it. -xx: all text in hexadecimal, so no name can break a line.
BEFORE = ("strace", "-f", "-qq", "--seccomp-bpf", "-y", "-xx", "-s", "8192", "-e", "trace=%file,getdents64", "-e", "signal=none", "-o")
HEX = r"((?:\\x[0-9a-f]{2})*)"
CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)(?:<" + HEX + r"(?:<[^>]*>)?>)?(?: \((?:deleted)\))?(?: (E\w+))?")
DESCRIPTOR = re.compile(r"^(?:AT_FDCWD|\d+)<" + HEX)
TEXT = re.compile('"' + HEX + '"')


@dataclass(frozen=True)
class Call:
    name: str
    folder: bytes    # what the path is relative to; empty: the call takes no descriptor
    path: bytes
    arguments: str   # everything, still in hexadecimal
    opened: bytes    # the path of the descriptor that it gave, if it gave one
    is_ok: bool


def text_of(digits):
    return bytes.fromhex(digits.replace("\\x", ""))


def calls(file):
    """Raises for a line that it does not understand: what is not read proves nothing."""
    for line in whole_lines(Path(file).read_text()):
        found = CALL.match(line)
        if not found:
            raise AssertionError(f"strace said what nobody understands: {line!r}")
        name, arguments, _, opened, error = found.groups()
        folder = DESCRIPTOR.match(arguments)
        path = TEXT.search(arguments)
        yield Call(name, text_of(folder.group(1)) if folder else b"", text_of(path.group(1)) if path else b"", arguments,
                   text_of(opened) if opened else b"", error is None)


def whole_lines(text):
    """With the two halves of a call joined that another thread's call came between."""
    waiting = {}
    for line in text.splitlines():
        process, _, rest = line.partition(" ")
        if line.endswith("<unfinished ...>"):
            waiting[process] = line[:-len("<unfinished ...>")].rstrip()
        elif re.match(r" *<\.\.\. \w+ resumed>", rest):
            yield waiting.pop(process) + rest.partition("resumed>")[2]
        elif "+++" not in line:
            yield line


def is_below(path, folder):
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


class Watch:
    """The run of one check: which paths of the root it asked for, and whether it stayed inside."""

    def __init__(self, file, root, allowed):
        self.root = str(root).encode()
        self._allowed = [str(path).encode() for path in allowed]
        self.asked = set()        # (path inside the root, whether as a directory)
        self.opened = []          # paths of files that were really opened, inside the root
        begun = False
        for call in calls(file):
            begun = begun or (call.is_ok and call.opened == self.root)
            if begun:  # before: the loader and the library of rules
                self._take(call)
        if not begun:
            raise AssertionError("the root was never opened: strace saw nothing")

    def _take(self, call):
        if not is_below(call.folder, self.root) and (call.path == self.root or (call.path == b"/" and not call.opened)):
            return  # the root itself is opened, and "/" looked at, to know whether it is the same
        if is_below(call.folder, self.root):
            self._inside(call)
        elif not self._is_own(call):
            raise AssertionError(f"{call.name} touched {call.path!r} beside the root, opened {call.opened!r}")

    def _inside(self, call):
        """From a descriptor in the root: through the door that resolves inside, or one name that is no link."""
        if call.opened and not is_below(call.opened, self.root):
            raise AssertionError(f"{call.name} of {call.path!r} led to {call.opened!r}")
        if call.name == "openat2":
            if "RESOLVE_IN_ROOT" not in call.arguments or call.folder != self.root:
                raise AssertionError(f"openat2 of {call.path!r} is not resolved inside the root")
            self.asked.add((call.path, "O_DIRECTORY" in call.arguments))
        elif call.name != "getdents64" and call.path and not ("NOFOLLOW" in call.arguments and b"/" not in call.path):
            raise AssertionError(f"{call.name} of {call.path!r} could follow a link")
        if call.opened and "O_PATH" not in call.arguments:
            self.opened.append(call.opened)

    def _is_own(self, call):
        """Files of the program itself, and the reopening of what the door has found."""
        if call.path.startswith(b"/proc/self/fd/"):
            if call.opened:
                self.opened.append(call.opened)
            return not call.opened or is_below(call.opened, self.root)
        target = call.opened or call.path
        if not target.startswith(b"/"):
            target = call.folder + b"/" + target
        return any(is_below(target, path) for path in self._allowed)
