"""What describes the data: specification, Data Package, dictionary."""

from datetime import date

import pytest

from contracts.errors import Rejected
from services.delivery.descriptor import (
    Table,
    check_against,
    counts,
    data_package,
    dictionary,
    resource_name,
    specify,
    table_path,
    write_specification,
)
from shared.connectors.protocol import Column, ForeignKey, LivePlace

PARENT = LivePlace("barn", (Column("id", "bigint", False), Column("navn", "text")), ("id",))
CHILD = LivePlace(
    "note",
    (Column("id", "bigint", False), Column("barn_id", "bigint"), Column("over", "bigint"), Column("log_id", "bigint")),
    ("id",),
    (
        ForeignKey(("barn_id",), "barn", ("id",)),
        ForeignKey(("over",), "note", ("id",)),
        ForeignKey(("log_id",), "log", ("id",)),
    ),
)


def _specified(live, **options):
    return specify("px", options.get("disposition", "tenant"), live, open_schema=options.get("open_schema", False))


def _table(live):
    columns = tuple(column.name for column in live.columns)
    return Table(_specified(live), columns, table_path("px", live.name), 10, "a" * 64, 3)


def test_references_lead_only_to_what_is_in_the_package():
    note = data_package("pk-1", "Data", date(2026, 6, 1), [_table(PARENT), _table(CHILD)])["resources"][1]
    assert note["schema"]["foreignKeys"] == [
        {"fields": ["barn_id"], "reference": {"fields": ["id"], "resource": "px.barn"}},
        {"fields": ["over"], "reference": {"fields": ["id"]}},
    ]
    assert note["schema"]["primaryKey"] == ["id"] and note["hash"].startswith("sha256:")
    assert note["schema"]["fields"][0]["constraints"] == {"required": True}


def test_a_field_that_came_with_the_data_is_described_too():
    table = Table(_specified(LivePlace("hold"), open_schema=True), ("_id", "navn"), "t.csv", 1, "a" * 64, 1)
    fields = data_package("pk", "Data", date(2026, 6, 1), [table])["resources"][0]["schema"]["fields"]
    assert fields == [{"name": "_id", "type": "string"}, {"name": "navn", "type": "string"}]


def test_the_same_schema_gives_the_same_specification_text():
    places = [_specified(PARENT), _specified(CHILD)]
    text = write_specification("x-1", {"px": "Pladsanvisning"}, places)
    assert text == write_specification("x-1", {"px": "Pladsanvisning"}, reversed(places))


@pytest.mark.parametrize(
    "live",
    [
        [PARENT],
        [PARENT, CHILD, LivePlace("ny")],
        [LivePlace("barn", (*PARENT.columns, Column("cpr", "text"))), CHILD],
        [LivePlace("barn", (Column("id", "text", False), Column("navn", "text"))), CHILD],
    ],
)
def test_a_schema_that_is_not_the_specified_one_any_more_stops_the_extract(live):
    approved = [_specified(PARENT), _specified(CHILD)]
    check_against(approved, list(reversed(approved)))
    with pytest.raises(Rejected) as caught:
        check_against(approved, [_specified(place) for place in live])
    assert caught.value.code == "SPECIFICATION_OUTDATED" and caught.value.field.startswith("px.")


def test_documents_may_have_got_new_fields_since_the_specification():
    before = [_specified(LivePlace("hold", (Column("a", "text"),)), open_schema=True)]
    check_against(before, [_specified(LivePlace("hold", (Column("b", "text"),)), open_schema=True)])


def test_resource_names_and_paths_are_plain():
    assert resource_name("Px", "Børn og Åse/2") == "px.boern-og-aase-2"
    assert table_path("px", "a/b") == "tables/px/a%2Fb.csv"


def test_the_dictionary_tells_in_danish_what_each_field_is():
    page = dictionary("Data", {"px": "IST Pladsanvisning"}, [_table(PARENT), _table(CHILD)])
    assert "## IST Pladsanvisning" in page and "### note" in page
    assert "| barn_id | integer | bigint | nej |  | barn |" in page and "| id | integer | bigint | ja | ja |  |" in page


def test_counts_add_up():
    rows = [{"system": "px", "place": name, "disposition": "tenant", "rows": 2, "after": None} for name in ("a", "b")]
    body = counts("x", "pk", rows)
    assert body["rows"] == 4 and set(body["places"][0]) == {"system", "place", "disposition", "rows"}
