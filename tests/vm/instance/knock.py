#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs in the machine: asks the metadata service for a token again and again until SIGTERM, then says what came of it.

knock.py NAME prints one line of JSON: {"answers": {"EPERM": 812, "200": 3}, "longest_s": 0.4}. NAME is the User-Agent.
"""
import collections
import errno
import http.client
import json
import signal
import sys
import time

METADATA = "169.254.169.254"
PAUSE_S = 0.1


def knock(name):
    connection = http.client.HTTPConnection(METADATA, timeout=20)
    try:
        connection.request("PUT", "/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60", "User-Agent": name})
        return str(connection.getresponse().status)
    except OSError as problem:
        return errno.errorcode.get(problem.errno, type(problem).__name__)
    except http.client.HTTPException as problem:
        return type(problem).__name__
    finally:
        connection.close()


def main():
    # Whatever it is doing then, the exception below ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    answers, longest_s = collections.Counter(), 0.0
    try:
        while True:
            start = time.monotonic()
            answers[knock(sys.argv[1])] += 1
            longest_s = max(longest_s, time.monotonic() - start)
            time.sleep(PAUSE_S)
    finally:
        print(json.dumps({"answers": answers, "longest_s": round(longest_s, 2)}), flush=True)


if __name__ == "__main__":
    main()
