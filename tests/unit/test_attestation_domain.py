"""What has to be attested by the map, whose word counts, and on which days people are reminded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import Rejected
from contracts.roles import CUSTOMER_LEAD, DELETION_OFFICER
from contracts.system_map import System
from contracts.system_map.load import parse
from services.deletion.domain import attestation
from services.deletion.domain.attestation import Line, Word

TODAY = date(2026, 10, 5)


def system(places: dict[str, Any], **more: Any) -> System:
    body = {"title": "Extens", "kind": "manual", "deletion": 2, "tenant": "1", "connection": {"folder": "e"}} | more
    raw = yaml.safe_dump({"version": 1, "systems": {"extens": body | {"places": places}}}).encode()
    return parse(raw, "map.yaml", Path()).system("extens")


def lines(places: dict[str, Any], **more: Any) -> list[Line]:
    return list(attestation.lines_of(system(places, **more)))


def refused(places: dict[str, Any], **more: Any) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        system(places, **more)
    return caught.value.code, caught.value.field


def word(answer: str, *, role: str = DELETION_OFFICER, media_class: str | None = None, day: date = TODAY) -> Word:
    return Word(answer, media_class, "a" * 64, day, "usr-1", role)


def test_t12_what_has_to_be_attested_follows_whose_machine_it_is() -> None:
    found = lines({
        "a": {"attested": "supplier"}, "b": {"attested": "customer"}, "c": {"attested": "subprocessor"},
        "d": {"attested": "supplier", "owner": "customer"}, "e": {"excluded": "CUSTOMER_POSSESSION"},
        "f": {"attested": "supplier", "owner": "supplier", "methods": ["SOFTWARE_REMOVED", "MEDIA_SANITISED"]},
    })  # fmt: skip
    customer_s = ["SOFTWARE_REMOVED", "LICENCE_WITHDRAWN", "DATA_LEFT_WITH_CUSTOMER"]
    said = {name: [one.method for one in found if one.place == name] for name in "abcdef"}
    assert said == {
        "a": ["MEDIA_SANITISED"], "b": customer_s, "c": ["SUBPROCESSOR_CONFIRMED"], "d": customer_s, "e": [],
        "f": ["SOFTWARE_REMOVED", "MEDIA_SANITISED"],
    }  # fmt: skip
    by = {(one.place, one.method): one.by for one in found}
    assert (by["b", "SOFTWARE_REMOVED"], by["d", "SOFTWARE_REMOVED"]) == ("customer", "supplier")
    assert (by["b", "LICENCE_WITHDRAWN"], by["d", "DATA_LEFT_WITH_CUSTOMER"]) == ("supplier", "customer")


def test_a_map_that_cannot_be_is_refused_by_its_field() -> None:
    at = "systems.extens.places.a"
    for owner in ("supplier", "subprocessor"):
        stays = {"attested": "customer", "owner": owner, "methods": ["DATA_LEFT_WITH_CUSTOMER"]}
        assert refused({"a": stays}) == ("MAP_FIELD_INVALID", f"{at}.owner")
    assert refused({"a": {"attested": "supplier", "methods": ["BURNED"]}})[0] == "MAP_FIELD_INVALID"
    assert refused({"a": {"excluded": "NOT_CUSTOMER_DATA", "owner": "supplier"}}) == (
        "MAP_FIELD_INVALID",
        f"{at}.owner",
    )
    for chain in ({"x": {"through": "y"}}, {"x": {"through": "x"}}, {"x": {"through": "y"}, "y": {"through": "x"}}):
        place = {"a": {"attested": "supplier"}}
        assert refused(place, subprocessors=chain) == ("MAP_FIELD_INVALID", "systems.extens.subprocessors.x.through")


def test_a_sub_processor_confirms_after_its_own_chain() -> None:
    chain = {"drift": {}, "hotel": {"through": "drift"}, "bånd": {"through": "hotel"}}
    known = lines({"a": {"attested": "supplier"}}, subprocessors=chain)
    confirmed = "SUBPROCESSOR_CONFIRMED"
    for name, open_ in (("drift", "hotel"), ("hotel", "bånd")):
        with pytest.raises(Rejected, match=f"CHAIN_OPEN.*open are: {open_}"):
            attestation.attest(known, ("extens", None, name, confirmed), word(confirmed), TODAY)
    for name in ("bånd", "hotel", "drift"):
        done = attestation.attest(known, ("extens", None, name, confirmed), word(confirmed), TODAY)
        known = [done if one.key == done.key else one for one in known]
    assert [one.place for one in attestation.left(known)] == ["a"]


def test_a_word_counts_once_by_the_right_role_on_a_day_that_has_come() -> None:
    known = lines({"a": {"attested": "supplier"}})
    key = known[0].key
    said = word("MEDIA_SANITISED", media_class="CLEAR")
    for wrong, code in (
        (replace(said, role=CUSTOMER_LEAD), "WRONG_PARTY"), (replace(said, media_class=None), "MEDIA_CLASS_WRONG"),
        (replace(said, done_on=date(2026, 10, 6)), "DONE_IN_FUTURE"),
    ):  # fmt: skip
        with pytest.raises(Rejected, match=code):
            attestation.attest(known, key, wrong, TODAY)
    done = attestation.attest(known, key, said, TODAY)
    assert attestation.attest([done], key, replace(said, actor="usr-2"), TODAY) == done
    with pytest.raises(Rejected, match="ALREADY_ATTESTED"):
        attestation.attest([done], key, replace(said, digest="b" * 64), TODAY)


def test_people_are_reminded_before_the_day_and_escalated_each_week_after_it() -> None:
    due = date(2026, 10, 15)
    known, new = attestation.asked([], lines({"a": {"attested": "supplier"}}), due)
    assert len(new) == 1 and attestation.asked(known, new, due)[1] == ()
    days, today = [], date(2026, 9, 20)
    while today < date(2026, 11, 1):
        today = attestation.look_on(known, today) or date.max
        days.append(f"{today:%m-%d} {next(iter(attestation.open_on(known, today)))[1]}")
    assert days == [
        "10-01 reminded", "10-08 reminded", "10-12 reminded", "10-14 reminded",
        "10-16 escalated", "10-23 escalated", "10-30 escalated", "11-06 escalated",
    ]  # fmt: skip
    assert "kommune_dpo" in attestation.told_to(known, "escalated")
    assert attestation.told_to(known, "reminded") == [DELETION_OFFICER]
    done = [replace(known[0], word=word("MEDIA_SANITISED", media_class="CLEAR"))]
    assert attestation.look_on(done, TODAY) is None and attestation.attested(done, "extens", "a")
    assert not attestation.attested([], "extens", "a")
