"""Nobody gets into evidence: names, addresses, CPR numbers and text, tried by the hundred at every place."""

import json
import random
import string
from datetime import date, timedelta
from typing import Any

import pytest

from contracts.catalogue import EVENTS
from contracts.errors import Rejected
from contracts.registry import check
from services.compliance.evidence import KINDS, checked, entry_of
from tests.unit import evidence_world as given
from tests.unit.test_evidence_entries import paths, put, sample

SEED, TRIES = 1471, 4
FIRST = ("Anna", "Søren", "Åse", "Jens Peter", "Fatima", "Émile", "Bjørn-Erik", "李")
LAST = ("Jensen", "Ørsted", "Nygård", "van der Meer", "O'Neill", "Müller", "小龍")
WORDS = ("ringet", "til", "moderen", "om", "barnets", "plads", "hun", "var", "ked", "af", "det", "i", "går")
SCHEMA_NAMES = {"system", "systems", "place", "number"}
"""Places for the names that a customer's own schema or a certificate's series has: no CPR number, no address."""


def name(dice: random.Random) -> str:
    return f"{dice.choice(FIRST)} {dice.choice(LAST)}"


def mail(dice: random.Random) -> str:
    user = dice.choice(FIRST).lower().replace(" ", ".")
    return dice.choice(("{}@{}", "skriv til {}@{}", "<{}@{}>", "MAILTO:{}@{}")).format(user, "korsbæk.kommune.dk")


def cpr(dice: random.Random) -> str:
    born = date(1930, 1, 1) + timedelta(days=dice.randrange(33_000))
    between = dice.choice(("", "-", " ", "–", " - ", ".", "_"))
    around = dice.choice(("{}", "barn {}", "usr_{}", "{}_2", "sager/{}/bilag", "x{}", "cpr:{}", "({})"))
    return around.format(f"{born:%d%m%y}{between}{dice.randrange(10_000):04d}")


def text(dice: random.Random) -> str:
    end = dice.choice((".", "!", " …", "\n", "\0", ""))
    return " ".join(dice.choices(WORDS, k=dice.randrange(3, 30))).capitalize() + end


def noise(dice: random.Random) -> str:
    letters = string.printable + "æøåÆØÅ€\u202e\u2028\0"
    return dice.choice("\n\t\x1b\0") + "".join(dice.choices(letters, k=dice.randrange(1, 80)))


def named(path: tuple[Any, ...]) -> bool:
    return next(step for step in reversed(path) if isinstance(step, str)) in SCHEMA_NAMES


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_t13_no_person_and_no_text_gets_into_any_place_of_any_kind(kind: str) -> None:
    dice, entry = random.Random(f"{SEED}{kind}"), sample(KINDS[kind])
    for path in paths(entry):
        makers = (mail, cpr, noise) if named(path) else (mail, cpr, noise, name, text)
        for make in makers:
            for _ in range(TRIES):
                tried = make(dice)
                with pytest.raises(Rejected) as refused:
                    checked(kind, put(entry, path, tried))
                assert refused.value.code == "EVIDENCE_INVALID" and tried not in str(refused.value), (path, tried)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_t13_nothing_but_a_kind_s_own_fields_gets_in_however_it_is_wrapped(kind: str) -> None:
    dice, entry = random.Random(f"{SEED}{kind}"), sample(KINDS[kind])
    for make in (name, mail, cpr, text):
        tried = make(dice)
        for wrapped in (tried, [tried], {"name": tried}, {tried: 1}, [[tried]]):
            with pytest.raises(Rejected):
                checked(kind, entry | {"note": wrapped})
            for path in paths(entry):
                if wrapped is not tried:
                    with pytest.raises(Rejected):
                        checked(kind, put(entry, path, wrapped))
        with pytest.raises(Rejected):
            checked(kind, entry | {tried: 1})


def test_t13_what_an_event_says_beyond_its_contract_never_reaches_the_entry() -> None:
    dice = random.Random(SEED)
    for wire, data in given.deleted_exit() + given.backups_gone():
        loaded = check(EVENTS[wire].schema, data, wire)
        told = [make(dice) for make in (name, mail, cpr, text)]
        spoiled = loaded | {f"note_{number}": each for number, each in enumerate(told)} | {told[0]: told[1]}
        assert entry_of(wire, spoiled) == entry_of(wire, loaded)
        said = json.dumps(entry_of(wire, spoiled)[1], ensure_ascii=False)
        assert not any(each in said for each in told)


def test_digests_ids_and_dates_are_not_taken_for_persons() -> None:
    dice = random.Random(SEED)
    entry = {"system": "barn", "set_id": "pg-1", "answer": "GONE", "expires_on": "2027-03-01", "on": "2027-03-02"}
    for _ in range(2_000):
        digest = f"{dice.getrandbits(256):064x}"
        uuid = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
        for set_id in (digest, f"job-{uuid}", f"pg-{dice.randrange(10**8):08d}", f"s{dice.randrange(10**14):014d}"):
            assert checked("BACKUP_OBSERVED", entry | {"set_id": set_id})["set_id"] == set_id
