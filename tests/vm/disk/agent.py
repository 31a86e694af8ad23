#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs in the machine: one JSON line per command from a serial port, one JSON line back.

{"script": TEXT, "limit_s": SECONDS} gives {"code": NUMBER, "out": TEXT, "err": TEXT}; a command that is out of time is ended with code -1.
"""
import json
import os
import subprocess
import sys
import tty


def answer(request):
    try:
        done = subprocess.run(["/bin/bash", "-c", request["script"]], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=request["limit_s"], check=False, cwd="/root",
                              env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root", "LANG": "C.UTF-8"})
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        code, out, err = -1, late.stdout or b"", late.stderr or b""
    return {"code": code, "out": out.decode(errors="backslashreplace"), "err": err.decode(errors="backslashreplace")}


def main():
    port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    with os.fdopen(port, "r+b", buffering=0) as line:
        write_all(line, b"\nready\n")
        rest = b""
        while True:
            rest += line.read(4096)
            *whole, rest = rest.split(b"\n")
            for text in whole:
                write_all(line, json.dumps(answer(json.loads(text))).encode() + b"\n")


def write_all(line, data):
    while data:
        data = data[line.write(data):]


if __name__ == "__main__":
    main()
