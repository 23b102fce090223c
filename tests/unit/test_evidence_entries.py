"""What may enter the log, and that keys, notes and canonical JSON are what the standards say."""

import base64
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields, validate

from contracts.catalogue import EVENTS, subscribed
from contracts.errors import Rejected
from contracts.registry import check
from services.compliance.evidence import KIND_OF_EVENT, KINDS, checked, entry_of
from services.compliance.log import checkpoint
from services.compliance.signing import keys
from services.compliance.signing.envelope import canonical, pae
from services.compliance.verifier import ophor_verify
from tests.unit import evidence_world as world


def every_field(schema: type) -> Iterator[tuple[str, fields.Field]]:
    for name, field in schema().fields.items():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from ((f"{name}.{path}", deeper) for path, deeper in every_field(type(inner.schema)))
        elif isinstance(inner, fields.Dict):
            yield from ((f"{name}.*", part) for part in (inner.key_field, inner.value_field))
        else:
            yield name, inner


def sample(schema: type) -> dict[str, Any]:
    """Make a valid entry of a closed schema."""
    return {name: _sample(field) for name, field in schema().fields.items()}


def _sample(field: fields.Field) -> Any:
    if isinstance(field, fields.Nested):
        return sample(type(field.schema))
    if isinstance(field, fields.List):
        return [_sample(field.inner)]
    if isinstance(field, fields.Dict):
        return {_sample(field.key_field): _sample(field.value_field)}
    if isinstance(field, fields.Date):
        return "2026-10-01"
    if isinstance(field, fields.Boolean):
        return True
    if isinstance(field, fields.Integer):
        return 1
    tried = ("EVIDENCE", "0" * 64, "12345678", "2026-10-01T00:00:00Z")
    (rule,) = field.validators
    return rule.choices[0] if isinstance(rule, validate.OneOf) else next(one for one in tried if rule.regex.match(one))


def paths(entry: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Name the place of every string that is no date in an entry."""
    if isinstance(entry, dict):
        for name, inner in entry.items():
            yield from paths(inner, (*path, name))
    elif isinstance(entry, list):
        for number, inner in enumerate(entry):
            yield from paths(inner, (*path, number))
    elif isinstance(entry, str):
        yield path


def put(entry: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(entry)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_t13_an_entry_with_an_unknown_field_or_free_text_is_refused(kind: str) -> None:
    entry = sample(KINDS[kind])
    assert checked(kind, entry) == entry
    with pytest.raises(Rejected) as refused:
        checked(kind, entry | {"note": "ringet til Anna"})
    assert (refused.value.code, refused.value.field) == ("EVIDENCE_INVALID", "note")
    names = {"system", "place", "systems", "number"}  # a schema's own names: no CPR number, no control character
    for path in paths(entry):
        named = next(step for step in reversed(path) if isinstance(step, str)) in names
        for text in ["barn 010190-1234"] if named else ["ringet til Anna", "barn 010190-1234"]:
            with pytest.raises(Rejected):
                checked(kind, put(entry, path, text))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_entry_that_lacks_a_field_is_refused(kind: str) -> None:
    entry = sample(KINDS[kind])
    always = {name for name, field in KINDS[kind]._declared_fields.items() if field.required}
    assert always
    for name in always:
        with pytest.raises(Rejected):
            checked(kind, {other: entry[other] for other in entry if other != name})


TEXT_LEFT_OUT = {
    "orders.order_placed": {"systems.title", "tenant"},
    "orders.notice_given": {"clause"},
    "scheduling.plan_made": {"obligations.clause", "obligations.rule"},
    "scheduling.permit_issued": {"valid_until"},
    "scheduling.obligation_changed": {"clause"},
    "deletion.deletion_stopped": {"field"},
}


def test_evidence_is_the_event_without_its_exit_and_its_text() -> None:
    for wire, kind in KIND_OF_EVENT.items():
        there = {name for name, _ in every_field(EVENTS[wire].schema)}
        kept = {name for name, _ in every_field(KINDS[kind])}
        assert there - kept == TEXT_LEFT_OUT.get(wire, set()) | {"exit_id"}, wire
        assert kept <= there


def test_each_event_has_a_kind_of_its_own() -> None:
    assert len(set(KIND_OF_EVENT.values())) == len(KIND_OF_EVENT)
    assert set(KIND_OF_EVENT.values()) < set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_t13_no_kind_of_evidence_has_a_field_for_free_text(kind: str) -> None:
    for name, field in every_field(KINDS[kind]):
        if isinstance(field, fields.String) and not isinstance(field, fields.Date):
            rules = [rule for rule in field.validators if isinstance(rule, validate.Regexp | validate.OneOf)]
            assert rules, f"{kind}.{name} takes any text"
        else:
            assert isinstance(field, fields.Date | fields.Integer | fields.Boolean), f"{kind}.{name}"


def test_every_event_told_to_compliance_is_evidence_but_those_that_show_nothing() -> None:
    told = {event.wire for event in subscribed("compliance")}
    timers = {f"compliance.{name}" for name in ("request_look_due", "status_due", "retention_over", "redeletion_due")}
    assert told - set(KIND_OF_EVENT) == {"scheduling.activity_due", *timers}
    assert set(KIND_OF_EVENT) <= told


def test_titles_and_tenant_of_an_order_are_dropped_and_its_counts_and_digests_kept() -> None:
    wire, data = world.order()
    kind, entry = entry_of(wire, check(EVENTS[wire].schema, data, wire))
    text = json.dumps(entry, ensure_ascii=False)
    assert kind == "ORDER_PLACED" and "title" not in text and "tenant" not in text
    assert entry["map_digest"] == world.sha("map") and entry["amendments"][0]["signed_by"] == ["customer", "supplier"]


def test_an_unknown_field_a_text_and_an_unknown_kind_are_refused_by_name() -> None:
    entry = {"system": "barn", "set_id": "pg-1", "answer": "GONE", "expires_on": "2027-03-01", "on": "2027-03-02"}
    assert checked("BACKUP_OBSERVED", entry) == entry
    for wrong in ({"note": "slettet af Anna"}, {"answer": "det er væk"}, {"set_id": "to ord"}, {"on": "i går"}):
        with pytest.raises(Rejected) as refused:
            checked("BACKUP_OBSERVED", entry | wrong)
        assert (refused.value.code, refused.value.field) == ("EVIDENCE_INVALID", next(iter(wrong)))
    with pytest.raises(Rejected):
        checked("GOSSIP", {})


@pytest.mark.parametrize("name", ["barn 010190-1234", "0101901234", "sager/3112991234"])
def test_a_name_in_the_shape_of_a_cpr_number_is_refused(name: str) -> None:
    row = {"system": "barn", "set_id": "pg-1", "answer": "GONE", "expires_on": "2027-03-01", "on": "2027-03-02"}
    with pytest.raises(Rejected) as refused:
        checked("BACKUP_OBSERVED", row | {"system": name})
    assert name not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["barn", "børn_2024", "public.barn", "dokumenter/2024 æøå", "4101901234", "backup-20240101"]
)
def test_names_as_schemas_have_them_are_taken(name: str) -> None:
    row = {"system": name, "set_id": "pg-1", "answer": "GONE", "expires_on": "2027-03-01", "on": "2027-03-02"}
    assert checked("BACKUP_OBSERVED", row)["system"] == name


def test_canonical_json_is_the_same_for_writer_and_verifier() -> None:
    value = {"b": [1, True, None, 'æ\u2028"\\\n\x1f\x7f'], "a": {"ø": -5, "z": "", "\U0001f600": 2**53 - 1}, "": "€"}
    assert canonical(value) == ophor_verify.canonical(value)
    for wrong in (1.5, float("nan"), [0.0], {"a": 2**60}):
        with pytest.raises(ValueError):
            canonical(wrong)


def test_the_bytes_that_are_signed_are_dsse_s() -> None:
    # the example of the DSSE protocol document
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_published_verifier_key_and_note_are_read() -> None:
    # the example key and note of the signed-note documentation
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    key = ophor_verify.note_key(vkey)
    raw = base64.b64decode(signature)
    assert (key.name, key.id) == ("PeterNeumann", raw[:4])
    assert key.verifies(raw[4:], text.encode())


def test_a_checkpoint_is_read_back_and_another_key_s_is_not_believed(tmp_path: Path) -> None:
    keys.make_demo_keys(tmp_path / "a")
    other = keys.make_demo_keys(tmp_path / "b")
    signer = keys.load_note(tmp_path / "a" / "ledger", keys.LOG)
    note = checkpoint.sign("ovelse-evidence-log", 7, bytes(range(32)), signer)
    parsed = checkpoint.parse(note)
    assert (parsed.origin, parsed.size, parsed.root) == ("ovelse-evidence-log", 7, bytes(range(32)))
    assert ophor_verify.read_head(note, ophor_verify.note_key(signer.vkey)).size == 7
    with pytest.raises(ophor_verify.Failed):
        ophor_verify.read_head(note, ophor_verify.note_key(other.log))


def test_each_process_gets_its_own_private_key_and_only_that(tmp_path: Path) -> None:
    keys.make_demo_keys(tmp_path)
    found = {holder: sorted(path.name for path in (tmp_path / holder).glob("*.pem")) for holder in keys.HOLDERS}
    assert found == {
        "ledger": ["evidence-log.pem"], "seal": ["statement-seal.pem"], "sign": ["statement-sign.pem"],
        "render": ["pdf-seal.pem"], "face": [],
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*.pem"))


def test_making_demo_keys_again_changes_nothing(tmp_path: Path) -> None:
    first = keys.make_demo_keys(tmp_path)
    assert keys.make_demo_keys(tmp_path) == first
    assert (tmp_path / "keys.txt").read_text("utf-8").split() == first.lines()


def test_a_key_that_does_not_match_its_public_half_is_refused(tmp_path: Path) -> None:
    keys.make_demo_keys(tmp_path / "a")
    keys.make_demo_keys(tmp_path / "b")
    (tmp_path / "a" / "seal" / "statement-seal.pem").write_bytes(
        (tmp_path / "b" / "seal" / "statement-seal.pem").read_bytes()
    )
    (tmp_path / "a" / "render" / "pdf-seal.pem").unlink()
    for load in (
        lambda: keys.load_note(tmp_path / "a" / "seal", keys.SEAL),
        lambda: keys.load_seal(tmp_path / "a" / "render"),
        lambda: keys.load_public(tmp_path),
    ):
        with pytest.raises(Rejected) as refused:
            load()
        assert refused.value.code == "EVIDENCE_KEYS_MISSING"
