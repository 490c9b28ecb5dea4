"""The configuration that the program writes into its checkpoints."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import yaml

Configuration = dict[str, dict[str, Any]]
"""Values by section and key."""

Choice = TypeVar("Choice")


class Loader(yaml.SafeLoader):
    """YAML 1.2, as the program writes it: PyYAML takes `off` for false, and 1e-5 or inf for text."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


for kind, pattern, first_letters in [
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"0|-?[1-9][0-9]*", list("-0123456789")),
    ("float", r"-?(inf|[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?)", list("-0123456789i")),
]:
    Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{kind}", re.compile(f"^({pattern})$"), first_letters
    )


def read(text: str) -> Configuration:
    """Keys that the text leaves out have no entry."""
    sections = yaml.load(text, Loader)
    return {name: section or {} for name, section in sections.items()}


def choice(of: Mapping[str, Choice], key: str, name: str) -> Choice:
    """What a name stands for.

    Raises:
        ValueError: for a name that only later versions of the program may know.
    """
    if name not in of:
        raise ValueError(f"this version knows no {key} '{name}'")
    return of[name]
