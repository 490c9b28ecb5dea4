"""The configuration that the program writes into its checkpoints."""

import re
from typing import Any

import yaml

Configuration = dict[str, dict[str, Any]]
"""Values by section and key."""


class Loader(yaml.SafeLoader):
    """YAML 1.2, as the program writes it: PyYAML takes `off` for false, and 1e-5 or inf for text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for kind, pattern, first in [
    ("null", r"~|null|", "~n"),
    ("bool", r"true|false", "tf"),
    ("int", r"0|-?[1-9][0-9]*", "-0123456789"),
    ("float", r"-?(?:inf|[0-9]+(?:\.[0-9]+(?:e[-+]?[0-9]+)?|e[-+]?[0-9]+))", "-0123456789i"),
]:
    Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), [*first, *([""] * (kind == "null"))]
    )


def read(text: str) -> Configuration:
    """Keys that the text leaves out have no entry."""
    sections = yaml.load(text, Loader)  # noqa: S506, a SafeLoader
    return {name: section or {} for name, section in sections.items()}
