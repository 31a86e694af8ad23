#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes hostward.bash, the completion for bash, from what the program's --help says.

Usage: generate.py PROGRAM > packaging/completion/hostward.bash        (tests/lint compares the two)
"""
import re
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 30
COMMANDS = re.compile(r"^(?:Commands|Subcommands|SUBCOMMANDS):\n((?:  .*\n?)*)", re.M)
OPTIONS = re.compile(r"^(?:Options|OPTIONS):\n((?:  .*\n?)*)", re.M)
COMMAND = re.compile(r"^  ([a-z]+(?: [a-z]+)?)  ", re.M)
OPTION = re.compile(r"^  (?:-\w,)?(--[\w-]+)(?: ([A-Z]+))?", re.M)
# What an option's value is, by the word that stands for it.
FILES, FOLDERS = {"FILE", "PATH"}, {"DIR"}
# Options whose words --help lists.
WORDS = {"--format": "text json ocsf asff junit html", "--decision": "allow deny would-deny",
         "--profile": "cis-amazon-linux-2023 cis-debian-12 cis-rhel-9 cis-ubuntu-24.04 ec2", "--level": "1 2"}

HEAD = """# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of hostward for bash. Written by packaging/completion/generate.py from the program's --help.

# The options of a command: after `:` those whose value is a file, after `;` those whose value is a folder.
_hostward_options() {
    case "$1" in
"""
TAIL = """    esac
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
        _hostward_words "@TOP@ --help --version" "$word"
        return
    fi
    case "$command" in
    @GROUPS@)
        if [ "$COMP_CWORD" -eq 2 ]; then
            _hostward_words "$(_hostward_group "$command") --help" "$word"
            return
        fi
        command="$command ${COMP_WORDS[2]}"
        ;;
    esac
    case "$before" in
@WORDS@    esac
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
"""


def ask(program: str, *words: str) -> str:
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
    return done.stdout


def block(pattern: re.Pattern, text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""


def commands(program: str) -> list[str]:
    return COMMAND.findall(block(COMMANDS, ask(program)))


def option_line(program: str, command: str) -> str:
    options = OPTION.findall(block(OPTIONS, ask(program, *command.split())))
    files = [name for name, value in options if value in FILES]
    folders = [name for name, value in options if value in FOLDERS]
    words = " ".join(name for name, _ in options)
    return f'    "{command}") echo "{words}:{" ".join(files)};{" ".join(folders)}" ;;\n'


def group_function(names: list[str]) -> str:
    groups = {}
    for name in names:
        if " " in name:
            groups.setdefault(name.split()[0], []).append(name.split()[1])
    lines = "".join(f'    {group}) echo "{" ".join(below)}" ;;\n' for group, below in groups.items())
    return f"# The commands of a group.\n_hostward_group() {{\n    case \"$1\" in\n{lines}    esac\n}}\n\n"


def render(program: str) -> str:
    names = commands(program)
    options = "".join(option_line(program, name) for name in names)
    top = list(dict.fromkeys(name.split()[0] for name in names))
    groups = list(dict.fromkeys(name.split()[0] for name in names if " " in name))
    words = "".join(f'    {name}) _hostward_words "{choice}" "$word"; return ;;\n' for name, choice in WORDS.items())
    end = TAIL.replace("@TOP@", " ".join(top)).replace("@GROUPS@", " | ".join(groups)).replace("@WORDS@", words)
    head, tail = end.split("_hostward_words() {", 1)
    return HEAD + options + head + group_function(names) + "_hostward_words() {" + tail


if __name__ == "__main__":
    sys.stdout.write(render(str(Path(sys.argv[1]).resolve())))
