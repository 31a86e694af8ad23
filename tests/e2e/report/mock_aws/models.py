# SPDX-License-Identifier: Apache-2.0
"""Payloads held to the services' own models, as botocore ships them, and to bounds that only the documentation has."""
import re

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from signatures import Refused

_models: dict[str, ServiceModel] = {}


def operation(service: str, name: str):
    if service not in _models:
        _models[service] = ServiceModel(Loader().load_service_model(service, "service-2"))
    return _models[service].operation_model(name)


def bounds(shape, value, where: str) -> list[str]:
    """botocore itself checks lower bounds only."""
    found = []
    if shape.type_name == "structure":
        for name, part in value.items():
            if name in shape.members:
                found += bounds(shape.members[name], part, f"{where}.{name}")
    elif shape.type_name == "list":
        found += [text for i, part in enumerate(value) for text in bounds(shape.member, part, f"{where}[{i}]")]
    elif shape.type_name == "map":
        for key, part in value.items():
            found += bounds(shape.key, key, f"{where} key") + bounds(shape.value, part, f"{where}.{key}")
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if "max" in shape.metadata and isinstance(size, (int, float)) and size > shape.metadata["max"]:
        found.append(f"{where}: {size} is more than {shape.metadata['max']}")
    if shape.type_name == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            found.append(f"{where}: {value!r} is none of {shape.enum}")
        pattern = shape.metadata.get("pattern")
        if pattern and "\\p" not in pattern and not re.search(pattern, value):
            found.append(f"{where}: {value!r} does not match {pattern}")
    return found


def check(service: str, name: str, payload) -> None:
    shape = operation(service, name).input_shape
    code = "InvalidInputException" if service == "securityhub" else "ValidationException"
    if not isinstance(payload, dict):
        raise Refused(400, "SerializationException", "no JSON object")
    report = ParamValidator().validate(payload, shape)
    problems = report.generate_report() if report.has_errors() else "\n".join(bounds(shape, payload, name))
    if problems:
        raise Refused(400, code, problems[:2000])
