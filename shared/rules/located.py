"""YAML whose every value knows its line, so that an error can name file, line and field.

Rules kept: only plain YAML (no tags), no key twice, no merge keys; anything else is PROFILE_INVALID.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from contracts.errors import Rejected

Path = tuple[str | int, ...]

_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "bool", "null", "float", "timestamp")}
_DEEPEST = 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same loader in C, where the library was built with it


@dataclass(frozen=True, slots=True)
class Located:
    """The content of one file with the line of every value."""

    file: str
    content: Any
    lines: dict[Path, int]

    def error(self, path: Path, message: str) -> Rejected:
        """Make PROFILE_INVALID at the nearest line that is known for `path`."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        return _invalid(self.file, self.lines.get(near, 1), ".".join(map(str, path)), message)


def read_located(text: str, file: str) -> Located:
    """Read one YAML document; raise Rejected PROFILE_INVALID with the line of what is wrong."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _invalid(file, line, "", str(error.problem)) from None
    except yaml.YAMLError as error:
        raise _invalid(file, 1, "", str(error).splitlines()[0]) from None
    if node is None:
        raise _invalid(file, 1, "", "the file is empty")
    lines: dict[Path, int] = {}
    return Located(file, _value(node, (), lines, file), lines)


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], file: str) -> Any:
    lines[path] = node.start_mark.line + 1
    if node.tag not in _TAGS or len(path) > _DEEPEST:
        raise _invalid(file, lines[path], ".".join(map(str, path)), f"{node.tag} is not allowed here")
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, (*path, number), lines, file) for number, each in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, file)
    try:
        return SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError):
        raise _invalid(file, lines[path], ".".join(map(str, path)), f"'{node.value}' is not a value") from None


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int], file: str) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        if key in content:
            raise _invalid(file, line, ".".join(map(str, (*path, key))), "the key is there twice")
        content[key] = _value(value_node, (*path, key), lines, file)
        lines[(*path, key)] = line
    return content


def _invalid(file: str, line: int, field: str, message: str) -> Rejected:
    return Rejected(
        "PROFILE_INVALID",
        f"{file}:{line}: {field or 'document'}: {message}",
        field=field,
        remedy=f"correct line {line} of {file}",
        da=f"{file}, linje {line}, {field or 'dokumentet'}: {message}",
    )
