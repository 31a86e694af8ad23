# SPDX-License-Identifier: Apache-2.0
"""The shell steps of packaging/'s examples, as the services that run them would hand them to a shell.

    component("build", PackageUrl=..., PackageSha256=...)   EC2 Image Builder: each step is a file run with bash
    document("install", PackageUrl=..., ...)                SSM Run Command: each step is a file run with sh
    user_data(package_url=..., package_sha256=...)          cloud-init's bootcmd, with the lines edited as its comment says
    user_data_script(package_url=..., ...)                  the shell version, edited the same way

Each gives a list of Step. `run(step)` executes one; `prefix` goes before the command, such as ["chroot", ROOT].
The services start these as root below the SSM agent's unit, which the policies allow. To be true to that on a machine
with systemd, tests/vm/instance starts them with systemd-run in a unit of that name.
"""
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

PACKAGING = Path(__file__).resolve().parents[3] / "packaging"
COMPONENT = PACKAGING / "image-builder/hostward.yml"
DOCUMENTS = PACKAGING / "ssm"
CLOUD_CONFIG = PACKAGING / "user-data/hostward.yml"
USER_DATA_SCRIPT = PACKAGING / "user-data/hostward.sh"
PLACEHOLDER = re.compile(r"\{\{ *([A-Za-z0-9_]+) *\}\}")


class Refused(Exception):
    """What the service would not start: a parameter that is unknown, missing, or not allowed."""


@dataclass(frozen=True)
class Step:
    name: str
    shell: str  # bash or sh
    script: str
    timeout_s: int

    def command(self):
        """An argument vector that does not need a file on the machine. The first argument after the script is $0."""
        return [self.shell, "-c", self.script, self.name]


def run(step, prefix=(), check=True, **options):
    done = subprocess.run([*prefix, *step.command()], capture_output=True, text=True, timeout=step.timeout_s, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"step {step.name} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def substituted(text, values):
    def value(match):
        if match.group(1) not in values:
            raise Refused(f"no parameter {match.group(1)}")
        return values[match.group(1)]

    return PLACEHOLDER.sub(value, text)


def load(path):
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def with_defaults(definitions, given):
    """The value of each parameter; `definitions` maps its name to type, default, allowedPattern, allowedValues."""
    unknown = set(given) - set(definitions)
    if unknown:
        raise Refused(f"unknown parameters: {', '.join(sorted(unknown))}")
    values = {}
    for name, about in definitions.items():
        value = given.get(name, about.get("default"))
        if value is None:
            raise Refused(f"parameter {name} has no value and no default")
        if "allowedPattern" in about and not re.search(about["allowedPattern"], value):
            raise Refused(f"{name}: {value!r} does not match {about['allowedPattern']}")
        if "allowedValues" in about and value not in about["allowedValues"]:
            raise Refused(f"{name}: {value!r} is none of {about['allowedValues']}")
        values[name] = value
    return values


def component(phase, path=COMPONENT, **parameters):
    """The steps of a phase (build, validate, test)."""
    document = load(path)
    definitions = {name: about for entry in document["parameters"] for name, about in entry.items()}
    values = with_defaults(definitions, parameters)
    wanted = [one for one in document["phases"] if one["name"] == phase]
    if len(wanted) != 1:
        raise Refused(f"no phase {phase}")
    return [Step(step["name"], "bash", substituted("\n".join(step["inputs"]["commands"]), values), step["timeoutSeconds"])
            for step in wanted[0]["steps"]]


def document(name, folder=DOCUMENTS, **parameters):
    """The steps of a Command document: install, check, report, guard-mode."""
    content = load(Path(folder) / f"hostward-{name}.yml")
    values = with_defaults(content.get("parameters", {}), parameters)
    return [Step(step["name"], "sh", substituted("\n".join(step["inputs"]["runCommand"]), values),
                 int(step["inputs"]["timeoutSeconds"])) for step in content["mainSteps"]]


def edited(text, settings):
    """The text with each `name=...` line set to a value, as a person would who follows the comment."""
    for name, value in settings.items():
        text, count = re.subn(rf"^(\s*){re.escape(name)}=\S*", lambda m, v=value, n=name: f"{m.group(1)}{n}={v}", text, flags=re.M)
        if count != 1:
            raise Refused(f"{name}= stands in {count} lines, not in one")
    return text


def cloud_config(path=CLOUD_CONFIG, **settings):
    """The text of the cloud-config, edited: what an instance gets as user data."""
    return edited(Path(path).read_text(encoding="utf-8"), settings)


def user_data(path=CLOUD_CONFIG, **settings):
    """What cloud-init starts: the argument vectors of bootcmd, as steps."""
    steps = []
    for number, entry in enumerate(yaml.safe_load(cloud_config(path, **settings))["bootcmd"]):
        shell, option, script = entry
        if (shell, option) != ("sh", "-c"):
            raise Refused(f"bootcmd {number} is not sh -c")
        steps.append(Step(f"bootcmd-{number}", shell, script, 900))
    return steps


def user_data_script(path=USER_DATA_SCRIPT, **settings):
    return [Step("user-data", "sh", edited(Path(path).read_text(encoding="utf-8"), settings), 900)]
