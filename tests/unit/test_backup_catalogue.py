"""The backup catalogue: six months of sets that roll over, with a late one, a forgotten one and a mis-dated one."""

from __future__ import annotations

import struct
import tracemalloc
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from contracts.system_map import System, load
from services.deletion.domain import Backup, Exit, due, register_backup
from services.deletion.domain import catalogue as rules
from services.deletion.domain.catalogue import Finding, Found
from shared.backups import Seen, Set
from shared.backups.disk import Folder
from shared.backups.dumps import MongoDumps
from shared.backups.model import Answer
from shared.drawing.expiry import Point

DELETED = date(2026, 10, 1)
LIMIT = date(2027, 4, 1)
BEGUN = {"plads": DELETED}
EXIT = Exit("e", map_digest="0" * 64, systems={"plads": "2"})


def a_set(number: int, expires: date, *, taken: date | None = None) -> Backup:
    name = f"s{number}"
    return Backup("e", "plads", name, taken or DELETED - timedelta(number), expires, identity=(f"content of {name}",))


def test_six_months_of_sets_rolling_over_with_a_late_a_forgotten_and_a_misdated_one() -> None:
    rolling = [a_set(number, DELETED + timedelta(180 - 30 * number)) for number in range(6)]
    late, forgotten = a_set(10, DELETED + timedelta(20)), a_set(11, DELETED + timedelta(400))
    misdated = a_set(12, DELETED + timedelta(60), taken=date(2026, 1, 1))
    known = [*rolling, late, forgotten, misdated]
    removed = {each.set_id: each.expires_on for each in known} | {"s10": DELETED + timedelta(45), "s11": date.max}
    escalated: dict[str, list[int]] = {}
    today = DELETED
    while today <= DELETED + timedelta(200):
        today += timedelta(1)
        for each in due(known, today, rules.limits(BEGUN)):
            answer = "GONE" if removed[each.set_id] < today else "PRESENT"
            seen = replace(each, answer=answer, observed_on=today)
            known[known.index(each)] = seen
            how = rules.stand(seen, LIMIT, today)
            if rules.escalates(how, each.observed_on):
                escalated.setdefault(each.set_id, []).append(how.days_over)
    stands = {each.set_id: each for each in rules.evaluate(known, BEGUN, today)}
    assert escalated == {"s10": [1, 8, 15, 22], "s11": [1, 8, 15]}  # the late one until it goes, the forgotten for good
    assert [name for name, each in stands.items() if each.state != "GONE"] == ["s11"]
    assert (stands["s11"].last_on, stands["s11"].too_late, stands["s11"].days_over) == (LIMIT, True, 19)
    found = Found("plads", "s12", "postgresql", date(2026, 9, 1), True)
    assert rules.findings([found], known, BEGUN) == [
        Finding("plads", "s12", "DATED_OTHERWISE", "postgresql", date(2026, 9, 1))
    ]
    last = rules.curve(known, BEGUN, today)[-1]
    assert (last.on, last.planned, last.seen) == (today, 0, 1)


def test_the_six_months_count_from_the_first_deletion_and_end_with_the_month() -> None:
    assert rules.limits({"a": date(2026, 8, 31), "b": date(2026, 10, 1)}) == {"a": date(2027, 2, 28), "b": LIMIT}
    forever = a_set(1, date(2040, 1, 1))
    assert due([forever], LIMIT, rules.limits(BEGUN)) == []
    assert due([forever], LIMIT + timedelta(1), rules.limits(BEGUN)) == [forever]


def test_an_error_is_no_absence_however_long_ago_its_day_is() -> None:
    unseen = replace(a_set(1, DELETED), answer="ERROR", observed_on=LIMIT)
    assert rules.stand(unseen, LIMIT, LIMIT).state == "UNSEEN"
    assert rules.curve([unseen], BEGUN, LIMIT)[-1].seen == 1


@pytest.mark.parametrize(
    ("found", "finding"),
    [
        (Found("plads", "new", "postgresql", DELETED), "UNCATALOGUED"),
        (Found("plads", "new", "unknown", None), "UNCATALOGUED"),
        (Found("plads", "new", "postgresql", DELETED + timedelta(2)), ""),  # taken after the deletion was verified
        (Found("plads", "renamed", "postgresql", None, identity=("content of s1",)), ""),
        (Found("plads", "s1", "postgresql", DELETED, certain=True), ""),  # a day apart: another time zone
        (Found("plads", "s1", "postgresql", DELETED + timedelta(9)), ""),  # a file's time says nothing
        (Found("plads", "s1", "postgresql", DELETED + timedelta(9), certain=True), "DATED_OTHERWISE"),
        (Found("andet", "s1", "postgresql", DELETED), "UNCATALOGUED"),
    ],
)
def test_what_is_there_is_held_against_the_catalogue(found: Found, finding: str) -> None:
    told = rules.findings([found], [a_set(1, LIMIT)], {"plads": DELETED + timedelta(1)})
    assert [each.finding for each in told] == ([finding] if finding else [])


def test_before_the_deletion_is_verified_every_set_beside_the_catalogue_counts() -> None:
    (told,) = rules.findings([Found("plads", "new", "postgresql", date(2030, 1, 1))], [], {})
    assert told.finding == "UNCATALOGUED"


def test_what_was_due_on_a_day_without_a_look_is_escalated_at_the_next_one_and_once_a_week() -> None:
    looks = [(None, 4), (4, 4), (4, 7), (7, 9), (9, 30)]  # registered late; twice a day; nobody looked for a while
    backup = a_set(1, DELETED)

    def told(before: int | None, days: int) -> bool:
        how = rules.stand(backup, LIMIT, DELETED + timedelta(days))
        return rules.escalates(how, None if before is None else DELETED + timedelta(before))

    assert [told(*look) for look in looks] == [True, False, False, True, True]


def test_a_set_is_dated_anew_only_to_the_day_that_its_content_says() -> None:
    known = replace(a_set(1, LIMIT), content_on=date(2026, 9, 9))
    right = Backup("e", "plads", "s1", date(2026, 9, 9), date(2027, 3, 1))
    assert register_backup(EXIT, right, known) == replace(
        known, taken_on=date(2026, 9, 9), expires_on=date(2027, 3, 1), content_on=None
    )
    with pytest.raises(Rejected, match="BACKUP_ALREADY_REGISTERED"):
        register_backup(EXIT, replace(right, taken_on=date(2026, 9, 8)), known)


DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(st.lists(st.tuples(DAYS, st.sampled_from(["GONE", "PRESENT", "ERROR", "NOT_LOOKED"]), DAYS), min_size=1), DAYS)
def test_the_curve_never_rises_and_never_shows_fewer_sets_than_were_not_seen_to_be_gone(
    rows: list[tuple[date, str, date]], today: date
) -> None:
    sets = [
        Backup("e", "plads", f"s{at}", date(2026, 1, 1), expires, answer, min(seen, today))
        for at, (expires, answer, seen) in enumerate(rows)
    ]
    points = rules.curve(sets, BEGUN, today)
    seen = [each.seen for each in points if each.seen is not None]
    assert sorted(seen, reverse=True) == seen
    assert sorted((each.planned for each in points), reverse=True) == [each.planned for each in points]
    assert seen[-1] == sum(each.answer != "GONE" for each in sets)
    assert points[-1].planned == 0 or points[-1].on == today
    assert all(isinstance(each, Point) for each in points)


def a_map(folder: Path, backups: str) -> System:
    text = f"""
version: 1
systems:
  booking:
    title: Booking
    kind: files
    deletion: 1
    tenant: "{{tenant}}"
    connection: {{folder: booking}}
    places: {{aftaler: {{tenant_key: folder}}}}
    backups: {backups}
"""
    (folder / "map.yaml").write_text(text)
    return load(folder / "map.yaml").system("booking")


def test_the_map_names_a_folder_or_a_list_of_sources(tmp_path: Path) -> None:
    assert a_map(tmp_path, "{folder: b}").backups == str(tmp_path / "b")
    first, second = a_map(
        tmp_path, "[{kind: pgbackrest, info: i.json, stanza: m}, {kind: binlog, folder: l, retention_days: 9}]"
    ).sources
    assert (first.info, first.stream, second.folder, second.stream) == (
        str(tmp_path / "i.json"), False, str(tmp_path / "l"), True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("backups", "code", "field"),
    [
        ("[{kind: tape}]", "MAP_FIELD_INVALID", "backups.0.kind"),
        ("[{kind: mongodump}]", "MAP_FIELD_MISSING", "backups.0.folder"),
        ("[{kind: snapshots, folder: s, pattern: daily}]", "MAP_FIELD_INVALID", "backups.0.pattern"),
        ("[{kind: binlog, folder: s}]", "MAP_FIELD_MISSING", "backups.0.retention_days"),
        ("[{kind: wal, retention_days: 3}]", "MAP_FIELD_MISSING", "backups.0.folder"),
        ("[{kind: mongodump, folder: s, stanza: m}]", "MAP_UNKNOWN_FIELD", "backups.0.stanza"),
        ("{folders: s}", "MAP_UNKNOWN_FIELD", "backups.folders"),
        ("{}", "MAP_FIELD_MISSING", "backups.folder"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused_by_its_field(
    tmp_path: Path, backups: str, code: str, field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        a_map(tmp_path, backups)
    assert (caught.value.code, caught.value.field) == (code, f"systems.booking.{field}")


def test_a_copy_of_what_did_not_change_goes_with_its_own_name_and_not_with_its_equals() -> None:
    """Two nights without a change give two sets of one content; content under a strange name is still a copy."""
    older, newer = (Set(name, "postgresql", DELETED, ("one content",)) for name in ("older", "newer"))
    strange, other = replace(older, set_id="kept"), replace(newer, identity=("another content",))

    def answer(*found: Set, newer_is: Set = newer) -> Answer:
        return Seen(found, (), {}).answers([older], [older, newer_is])["older"]

    assert (answer(newer), answer(older, newer), answer()) == (Answer.GONE, Answer.PRESENT, Answer.GONE)
    assert answer(newer, strange) == Answer.PRESENT
    assert answer(newer, newer_is=other) == Answer.PRESENT  # it was renamed over the newer one


def test_of_a_dumped_oplog_no_more_than_its_end_is_read(tmp_path: Path) -> None:
    with (tmp_path / "catalogue.json").open("w") as anchor:
        anchor.write("{}")
    (tmp_path / "dump").mkdir()
    with (tmp_path / "dump" / "oplog.bson").open("wb") as oplog:
        oplog.truncate(256 << 20)  # sparse
        oplog.seek(0, 2)
        oplog.write(b"\x11ts\x00" + struct.pack("<II", 1, 1_790_000_000) + bytes(8))
    tracemalloc.start()
    (found,) = MongoDumps(Folder(tmp_path)).sets()
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.taken_on, found.certain) == (date(2026, 9, 21), True)
    assert held < 16 << 20
