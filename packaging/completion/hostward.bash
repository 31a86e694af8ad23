# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of hostward for bash. Written by packaging/completion/generate.py from the program's --help.

# The options of a command: after `:` those whose value is a file, after `;` those whose value is a folder.
_hostward_options() {
    case "$1" in
    "guard run") echo "--help --config --presets --cgroup --pin-dir --run-dir --json:--config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard load") echo "--help --config --presets --cgroup --pin-dir --run-dir --json:--config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard unload") echo "--help --config --presets --cgroup --pin-dir --run-dir --json:--config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard status") echo "--help --config --presets --cgroup --pin-dir --run-dir --summary-line --max-chars --json:--config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard metrics") echo "--help --config --presets --cgroup --pin-dir --run-dir --json:--config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard events") echo "--help --follow --user --exe --unit --rule --decision --container --since --config --presets --cgroup --pin-dir --run-dir --json:--exe --config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard explain") echo "--help --pid --user --group --exe --unit --cgroup-path --container --policy --last-denial --address --events --since --config --presets --any-owner --cgroup --pin-dir --run-dir --json:--exe --cgroup-path --policy --events --config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard learn") echo "--help --events --since --min-count --output --force --config --presets --cgroup --pin-dir --run-dir --json:--events --output --config --cgroup;--presets --pin-dir --run-dir" ;;
    "guard doctor") echo "--help --config --presets --cgroup --pin-dir --run-dir --json:--config --cgroup;--presets --pin-dir --run-dir" ;;
    "check") echo "--help --profile --root --level --workstation --rule --format --output --tailoring --set --baseline --fail-on --aws-account --aws-region --aws-instance --all --summary-line --max-chars --no-sweep --pin-dir --list --coverage --explain --posture --report-config --library:--output --tailoring --baseline --report-config;--root --pin-dir --library" ;;
    "report") echo "--help --once --dry-run --sink --summary-line --max-chars --json --nonce --config --library:--config;--library" ;;
    "verify") echo "--help --sts --offline --audience --max-age --nonce --nonces --account --region --jwks --issuer --trusted-sts --identity --rsa2048 --json:--nonces --jwks --identity --rsa2048;" ;;
    "config check") echo "--help --config --presets --any-owner --json:--config;--presets" ;;
    "config print") echo "--help --config --presets --any-owner:--config;--presets" ;;
    esac
}

# The commands of a group.
_hostward_group() {
    case "$1" in
    guard) echo "run load unload status metrics events explain learn doctor" ;;
    config) echo "check print" ;;
    esac
}

_hostward_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_hostward_paths() {
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_hostward() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-} all files folders
    if [ "$COMP_CWORD" -eq 1 ]; then
        _hostward_words "guard check report verify config --help --version" "$word"
        return
    fi
    case "$command" in
    guard | config)
        if [ "$COMP_CWORD" -eq 2 ]; then
            _hostward_words "$(_hostward_group "$command") --help" "$word"
            return
        fi
        command="$command ${COMP_WORDS[2]}"
        ;;
    esac
    case "$before" in
    --format) _hostward_words "text json ocsf asff junit html" "$word"; return ;;
    --decision) _hostward_words "allow deny would-deny" "$word"; return ;;
    --profile) _hostward_words "cis-amazon-linux-2023 cis-debian-12 cis-rhel-9 cis-ubuntu-24.04 ec2" "$word"; return ;;
    --level) _hostward_words "1 2" "$word"; return ;;
    esac
    all=$(_hostward_options "$command")
    folders=${all##*;}
    all=${all%;*}
    files=${all##*:}
    all=${all%:*}
    case " $files " in *" $before "*) _hostward_paths -f "$word"; return ;; esac
    case " $folders " in *" $before "*) _hostward_paths -d "$word"; return ;; esac
    case "$word" in
    -*) _hostward_words "$all" "$word" ;;
    *) _hostward_paths -f "$word" ;;
    esac
}

complete -F _hostward hostward
