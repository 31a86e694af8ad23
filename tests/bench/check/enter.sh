#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a Python script in mount, PID and network namespaces of its own, which end with it and with whoever started it.
# Usage: tests/bench/check/enter.sh SCRIPT [ARGUMENT...]   (root)
set -euo pipefail
exec unshare --mount --pid --fork --kill-child --net --propagation private /usr/bin/python3 -B "$@"
