# SPDX-License-Identifier: Apache-2.0
"""A CloudFormation template as data: short forms of functions as what they stand for, and what refers to what."""
from pathlib import Path
import re

import yaml

SHORT = ("Ref", "Sub", "GetAtt", "Not", "Equals", "And", "Or", "If", "Join")
PSEUDO = re.compile(r"^AWS::(?:AccountId|Partition|Region|StackName|URLSuffix|NoValue)$")


class Loader(yaml.SafeLoader):
    pass


def function(loader, suffix, node):
    name = suffix if suffix == "Ref" else f"Fn::{suffix}"
    if suffix not in SHORT:
        raise yaml.YAMLError(f"unknown function !{suffix}")
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", function)


def load(path):
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader)  # a SafeLoader: it makes plain data only


def references(value):
    """Every name that Ref, GetAtt or Sub asks for."""
    if isinstance(value, list):
        return {name for part in value for name in references(part)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, part in value.items():
        if key == "Ref":
            found.add(part)
        elif key == "Fn::Sub":
            found |= set(re.findall(r"\$\{([^}]+)\}", part))
        elif key == "Fn::GetAtt":
            found.add(part.split(".")[0] if isinstance(part, str) else part[0])
        else:
            found |= references(part)
    return found


def resolved(value, values):
    """The value with Ref and Sub replaced by `values`."""
    if isinstance(value, list):
        return [resolved(part, values) for part in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return values[value["Ref"]]
    if set(value) == {"Fn::Sub"}:
        return re.sub(r"\$\{([^}]+)\}", lambda match: values[match.group(1)], value["Fn::Sub"])
    return {key: resolved(part, values) for key, part in value.items()}
