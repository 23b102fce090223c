"""Importing sets (JSON, CSV) by line and field, and the expiry curve as a picture."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from contracts.errors import Rejected
from contracts.system_map import load
from services.console import backups, backups_file
from shared.drawing.expiry import Curve, Point, expiry

SVG = "{http://www.w3.org/2000/svg}"
ROW = {"system": "plads", "set_id": "s1", "taken_on": "2026-09-01", "expires_on": "2026-11-01"}
POINTS = [Point(date(2026, 9, 1), 3, 3), Point(date(2026, 10, 2), 1, 2), Point(date(2026, 12, 1), 0, None)]


def written(folder: Path, text: str) -> Path:
    path = folder / "sets"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"sets": [ROW]}),
        json.dumps([ROW]),
        json.dumps({"system": "plads", "sets": [{name: ROW[name] for name in ROW if name != "system"}]}),
        "system,set_id,taken_on,expires_on\nplads,s1,2026-09-01,2026-11-01\n",
        "\ufeffsystem;set_id;taken_on;expires_on;key_id\nplads;s1;2026-09-01;2026-11-01;\n",
    ],
)
def test_one_row_is_read_from_every_form_and_is_the_same_command_again(tmp_path: Path, text: str) -> None:
    rows = backups_file.read(written(tmp_path, text), "x-1")
    assert rows == [{**ROW, "exit_id": "x-1"}]
    assert backups.command_id(rows[0]) == backups.command_id(dict(reversed(rows[0].items())))
    assert backups.command_id(rows[0]) != backups.command_id(rows[0] | {"expires_on": "2026-11-02"})


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("system,set_id,taken_on,expires_on\nplads,s1,2026-09-01,x\n", "IMPORT_INVALID", "2.expires_on"),
        ("system,set_id,taken_on,expires_on\n\nplads,,2026-09-01,2026-11-01\n", "IMPORT_INVALID", "3.set_id"),
        ("system,set_id,taken_on,expires_on\nplads,s1,2026-09-01\n", "IMPORT_INVALID", "2"),
        ("system,set_id,taken_on,expires_on,note\nplads,s1,2026-09-01,2026-11-01,x\n", "IMPORT_INVALID", "2.note"),
        (json.dumps([ROW, ROW]), "IMPORT_INVALID", "2.set_id"),
        (json.dumps([ROW | {"expires_on": "2026-08-01"}]), "IMPORT_INVALID", "1.expires_on"),
        (json.dumps([ROW, "s2"]), "IMPORT_INVALID", "2"),
        ('{"sets": ', "IMPORT_UNREADABLE", "FILE"),
        ("{}", "IMPORT_UNREADABLE", "FILE"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_field_and_nothing_is_taken_in(
    tmp_path: Path, text: str, code: str, field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        backups_file.read(written(tmp_path, text), "x-1")
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize(
    ("language", "said", "limit"),
    [("da", "2 af 3 sæt tilbage 5.10.2026", "1.4.2027"), ("en", "2 of 3 sets left on 2026-10-05", "2027-04-01")],
)
def test_the_curve_says_in_words_what_it_shows(language: str, said: str, limit: str) -> None:
    curve = Curve(POINTS, date(2026, 10, 5), date(2027, 4, 1), [f"plads/<s{number}>" for number in range(14)])
    drawn = ElementTree.fromstring(expiry(curve, "Backup & co", language))
    texts = [each.text or "" for each in drawn.iter(f"{SVG}text")]
    assert texts[0] == "Backup & co"
    assert texts[1].startswith(said)
    assert "! plads/<s0>" in texts and "! plads/<s12>" not in texts
    assert any(limit in each for each in texts)
    box = [float(each) for each in drawn.attrib["viewBox"].split()]
    assert all(0 <= float(each.attrib["x"]) <= box[2] and float(each.attrib["y"]) <= box[3]
               for each in drawn.iter(f"{SVG}text"))  # fmt: skip


def test_a_single_set_of_one_day_can_be_drawn() -> None:
    assert "<svg" in expiry(Curve([Point(date(2026, 9, 1), 1, 1)], date(2026, 9, 1)), "x", "en")


def test_looking_shows_what_is_beside_the_catalogue_and_what_cannot_be_looked_into(tmp_path: Path) -> None:
    (tmp_path / "b" / "s1").mkdir(parents=True)
    (tmp_path / "b" / "s2").mkdir()
    (tmp_path / "b" / "catalogue.json").write_text(json.dumps({"sets": [ROW]}))
    places = "places: {a: {tenant_key: folder}}"
    system = f'{{title: B, kind: files, deletion: 1, tenant: "{{tenant}}", connection: {{folder: x}}, {places}'
    (tmp_path / "map.yaml").write_text(
        f"version: 1\nsystems:\n  plads: {system}, backups: {{folder: b}}}}\n"
        f"  andet: {system}, backups: [{{kind: mongodump, folder: missing}}]}}\n"
    )
    known = [{"system": "plads", "set_id": "s1", "kind": ""}]
    rows, failed = backups.sight(load(tmp_path / "map.yaml"), known)
    assert [(row["set_id"], row["uncatalogued"]) for row in rows] == [("s1", False), ("s2", True)]
    assert failed == [{"system": "andet", "kind": "mongodump", "code": "BACKUPS_NOT_LISTED"}]
