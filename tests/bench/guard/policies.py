# SPDX-License-Identifier: Apache-2.0
"""Policies of any size. The rule that names the caller is the last, behind rules that name others in the same way."""
from pathlib import Path

HEAD = '[guard]\nmode = "enforce"\n'


def rule(name: str, condition: str, values: list) -> str:
    written = ", ".join(str(value) if isinstance(value, int) else f'"{value}"' for value in values)
    return f'[[guard.rule]]\nname = "{name}"\naction = "allow"\n{condition} = [{written}]\n'


def others(condition: str, number: int, exes: Path) -> int | str:
    """A value that names nobody who runs here."""
    if condition == "user":
        return 100_000 + number
    if condition == "unit":
        return f"bench-{number}.service"
    path = exes / str(number)
    if not path.exists():
        exes.mkdir(exist_ok=True)
        path.write_text("")
        path.chmod(0o755)
    return str(path)


def policy(rules: int, condition: str, caller: int | str, exes: Path = Path("/run/hostward-bench/exes")) -> str:
    """`rules` rules by user, unit or exe."""
    fillers = [rule(f"other-{i}", condition, [others(condition, i, exes)]) for i in range(rules - 1)]
    return HEAD + "".join([*fillers, rule("caller", condition, [caller])])


def one_rule(values: int, condition: str, caller: int | str, exes: Path = Path("/run/hostward-bench/exes")) -> str:
    """One rule that names so many."""
    return HEAD + rule("caller", condition, [*[others(condition, i, exes) for i in range(values - 1)], caller])
