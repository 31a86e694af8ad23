#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration behind packaging/quickstart.sh: who reaches the metadata service without the guard and with it.
# Usage: demo.sh DIR     (root, in a mount namespace of its own; DIR has hostward and tests/imds_sim)
#
# Everything it makes belongs to this process: mounts end with the mount namespace, network namespaces with the
# processes that hold them, those with their parent. After kill -9 only an empty folder in /run and empty cgroups
# are left; the next start removes them.
set -euo pipefail

programs=$1
readonly name=hostward-quickstart
readonly work=/run/$name.$$
readonly metadata=http://169.254.169.254/latest
readonly answer_seconds=3
children=()
cgroup=
agent=
guarded=no
# Where things run: the number of a process that holds the network namespace, or `here`.
host=here container=here service=here agent_place=here
mode=enforce
scope=host

fail() {
    echo "quickstart.sh: $1" >&2
    exit 1
}

# --- start and end -------------------------------------------------------------------------------------------------

remove_cgroup() {
    local folder
    # A process that just ended may still be leaving its cgroup.
    for _ in $(seq 50); do
        { find "$1" -depth -type d 2>/dev/null || true; } |
            while read -r folder; do rmdir "$folder" 2>/dev/null || true; done
        [ -d "$1" ] || return 0
        sleep 0.1
    done
    echo "quickstart.sh: could not remove $1" >&2
}

cleanup() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$agent" ]; then
        kill "$agent" 2>/dev/null || true
        wait "$agent" 2>/dev/null || true
    fi
    [ "$guarded" = no ] || guard unload >/dev/null 2>&1 || true
    for child in "${children[@]}"; do
        kill -KILL "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    done
    [ -z "$cgroup" ] || [ ! -d "$cgroup" ] || remove_cgroup "$cgroup"
    umount --lazy "$work" 2>/dev/null || true
    rmdir "$work" 2>/dev/null || true
    [ "$status" -lt 128 ] || echo "quickstart.sh: interrupted, everything removed" >&2
    exit "$status"
}

is_running() { kill -0 "$1" 2>/dev/null; }

# What a killed earlier run left. The number in the name is its process: a running one keeps its things.
remove_leftovers() {
    local left
    for left in "$1"/"$name".*; do
        [ -d "$left" ] || continue
        is_running "${left##*.}" || remove_cgroup "$left"
    done
    for left in /run/"$name".*; do
        [ -d "$left" ] || continue
        is_running "${left##*.}" || rmdir "$left" 2>/dev/null || true
    done
}

cgroup2_mount() { awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo; }

prepare() {
    local mount
    [ -r /sys/kernel/btf/vmlinux ] ||
        fail "this kernel has no type information (/sys/kernel/btf/vmlinux): it needs CONFIG_DEBUG_INFO_BTF"
    grep -qw cgroup2 /proc/filesystems || fail "this kernel has no cgroup2"
    mkdir "$work"
    mount -t tmpfs -o mode=0755,nosuid,nodev "$name" "$work"
    mkdir "$work/bpf" "$work/cgroup2"
    mount -t bpf bpf "$work/bpf" || fail "this kernel has no bpf file system"
    mount=$(cgroup2_mount)
    if [ -z "$mount" ]; then
        mount -t cgroup2 cgroup2 "$work/cgroup2" || fail "cgroup2 cannot be mounted"
        mount=$work/cgroup2
    fi
    remove_leftovers "$mount"
    cgroup=$mount/$name.$$
    mkdir -p "$cgroup/system.slice/metadata-demo.service" "$cgroup/user.slice"
    # Another file, another program: the copy is what the policy allows, curl itself is not.
    install -m 0755 "$(command -v curl)" "$work/metadata-reader"
}

# keep COMMAND...: in the background, ends with this script whatever happens to it. Its number is in $!.
keep() {
    setpriv --pdeathsig KILL "$@" &
    children+=("$!")
}

# wait_for WHAT COMMAND...: until it succeeds, ten seconds at most.
wait_for() {
    local what=$1
    shift
    for _ in $(seq 100); do
        ! "$@" 2>/dev/null || return 0
        sleep 0.1
    done
    fail "$what did not get ready"
}

# --- the stage -----------------------------------------------------------------------------------------------------

# EC2 says so without the network: Nitro in the DMI table, Xen in its identifier.
is_ec2() {
    local dmi=/sys/devices/virtual/dmi/id
    grep -qs '^i-' $dmi/board_asset_tag && return 0
    grep -qsi '^ec2' /sys/hypervisor/uuid $dmi/product_uuid
}

has_own_network() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# make_network VARIABLE: a network namespace; its holder's number goes into VARIABLE.
make_network() {
    keep unshare --net sleep 600
    printf -v "$1" '%s' "$!"
    wait_for "network namespace" has_own_network "$!"
}

at() {
    local where=$1
    shift
    if [ "$where" = here ]; then
        "$@"
    else
        nsenter "--net=/proc/$where/ns/net" -- "$@"
    fi
}

# join LEFT ADDRESS RIGHT ADDRESS: a cable between two namespaces.
join() {
    at "$1" ip link add "to$3" type veth peer name "to$1" netns "$3"
    at "$1" ip address add "$2" dev "to$3"
    at "$3" ip address add "$4" dev "to$1"
    at "$1" ip link set "to$3" up
    at "$3" ip link set "to$1" up
}

# The machine, the metadata service next to it, a container behind it.
make_networks() {
    make_network service
    make_network host
    make_network container
    local each
    for each in "$service" "$host" "$container"; do
        at "$each" ip link set lo up
    done
    join "$host" 192.0.2.2/30 "$service" 192.0.2.1/30
    join "$host" 198.51.100.1/30 "$container" 198.51.100.2/30
    at "$service" ip address add 169.254.169.254/32 dev lo
    at "$service" ip route add 198.51.100.0/30 via 192.0.2.2
    at "$host" ip route add 169.254.169.254/32 via 192.0.2.1
    at "$container" ip route add default via 198.51.100.1
    at "$host" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
}

is_listening() { grep -q ready "$work/simulator.out"; }

start_simulator() {
    # Hop limit 2, as images for containers set it: the guard, not the distance, must keep the container out.
    keep nsenter "--net=/proc/$service/ns/net" -- "$programs/tests/imds_sim" --listen 169.254.169.254 --port 80 \
        --hop-limit 2 >"$work/simulator.out" 2>&1
    wait_for "the simulator" is_listening
}

# --- who asks ------------------------------------------------------------------------------------------------------

# The request itself, as a real client makes it: a session token, then the item. Prints the item or the reason.
# Expanded by the shell that runs it, not here.
# shellcheck disable=SC2016
readonly request='
    client=$1 base=$2 seconds=$3
    token=$("$client" -sSv -f -m "$seconds" -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" \
        "$base/api/token" 2>"$4") &&
        "$client" -sS -f -m "$seconds" -H "X-aws-ec2-metadata-token: $token" "$base/meta-data/instance-id" 2>>"$4" &&
        exit 0
    grep -q "Operation not permitted" "$4" && echo "refused (EPERM)" || echo "no answer: $(tail -n 1 "$4")"'

# ask CGROUP USER PLACE CLIENT: PLACE is host or container.
ask() {
    local group=$cgroup/$1 user=$2 place=$3 client=$4
    local where=$host isolate=() log
    if [ "$place" = container ]; then
        where=$container
        isolate=(unshare --pid --fork --mount-proc)
    fi
    log=$(mktemp "$work/request.XXXXXX")
    chmod 0666 "$log"
    # The shell enters the cgroup before it becomes anybody, as a service manager does.
    # shellcheck disable=SC2016
    at "$where" timeout "$((2 * answer_seconds + 2))" bash -c 'echo $$ > "$0/cgroup.procs" && exec "$@"' "$group" \
        "${isolate[@]}" setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups \
        bash -c "$request" bash "$client" "$metadata" "$answer_seconds" "$log" || echo "no answer"
}

# title | cgroup | user | place | client | allowed by the policy
cast=(
    "root in the allowed unit|system.slice/metadata-demo.service|root|host|curl|yes"
    "the allowed program, as nobody|user.slice|nobody|host|metadata-reader|yes"
    "nobody with curl|user.slice|nobody|host|curl|no"
    "root outside the unit|user.slice|root|host|curl|no"
    "root in a container, same unit|system.slice/metadata-demo.service|root|container|curl|no"
)

ask_member() {
    local _ group user place client
    IFS='|' read -r _ group user place client _ <<<"$1"
    [ "$client" != metadata-reader ] || client=$work/metadata-reader
    ask "$group" "$user" "$place" "$client"
}

write_policy() {
    cat >"$work/policy.toml" <<TOML
[guard]
mode = "$1"

[[guard.rule]]
name = "demo-unit"
action = "allow"
user = ["root"]
unit = ["metadata-demo.service"]
scope = "$scope"

[[guard.rule]]
name = "demo-program"
action = "allow"
user = ["nobody"]
exe = ["$work/metadata-reader"]
scope = "$scope"
TOML
}

# --- the guard -----------------------------------------------------------------------------------------------------

guard() {
    local verb=$1
    shift
    at "$agent_place" "$programs/hostward" guard "$verb" --cgroup "$cgroup" --pin-dir "$work/bpf/$name" --run-dir "$work/run" "$@"
}

is_ready_or_gone() { grep -q "guard ready" "$work/agent.log" || ! is_running "$agent"; }

start_guard() {
    mkdir -p "$work/run"
    guarded=yes
    at "$agent_place" setpriv --pdeathsig KILL "$programs/hostward" guard run --config "$work/policy.toml" \
        --cgroup "$cgroup" --pin-dir "$work/bpf/$name" --run-dir "$work/run" >"$work/agent.log" 2>&1 &
    agent=$!
    wait_for "the guard" is_ready_or_gone
    grep -q "guard ready" "$work/agent.log" || {
        cat "$work/agent.log" >&2
        fail "the guard did not start"
    }
}

kill_agent() {
    kill -KILL "$agent"
    wait "$agent" 2>/dev/null || true
    agent=
}

# --- the play ------------------------------------------------------------------------------------------------------

wrong=0

# judge WHAT GOT WANTED: an instance id, or refused.
judge() {
    case "$2:$3" in
    i-*:reached | "refused (EPERM)":refused) ;;
    *)
        wrong=$((wrong + 1))
        echo "  WRONG: $1: expected $3, got: $2"
        ;;
    esac
}

# show_table MODE: audit records and lets everybody pass.
show_table() {
    local line title allowed without with expected index=0
    printf '\n  %-33s %-21s %-21s\n' "who asks for the instance id" "without the guard" "with the guard ($1)"
    printf '  %-33s %-21s %-21s\n' "---------------------------------" "-------------------" "-------------------"
    for line in "${cast[@]}"; do
        title=${line%%|*} allowed=${line##*|}
        without=${before[index]} with=${after[index]}
        printf '  %-33s %-21s %-21s\n' "$title" "$without" "$with"
        expected=refused
        [ "$allowed" = no ] && [ "$1" = enforce ] || expected=reached
        judge "$title, without the guard" "$without" reached
        judge "$title, with the guard" "$with" "$expected"
        index=$((index + 1))
    done
}

ask_all() {
    local line
    answers=()
    for line in "${cast[@]}"; do
        answers+=("$(ask_member "$line")")
    done
}

show_persistence() {
    local answer nobody=${cast[2]}
    kill_agent
    answer=$(ask_member "$nobody")
    printf '\n  %-55s %s\n' "nobody with curl, after kill -9 of the agent:" "$answer"
    judge "after kill -9 of the agent" "$answer" refused
    guard unload
    answer=$(ask_member "$nobody")
    printf '  %-55s %s\n' "nobody with curl, after \`hostward guard unload\`:" "$answer"
    judge "after unload" "$answer" reached
}

set_stage() {
    if is_ec2; then
        echo "This is EC2: the real metadata service, in audit mode: who would be refused is recorded, nobody is."
        echo "The agent has a network namespace of its own, so that it adds nothing to this machine's interfaces."
        echo "Seen from there everybody is elsewhere: hence scope = \"any\" and no row for a container."
        mode=audit scope=any
        make_network agent_place
        unset 'cast[-1]'
        return
    fi
    echo "This is not EC2: a simulated metadata service in network namespaces of this demonstration."
    make_networks
    agent_place=$host
    start_simulator
}

main() {
    local -a answers before after
    prepare
    set_stage
    ask_all
    before=("${answers[@]}")
    write_policy "$mode"
    start_guard
    ask_all
    after=("${answers[@]}")
    show_table "$mode"
    sleep 1 # the agent writes its events once per second
    printf '\nThe events:\n'
    guard events
    printf '\nThe status:\n'
    guard status
    [ "$mode" = audit ] || show_persistence
    [ "$wrong" = 0 ] || fail "$wrong of the answers are not what they should be"
    printf '\nAs it should be. The policy was:\n\n'
    sed 's/^/  /' "$work/policy.toml"
}

trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
main
