"""The generated JSON Schema documents are what the contracts say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import asyncapi, generate
from contracts.catalogue import COMMANDS, EVENTS, TASKS

SCHEMAS = sorted(set(generate.documents()) - {"asyncapi.json"})


def references(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        if isinstance(body.get("$ref"), str):
            yield body["$ref"]
        for value in body.values():
            yield from references(value)
    elif isinstance(body, list):
        for value in body:
            yield from references(value)


def test_the_documents_are_current() -> None:
    assert generate.stale() == [], "run `make schemas`"


def test_there_is_one_document_for_every_message() -> None:
    assert len(SCHEMAS) == len(COMMANDS) + len(EVENTS) + len(TASKS) + 1


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_document_stands_alone(path: str) -> None:
    body = json.loads((generate.FOLDER / path).read_text(encoding="utf-8"))
    for reference in references(body):
        assert reference.startswith(generate.DEFS), reference
        assert reference.removeprefix(generate.DEFS) in body["$defs"], reference


def test_a_document_that_should_not_be_there_is_removed(tmp_path: Path) -> None:
    generate.write(tmp_path)
    (tmp_path / "events" / "orders.gone.json").write_text("{}")
    (tmp_path / "events" / "orders.order_placed.json").write_text("{}")
    assert generate.write(tmp_path) == ["events/orders.gone.json", "events/orders.order_placed.json"]
    assert generate.stale(tmp_path) == []


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    body = asyncapi.document()
    for reference in set(references(body)):
        path, _, pointer = reference.partition("#")
        found = json.loads((generate.FOLDER / path).read_text(encoding="utf-8")) if path else body
        for step in filter(None, pointer.split("/")):
            found = found[step]


def test_the_asyncapi_document_has_an_operation_for_every_call_event_subscriber_and_task() -> None:
    operations = asyncapi.document()["operations"]
    heard = {f"{each}.hears.{event.wire}" for event in EVENTS.values() for each in event.subscribers}
    told = {f"{event.emitter}.tells.{event.name}" for event in EVENTS.values()}
    answered = {f"{command.service}.answers.{command.name}" for command in COMMANDS.values()}
    done = {f"{task.service}.{task.hand}.does.{task.name}" for task in TASKS.values()}
    assert set(operations) == heard | told | answered | done
