"""`python -m contracts.generate [--check]`: JSON Schema documents of the wire, one a command, event, task and error,
and the whole of it as one AsyncAPI document.

The marshmallow schemas are the source; the documents in `contracts/generated/` are for readers in other languages and
are never edited. Every document stands alone (its `$defs` hold what it refers to) and says who may send it to whom.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema

from contracts import asyncapi
from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.errors import Rejected
from contracts.registry import Command, Event, Task

FOLDER = Path(__file__).resolve().parent / "generated"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMPONENTS, DEFS = "#/components/schemas/", "#/$defs/"


def documents() -> dict[str, str]:
    """Make every document: its path below `generated/` → its text."""
    made: dict[str, dict[str, Any]] = {"errors/error.json": _error()}
    made |= {f"commands/{wire}.json": _command(command) for wire, command in COMMANDS.items()}
    made |= {f"events/{wire}.json": _event(event) for wire, event in EVENTS.items()}
    made |= {f"tasks/{wire}.json": _task(task) for wire, task in TASKS.items()}
    made["asyncapi.json"] = asyncapi.document()
    return {path: json.dumps(body, ensure_ascii=False, indent=1) + "\n" for path, body in sorted(made.items())}


def write(folder: Path = FOLDER) -> list[str]:
    """Write the documents and remove what is not one of them; give the paths that changed."""
    wanted = documents()
    changed = stale(folder)
    for path in changed:
        if path not in wanted:
            (folder / path).unlink()
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(wanted[path], encoding="utf-8")
    return changed


def stale(folder: Path = FOLDER) -> list[str]:
    """List the documents that are missing, differ, or should not be there."""
    held = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.json")}
    wanted = documents()
    return sorted(path for path in held.keys() | wanted.keys() if held.get(path) != wanted.get(path))


def _command(command: Command) -> dict[str, Any]:
    """Describe a command: the document is its request; `$defs/answer` is its answer."""
    defs: dict[str, Any] = {}
    request, answer = _schema(command.request, defs), _schema(command.answer, defs)
    said = {"kind": "query" if command.query else "command", "service": command.service, "roles": sorted(command.roles)}
    return _document(command.wire, command.request, request, {**defs, "answer": answer}, said)


def _event(event: Event) -> dict[str, Any]:
    defs: dict[str, Any] = {}
    said = {
        "kind": "event",
        "emitter": event.emitter,
        "subscribers": sorted(event.subscribers),
        "ordered": event.ordered,
    }
    return _document(event.wire, event.schema, _schema(event.schema, defs), defs, said)


def _task(task: Task) -> dict[str, Any]:
    defs: dict[str, Any] = {}
    said = {"kind": "task", "service": task.service, "hand": task.hand, "single": task.single}
    return _document(task.wire, task.schema, _schema(task.schema, defs), defs, said)


def _error() -> dict[str, Any]:
    """Describe the wire form of both error families (the one element of `exc_args`)."""
    names = list(Rejected("", "").as_dict())
    body = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": names}
    said = {"kind": "error", "exc_type": ["Rejected", "Unavailable"]}
    return {"$schema": DIALECT, "title": "error", "x-ophor": said, **body}


def _document(
    wire: str, source: type[Schema], body: dict[str, Any], defs: dict[str, Any], said: dict[str, Any]
) -> dict[str, Any]:
    about = (source.__doc__ or "").strip() if source.__doc__ != Schema.__doc__ else ""
    head = {"$schema": DIALECT, "title": wire, **({"description": about} if about else {}), "x-ophor": said}
    return {**head, **body, **({"$defs": dict(sorted(defs.items()))} if defs else {})}


def _schema(schema: type[Schema], defs: dict[str, Any]) -> dict[str, Any]:
    """Convert one schema; what it nests goes into `defs` under its class's name."""
    spec = APISpec(title="wire", version="1", openapi_version="3.1.0", plugins=[plugin := MarshmallowPlugin()])
    assert isinstance(plugin.converter, OpenAPIConverter)
    body = plugin.converter.schema2jsonschema(schema())  # type: ignore[no-untyped-call]
    for name, nested in spec.components.schemas.items():
        found = _here(nested)
        if defs.setdefault(name, found) != found:
            raise ValueError(f"two different bodies named {name} in one document")
    converted: dict[str, Any] = _here(body)
    return converted


def _here(body: Any) -> Any:
    """Give a copy whose references point into the document itself."""
    if isinstance(body, dict):
        return {key: _here(value) for key, value in body.items()}
    if isinstance(body, list):
        return [_here(value) for value in body]
    return body.replace(COMPONENTS, DEFS) if isinstance(body, str) and body.startswith(COMPONENTS) else body


def main(words: list[str]) -> int:
    """Write the documents, or with `--check` only tell which are not current; give the exit code."""
    changed = stale() if words == ["--check"] else write()
    for path in changed:
        print(path)  # noqa: T201 – a terminal program
    return 1 if changed and words == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
