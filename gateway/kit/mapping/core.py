"""YAML by the core schema of version 1.2: ``NO`` is Norway, 010 and 2024-02-30 are texts."""

import re
from decimal import Decimal
from typing import Any

import yaml


class Core(yaml.CSafeLoader):
    """Reads text, true, false, null, whole numbers and floating point."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's form


class Exact(Core):
    """Reads numbers with a point as decimals, digit by digit."""


def _decimal(loader: Exact, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
)
for _tag, _pattern, _first in _SCALARS:
    for _loader in (Core, Exact):
        _loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
        )
Exact.add_constructor("tag:yaml.org,2002:float", _decimal)


def load(text: str) -> Any:
    """What stands in a file; numbers with a point are decimals."""
    return yaml.load(text, Loader=Exact)  # noqa: S506 - a safe loader
