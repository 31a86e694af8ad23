# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced: run a long command so that an interrupt ends it and everything it started, and nothing else.

run_child=

# run COMMAND...: in a process group of its own. A shell's background jobs ignore SIGINT; the command must not.
run() {
    setsid env --default-signal=INT,QUIT "$@" &
    run_child=$!
    local status=0
    wait "$run_child" || status=$?
    run_child=
    return "$status"
}

# run_quietly LOG COMMAND...: the output is shown only when the command fails.
run_quietly() {
    local log=$1
    shift
    run "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        return 1
    }
}

# stop_group PID: ends the process group, politely first.
stop_group() {
    kill -TERM -- "-$1" 2>/dev/null || return 0
    for _ in $(seq 50); do
        kill -0 -- "-$1" 2>/dev/null || return 0
        sleep 0.2
    done
    kill -KILL -- "-$1" 2>/dev/null || true
}

run_interrupted() {
    trap '' INT TERM HUP
    echo "${0##*/}: interrupted" >&2
    [ -z "$run_child" ] || stop_group "$run_child"
    exit "$1"
}

trap 'run_interrupted 130' INT
trap 'run_interrupted 143' TERM
trap 'run_interrupted 129' HUP
