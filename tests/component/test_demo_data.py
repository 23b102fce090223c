"""The demo's rows, as plain values."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from stdnum.dk import cvr

from deploy.demo import backups, booking, data, morgenvagt

MADE = {tenant.slug: data.tables(tenant) for tenant in data.TENANTS}


def test_the_same_seed_makes_the_same_rows() -> None:
    assert data.tables(data.LEAVING) == MADE["korsbaek"]
    assert morgenvagt.documents(data.LEAVING) == morgenvagt.documents(data.LEAVING)
    assert list(booking.files(data.LEAVING)) == list(booking.files(data.LEAVING))


def test_another_seed_makes_other_rows() -> None:
    assert data.tables(data.LEAVING, seed=1) != MADE["korsbaek"]


@pytest.mark.parametrize("slug", MADE)
def test_every_municipality_has_at_least_25000_rows_in_at_least_15_tables(slug: str) -> None:
    assert sum(len(rows) for rows in MADE[slug].values()) >= 25_000
    assert len([rows for rows in MADE[slug].values() if rows]) >= 15


def test_no_cpr_like_number_can_be_a_cpr_number() -> None:
    values = (value for rows in MADE["korsbaek"].values() for row in rows for value in row if isinstance(value, str))
    mornings = (str(row) for row in morgenvagt.documents(data.LEAVING)["fremmoede"])
    files = (content.decode("cp1252") for _, _, content in booking.files(data.LEAVING))
    months = re.findall(r"\b\d\d(\d\d)\d\d-\d{4}\b", "\n".join(chain(values, mornings, files)))
    assert len(months) > 7_000
    assert min(int(month) for month in months) > 12


def test_no_municipality_has_a_number_that_a_real_one_could_have() -> None:
    assert not any(cvr.is_valid(tenant.cvr) for tenant in data.TENANTS)
    assert not any(101 <= int(tenant.code) <= 899 for tenant in data.TENANTS)


def test_the_tenants_ids_never_meet() -> None:
    for place in MADE["korsbaek"]:
        keys = [{row[0] if place != "barn_foraelder" else row[:2] for row in made[place]} for made in MADE.values()]
        assert sum(map(len, keys)) == len(set.union(*keys)), place


def test_children_and_places_refer_to_one_another() -> None:
    made = MADE["korsbaek"]
    places = {row[0]: row[3] for row in made["plads"]}
    current = [(row[0], row[-1]) for row in made["barn"] if row[-1] is not None]
    assert len(current) > 1_000
    assert all(places[place] == child for child, place in current)


def test_no_row_refers_to_another_tenants_row() -> None:
    for made in MADE.values():
        children = {row[0] for row in made["barn"]}
        assert {row[1] for row in made["venteliste"]} <= children
        assert {row[1] for row in made["venteliste_note"]} <= {row[0] for row in made["venteliste"]}
        assert {row[1] for row in made["opkraevningslinje"]} <= {row[0] for row in made["opkraevning"]}


def test_a_receipt_is_a_whole_pdf() -> None:
    found = booking.pdf("Kvittering (1) til Åse Ørsted")
    table = int(found.split(b"startxref\n")[1].split(b"\n")[0])
    assert found.startswith(b"%PDF-1.4\n")
    assert found[table:].startswith(b"xref\n0 6\n")
    assert found.endswith(b"%%EOF\n")


def test_every_backup_expires_after_the_deletion_and_within_six_months_of_it() -> None:
    today, deletion = data.date(2026, 3, 2), data.date(2026, 9, 1)
    planned = backups.plan(("pladsanvisning", "morgenvagt", "booking"), today, deletion)
    assert len({(each.system, each.set_id) for each in planned}) == len(planned) == 9
    assert all(each.taken_on <= today for each in planned)
    assert all(deletion < each.expires_on <= data.date(2027, 3, 1) for each in planned)
    assert len({each.expires_on for each in planned}) == 9
