"""How values and tables are written: nothing the source tells apart is lost, nothing beyond the checkpoint counts."""

import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.delivery.tables import TableFile, Written, field_type, file_name, line, text

CELLS = st.one_of(st.none(), st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        ("", ""),
        (True, "true"),
        (7, "7"),
        (Decimal("1E+2"), "100"),
        (0.1, "0.1"),
        (float("inf"), "INF"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2026-07-01T10:00:00Z"),
        (datetime(2026, 7, 1, 12), "2026-07-01T12:00:00"),
        (b"\x00\xff", "AP8="),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"b": [1, None], "a": datetime(2026, 1, 1, tzinfo=UTC)}, '{"a":"2026-01-01T00:00:00Z","b":[1,null]}'),
    ],
)
def test_a_value_has_one_way_of_being_written(value, written):
    assert text(value) == written


def test_null_and_the_empty_text_stay_apart():
    assert line([None, "", "x"]) == b',"",x\r\n'


@given(st.lists(CELLS, min_size=1, max_size=6))
def test_any_csv_reader_reads_back_what_was_written(cells):
    (row,) = csv.reader(io.StringIO(line(cells).decode(), newline=""), strict=True)
    assert row == [cell or "" for cell in cells]


def test_a_table_goes_on_from_its_checkpoint_and_forgets_what_was_written_after_it(tmp_path):
    stem = tmp_path / "barn"
    kept = TableFile(stem, Written()).append(("id", "navn"), [(1, "Ida"), (2, 'Bo "den lange"\nOlsen')])
    TableFile(stem, kept).append(("id", "navn"), [(3, "tabt ved kill -9")])
    again = TableFile(stem, kept)
    again.append(("id", "navn"), [(3, "Kaj")])
    assert _rows(again) == [["id", "navn"], ["1", "Ida"], ["2", 'Bo "den lange"\nOlsen'], ["3", "Kaj"]]
    assert again.written.rows == 3


def test_a_lost_work_folder_means_from_the_first_row_again(tmp_path):
    written = TableFile(tmp_path / "barn", Written()).append(("id",), [(1,)])
    again = TableFile(tmp_path / "elsewhere" / "barn", written)
    assert again.lost and again.written.rows == 0


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), CELLS)
def test_new_columns_widen_what_stands_already_and_leave_the_older_file_whole(tmp_path_factory, rows, cell):
    stem = tmp_path_factory.mktemp("wide") / "hold"
    first = TableFile(stem, Written())
    narrow = first.append(("_id", "navn"), rows)
    before = first.path.read_bytes()
    wide = TableFile(stem, narrow)
    wide.append(("navn", "noter", "_id"), [("ny", cell, "z")])
    assert first.stem.with_name("hold.2").read_bytes() == before
    assert _rows(wide)[0] == ["_id", "navn", "noter"]
    assert _rows(wide)[1:-1] == [[left or "", right or "", ""] for left, right in rows]
    assert _rows(wide)[-1] == ["z", "ny", cell or ""]


def test_an_empty_place_is_a_header(tmp_path):
    table = TableFile(tmp_path / "tom", Written())
    table.append(("id", "navn"), [])
    assert table.path.read_bytes() == b"id,navn\r\n"


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("INTEGER", "integer"), ("bigint", "integer"), ("bigserial", "integer"), ("interval", "string"),
        ("NUMERIC(10, 2)", "number"), ("double precision", "number"), ("VARCHAR(80)", "string"),
        ("timestamp with time zone", "datetime"), ("DATE", "date"), ("boolean", "boolean"), ("jsonb", "string"),
        ("text[]", "string"), ("", "string"),
    ],
)  # fmt: skip
def test_source_types_become_data_package_types(native, expected):
    assert field_type(native)["type"] == expected


def test_file_names_are_safe_and_stay_apart():
    assert file_name("barn_æøå") == "barn_æøå"
    assert file_name("../etc/passwd") == "%2E%2E%2Fetc%2Fpasswd"
    assert file_name("a/b") != file_name("a_b")
    long_one, long_two = file_name("å" * 150 + "1"), file_name("å" * 150 + "2")
    assert long_one != long_two and len(long_one.encode()) <= 120


def _rows(table):
    return list(csv.reader(io.StringIO(table.path.read_bytes().decode(), newline=""), strict=True))
