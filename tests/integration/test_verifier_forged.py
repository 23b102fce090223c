"""Bundles forged by a dishonest supplier who owns every key and rewrites the log itself: each fails for its own reason.

A forgery is wrong in one thing only, so exactly the named check fails and every other one passes.
"""

from __future__ import annotations

import copy
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from services.compliance import domain
from services.compliance.documents import bundle
from services.compliance.documents.statement import statement
from services.compliance.log import checkpoint
from services.compliance.signing.envelope import canonical
from services.compliance.signing.keys import LOG, load_note
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, Report, verify
from tests.unit import evidence_forge as forging
from tests.unit import evidence_world as given
from tests.unit.evidence_forge import Change, History, Lie, first, forge, shift
from tests.unit.evidence_world import Certificate, World, issue


def drawn(folder: Any, events: list[given.Event], *, issued: bool = False, stage: str = domain.ACTIVE) -> Certificate:
    world = World(folder).told(events)
    if issued:
        world.issued().told(given.backups_gone())
    world.mark()
    return issue(world, statement(world.draft(stage, "2027-03-03" if issued else "2026-10-06")))


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return drawn(tmp_path_factory.mktemp("keys"), given.deleted_exit())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return drawn(tmp_path_factory.mktemp("keys"), given.kept_exit())


@pytest.fixture(scope="module")
def final(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return drawn(tmp_path_factory.mktemp("keys"), given.deleted_exit(), issued=True, stage=domain.EXPIRED)


def judge(certificate: Certificate, data: bytes, **more: Any) -> Report:
    return verify(data, Options(**({"keys": given.keys(certificate.world), "rehearsal": True} | more)))


def failed(report: Report) -> dict[int, str]:
    return {check.n: check.detail for check in report.checks if check.result == "FAILED"}


def test_a_rewritten_log_without_a_lie_verifies(true: Certificate, kept: Certificate, final: Certificate) -> None:
    for certificate in (true, kept, final):
        report = judge(certificate, forge(certificate))
        assert (report.code, failed(report)) == (0, {})


# What the rewritten log says.


def d2(events: History, kind: str) -> dict[str, Any]:
    return first(events, kind, activity="D2")


def same_person(events: History) -> None:
    one, other = d2(events, "DELETION_INTENT")["entry"]["approvals"]
    other["actor"] = one["actor"]


def same_role(events: History) -> None:
    one, other = d2(events, "DELETION_INTENT")["entry"]["approvals"]
    other["role"] = one["role"]


def approved_later(events: History) -> None:
    d2(events, "DELETION_INTENT")["entry"]["approvals"][1]["at"] = "2026-10-04T09:00:00Z"


def as_approved(predicate: dict[str, Any], **changes: str) -> None:
    row = next(one for one in predicate["approvals"] if one["activity"] == "D2")
    row["by"][1] |= changes


def both(predicate: dict[str, Any], events_of: Callable[[list[dict[str, Any]]], Any]) -> None:
    for system in predicate["systems"]:
        events_of(system["places"])


def in_log(events: History, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    change(first(events, "DELETION_VERIFIED", activity="D7a")["entry"]["places"])


def our_reason(places: list[dict[str, Any]]) -> None:
    for one in places:
        if one["reason"] == "SHARED_CODE":
            one["reason"] = "NEEDED_BY_SUPPLIER"


def our_reason_stated(predicate: dict[str, Any]) -> None:
    both(predicate, our_reason)
    for row in predicate["retained"]:
        row["basis"] = next(one["reason"] for system in predicate["systems"] for one in system["places"]
                            if (one["system"], one["place"]) == (row["system"], row["place"]))  # fmt: skip


def less_than_nothing(places: list[dict[str, Any]]) -> None:
    """Forty rows were there and none was deleted: an arrival of minus forty makes the sum agree."""
    for one in places:
        if one["place"] == "barn":
            one.update(arrived=-one["before"], deleted=0)


def one_too_many(places: list[dict[str, Any]]) -> None:
    for one in places:
        if one["place"] == "barn":
            one["before"] += 1


def nothing_deleted(events: History) -> None:
    in_log(events, less_than_nothing)
    batch = first(events, "DELETION_BATCH_CLOSED", activity="D7a", place="barn")["entry"]
    batch.update(deleted=0, planned=0)


def nothing_stated(predicate: dict[str, Any]) -> None:
    both(predicate, less_than_nothing)
    system = next(one for one in predicate["systems"] if one["system"] == "pladsanvisning")
    system["counts"].update(arrived=-40, deleted=0)
    system["deleted_in_all"] = 0


def one_more_stated(predicate: dict[str, Any]) -> None:
    both(predicate, one_too_many)
    next(one for one in predicate["systems"] if one["system"] == "pladsanvisning")["counts"]["before"] += 1


def truth_for_a_number(places: list[dict[str, Any]]) -> None:
    for one in places:
        one["residual"] = False


def a_place_twice(places: list[dict[str, Any]]) -> None:
    places.extend([copy.deepcopy(one) for one in places if one["place"] == "kladde"])


def seen_again(events: History) -> None:
    """The last look at the backup set found it again."""
    first(events, "BACKUP_OBSERVED")["entry"]["answer"] = "PRESENT"


def beside(events: History) -> None:
    """A set was found beside the catalogue before anything was certified."""
    known = first(events, "BACKUP_REGISTERED")
    found = copy.deepcopy(known) | {"kind": "BACKUP_FOUND"}
    found["entry"] = {"system": known["entry"]["system"], "set_id": "ny", "finding": "UNCATALOGUED", "kind": "unknown",
                      "taken_on": None, "on": "2026-10-02"}  # fmt: skip
    events.insert(events.index(known) + 1, found)


def stated_again(predicate: dict[str, Any]) -> None:
    predicate["backups"][0]["answer"] = "PRESENT"
    undone(predicate, "backups_gone", "S2-28.1-d-backups")


def undone(predicate: dict[str, Any], name: str, obligation: str) -> None:
    predicate["dates"] = [one for one in predicate["dates"] if one["name"] != name]
    next(one for one in predicate["obligations"] if one["id"] == obligation)["state"] = "pending"


def looked(predicate: dict[str, Any], **seen: Any) -> None:
    """State what the verifier answered of D2 otherwise, as the log has it."""
    next(one for one in predicate["systems"] if one["activity"] == "D2")["verification"].update(seen)
    if seen.get("result") == "ERROR":
        undone(predicate, "deletion_done", "S2-28.1-d")


def never_registered(predicate: dict[str, Any]) -> None:
    """Without its one set the exit's backups are due as those of its first deletion are."""
    predicate["backups"].pop(0)
    due = min(one["backups_due"] for one in predicate["scope"]["scopes"] if one["backups_due"])
    next(one for one in predicate["dates"] if one["name"] == "backups_due")["date"] = due


def not_suspended(predicate: dict[str, Any]) -> None:
    """Pass a kept system off as one that another certificate covers."""
    gone = predicate["scope"]["suspended"].pop()
    predicate["scope"]["elsewhere"].append({"activity": "D7a", "system": gone["system"]})


def unsaid(predicate: dict[str, Any]) -> None:
    for language, words in (("da", "IKKE slettet"), ("en", "NOT deleted")):
        said = predicate["wording"][language]
        predicate["wording"][language] = [one for one in said if words not in one]


def never(_: Any) -> None:
    """Change nothing."""


# What a statement says of the bytes below the rows, and what the log says of them.


def below(predicate: dict[str, Any], system: str = "pladsanvisning") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = next(one for one in predicate["systems"] if one["system"] == system)["physical"]
    return rows


def below_logged(events: History, activity: str = "D7a") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = first(events, "DELETION_VERIFIED", activity=activity)["entry"]["physical"]
    return rows


def better(rows: list[dict[str, Any]]) -> None:
    """The engine still holds versions, and it is called cleaned."""
    rows[0].update(answer="CLEANED", reason=None)


def nothing_remains(rows: list[dict[str, Any]]) -> None:
    rows[0]["remains"] = []


def from_elsewhere(predicate: dict[str, Any]) -> None:
    """Another system's better answer, in the place of its own."""
    below(predicate, "morgenvagt")[:] = copy.deepcopy(below(predicate))


def at_home(predicate: dict[str, Any]) -> None:
    """Another system's answer, made out as one of its own places'."""
    moved = copy.deepcopy(below(predicate))
    below(predicate, "sagsindeks")[0].update({**moved[0], "system": "sagsindeks", "place": "sager"})


def extra(rows: list[dict[str, Any]]) -> None:
    """Cleaned, where nothing was done."""
    rows.append(copy.deepcopy(rows[0]) | {"place": "kladde"})


def without_answers(predicate: dict[str, Any]) -> None:
    for system in predicate["systems"]:
        system.pop("physical", None)


def purged(predicate: dict[str, Any]) -> None:
    predicate["systems"][0]["nist_800_88"] = "PURGE"


BELOW: list[tuple[str, Change, Lie, str]] = [
    ("an answer changed to better", never, lambda p: better(below(p, "morgenvagt")), "can never promise"),
    ("held versions called cleaned in the log too", lambda e: better(below_logged(e, "D2")),
     lambda p: better(below(p, "morgenvagt")), "can never promise"),
    ("fewer dead rows than the log has", never, lambda p: below(p)[0].update(before=1), "another before"),
    ("a failed cleaning called done", lambda e: below_logged(e)[0].update(answer="ERROR", reason="EFFECT_NOT_SEEN"),
     never, "another answer, reason"),
    ("an answer dropped", never, lambda p: below(p).clear(), "of ['barn'] is left out"),
    ("an answer dropped in the log too", lambda e: below_logged(e).clear(), lambda p: below(p).clear(),
     "nothing is said of what lies below"),
    ("all answers dropped", never, without_answers, "answers below the rows are left out"),
    ("an answer doubled", never, lambda p: below(p).append(copy.deepcopy(below(p)[0])), "answered twice"),
    ("an answer doubled in the log", lambda e: below_logged(e).append(copy.deepcopy(below_logged(e)[0])),
     never, "the log answers a place twice"),
    ("an answer from another system", never, from_elsewhere, "stands below the rows of morgenvagt"),
    ("another system's answer under its own name", never, at_home, "the log says another after, answer"),
    ("another system's answer in the log", lambda e: below_logged(e, "D2").append(copy.deepcopy(below_logged(e)[0])),
     never, "of another system"),
    ("a place cleaned that nobody cleaned", never, lambda p: extra(below(p)), "the log knows nothing"),
    ("cleaned, and nothing remains", lambda e: nothing_remains(below_logged(e)), lambda p: nothing_remains(below(p)),
     "without where bytes may still lie"),
    ("held for no reason", lambda e: below_logged(e, "D2")[0].update(reason=None),
     lambda p: below(p, "morgenvagt")[0].update(reason=None), "held without a reason"),
    ("a figure of what was not looked at", lambda e: below_logged(e, "C7")[0].update(after=0),
     lambda p: below(p, "sagsindeks")[0].update(after=0), "figures of what nobody looked at"),
    ("done, and not asked for", lambda e: below_logged(e)[0].update(asked="none"),
     lambda p: below(p)[0].update(asked="none"), "not asked for"),
    ("an answer of its own invention", lambda e: below_logged(e)[0].update(remains=["NOWHERE"]),
     lambda p: below(p)[0].update(remains=["NOWHERE"]), "closed list"),
    ("a NIST class for deleted rows", never, purged, "nobody attested"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "lie", "reason"), [one[1:] for one in BELOW], ids=[one[0] for one in BELOW])
def test_a_forgery_below_the_rows_fails_for_its_own_reason_and_no_other(
    true: Certificate, change: Change, lie: Lie, reason: str
) -> None:
    report = judge(true, forge(true, change, lie))
    assert report.code == 1 and failed(report).keys() == {22} and reason in failed(report)[22], failed(report)


def test_a_log_from_before_anybody_looked_below_the_rows_claims_nothing_there(true: Certificate) -> None:
    def older(events: History) -> None:
        for one in events:
            one["entry"].pop("physical", None)

    report = judge(true, forge(true, older, without_answers))
    assert (report.code, failed(report)) == (0, {})
    assert failed(judge(true, forge(true, older))).keys() == {22}, "and what is claimed all the same has no ground"


FORGED: list[tuple[str, str, Change, Lie, int, str]] = [
    ("intent after the outcome", "true",
     lambda e: shift(e, d2(e, "DELETION_EXECUTED"), d2(e, "DELETION_INTENT")) or
     shift(e, d2(e, "DELETION_BEGUN"), d2(e, "DELETION_INTENT")) or
     shift(e, d2(e, "DELETION_BATCH_CLOSED"), d2(e, "DELETION_INTENT")),
     never, 14, "destroyed before intent and approvals"),
    ("the permit before the approvals", "true",
     lambda e: shift(e, d2(e, "PERMIT_ISSUED"), d2(e, "DELETION_INTENT")), never, 14, "without a permit"),
    ("verified before the last destruction", "true",
     lambda e: shift(e, d2(e, "DELETION_VERIFIED"), d2(e, "DELETION_BATCH_CLOSED")), never, 14,
     "after the verification"),
    ("verified before the end", "true",
     lambda e: shift(e, d2(e, "DELETION_VERIFIED"), d2(e, "DELETION_EXECUTED")), never, 14, "verified before the end"),
    ("one person approved twice", "true", same_person, lambda p: as_approved(p, actor="usr-a"), 14, "two people"),
    ("one role approved twice", "true", same_role, lambda p: as_approved(p, role="kommune_godkender"), 14,
     "two people in two roles"),
    ("approved after the destruction by the clock", "true", approved_later,
     lambda p: as_approved(p, at="2026-10-04T09:00:00Z"), 14, "approved after"),
    ("another plan permitted", "true", lambda e: d2(e, "PERMIT_ISSUED")["entry"].update(plan_digest="0" * 64), never,
     14, "another plan"),
    ("no inventory before the destruction", "true",
     lambda e: shift(e, d2(e, "DELETION_BATCH_CLOSED"), d2(e, "DELETION_PREVIEWED")), never, 14, "destroyed before"),
    ("an instruction for something else", "true",
     lambda e: first(e, "INSTRUCTION_GIVEN")["entry"].update(kind="return"),
     lambda p: p["instruction"].update(kind="return"), 14,
     "no instruction"),
    ("excluded for a reason of our own", "true", lambda e: in_log(e, our_reason), our_reason_stated, 12,
     "closed list"),
    ("the verifier answered ERROR", "true", lambda e: d2(e, "DELETION_VERIFIED")["entry"].update(result="ERROR"),
     lambda p: looked(p, result="ERROR"), 12, "ERROR"),
    ("a place answered twice", "true", lambda e: in_log(e, a_place_twice),
     lambda p: both(p, a_place_twice), 12, "twice"),
    ("a suspended system missing on page one", "kept", never, not_suspended, 12, "suspended systems differ"),
    ("the words of a suspension left out", "kept", never, unsaid, 15, "suspended"),
    ("counts that do not add up", "true", lambda e: in_log(e, one_too_many), one_more_stated, 13, "do not add up"),
    ("an arrival of less than nothing", "true", nothing_deleted, nothing_stated, 13, "not a count"),
    ("a truth value for a count", "true", lambda e: in_log(e, truth_for_a_number),
     lambda p: both(p, truth_for_a_number), 13, "not a count"),
    ("probes found afterwards", "true", lambda e: d2(e, "DELETION_VERIFIED")["entry"].update(probes_found_after=1),
     lambda p: looked(p, probes_found_after=1), 13, "probes were found"),
    ("a search that finds nothing anyway", "true",
     lambda e: d2(e, "DELETION_VERIFIED")["entry"].update(probes_found_before=0),
     lambda p: looked(p, probes_found_before=0), 13, "blind"),
    ("what is kept left out", "true", never, lambda p: p["retained"].clear(), 16, "retained differs"),
    ("access called otherwise", "true", never, lambda p: p["access"]["systems"][0].update(grants=1), 16,
     "access differs"),
    ("another decision of the archive", "true", never, lambda p: p["archive"][0].update(decided_on="2026-08-01"), 16,
     "archive's decision differs"),
    ("a receipt of another day", "true", never, lambda p: p["delivery"]["accepted"].update(on="2026-09-30"), 16,
     "its receipt"),
    ("a set beside the catalogue", "true", beside, never, 15, "beside the catalogue"),
    ("a backup set seen again", "final", seen_again, stated_again, 15, "not gone"),
    ("the final stage without the first", "final", lambda e: e.remove(first(e, "CERTIFICATE_ISSUED")), never, 15,
     "no ACTIVE-DELETED"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("which", "change", "lie", "n", "reason"), [one[1:] for one in FORGED], ids=[one[0] for one in FORGED]
)
def test_a_forged_history_fails_for_its_own_reason_and_no_other(
    request: pytest.FixtureRequest, which: str, change: Change, lie: Lie, n: int, reason: str
) -> None:
    certificate: Certificate = request.getfixturevalue(which)
    report = judge(certificate, forge(certificate, change, lie))
    assert report.code == 1 and failed(report).keys() == {n} and reason in failed(report)[n], failed(report)


# The log against what was given out before.


def test_an_entry_struck_from_the_whole_log_is_known_by_the_head_that_was_given_out(true: Certificate) -> None:
    def strike(events: History) -> None:
        events.remove(first(events, "BACKUP_REGISTERED"))

    given_out = list(true.world.log.heads.values())
    data = forge(true, strike, never_registered)
    assert judge(true, data).code == 0, "nothing inside can tell"
    assert failed(judge(true, data, heads=given_out)).keys() == {11}


def test_a_log_under_another_key_is_not_the_one_whose_heads_and_keys_were_given(true: Certificate) -> None:
    log, moved = forging.rewritten(true, never)
    made = copy.deepcopy(true.statement)
    forging.at_log(made["predicate"], log, moved)
    other = World(true.world.folder / "other")
    made["predicate"]["log"]["key"] = other.public.log.replace("ovelse-", "ovelse-ny-")
    key = ophor_verify.note_key
    with pytest.raises(ophor_verify.Failed, match="hash does not match"):
        key(made["predicate"]["log"]["key"])
    swapped = load_note(other.folder / "ledger", LOG)
    made["predicate"]["log"]["key"] = swapped.vkey
    log.heads[log.size] = checkpoint.sign(log.origin, log.size, log.head().root, swapped)
    data = forging.bundle_of(true, canonical(made), log)
    assert "another key under the name" in failed(judge(true, data))[6]
    two = [true.world.public.seal, true.world.public.sign]
    report = judge(true, data, keys=two)
    assert report.code == 3 and "the log's key" in next(one.detail for one in report.checks if one.n == 6)
    given_out = list(true.world.log.heads.values())
    assert 11 in failed(judge(true, data, keys=two, heads=given_out))


# Numbers that are too big to be followed, and files that are not what they look like.


@pytest.mark.parametrize("size", [2**53 - 1, 2**40, 10_000_000])
def test_a_log_of_an_impossible_size_fails_at_once(true: Certificate, size: int) -> None:
    log, moved = forging.rewritten(true, never)
    made = copy.deepcopy(true.statement)
    forging.at_log(made["predicate"], log, moved)
    made["predicate"]["log"]["size"] = size
    key = load_note(true.world.folder / "ledger", LOG)
    log.heads[size] = checkpoint.sign(log.origin, size, log.head().root, key)
    members = bundle.members({}, bundle.Proven(log.size, log.nodes, {}, {}), true.world.public)
    members[f"checkpoints/{size:012d}.txt"] = log.heads[size].encode()
    with pytest.raises(ophor_verify.Failed, match="tiles are missing or too many"):
        ophor_verify.check_consistency(members, made["predicate"], [], [])
    made["predicate"]["log"]["size"] = str(size)
    with pytest.raises(ophor_verify.Failed, match="size"):
        ophor_verify.check_consistency(members, made["predicate"], [], [])


def entry(data: bytes, name: bytes, at: int) -> tuple[int, int]:
    """Give where a member's record in the zip's directory begins, and its field `at`."""
    start = data.index(b"PK\x01\x02", data.rindex(name) - 46)
    return start, start + at


def with_field(data: bytes, name: bytes, at: int, value: bytes) -> bytes:
    _, place = entry(data, name, at)
    return data[:place] + value + data[place + len(value) :]


ZIPS: list[tuple[str, Callable[[Certificate], bytes], str]] = [
    ("a symbolic link", lambda it: with_field(
        with_field(it.bundle, b"VERIFY.md", 4, struct.pack("<H", 3 << 8 | 20)),
        b"VERIFY.md", 38, struct.pack("<I", 0o120777 << 16)), "canonical zip"),
    ("a folder", lambda it: bundle.write_zip(it.members | {"evidence/": b""}), "path refused"),
    ("a backslash", lambda it: bundle.write_zip(it.members | {"..\\x": b""}), "path refused"),
    ("a NUL in a name", lambda it: bundle.write_zip(it.members | {"VERIFY.md\0.exe": b""}), "path refused"),
    ("a comment", lambda it: it.bundle[:-2] + b"\x02\x00hi", "canonical zip"),
    ("an encrypted member", lambda it: it.bundle.replace(
        struct.pack("<3H", 20, 0x0800, 0), struct.pack("<3H", 20, 0x0801, 0)), "canonical zip"),
    ("a directory that names another member", lambda it: it.bundle[: it.bundle.rindex(b"VERIFY.md")] +
     it.bundle[it.bundle.rindex(b"VERIFY.md"):].replace(b"VERIFY.md", b"VERIFZ.md"), "canonical zip"),
    ("a member of four gigabytes", lambda it: it.bundle[:18] + b"\xff" * 8 + it.bundle[26:], "cut off"),
    ("a member twice", lambda it: it.bundle[: it.bundle.index(b"PK\x03\x04", 4)] + it.bundle, "member twice"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "reason"), [one[1:] for one in ZIPS], ids=[one[0] for one in ZIPS])
def test_a_zip_that_another_reader_could_read_otherwise_is_refused(
    true: Certificate, make: Callable[[Certificate], bytes], reason: str
) -> None:
    data = make(true)
    assert data != true.bundle
    report = judge(true, data)
    assert report.code == 2 and reason in report.malformed, report.malformed


def sealed_like(dsse: bytes) -> bytes:
    """Write what the verifier's reader takes for a sealed PDF with `dsse` embedded; the seal itself is empty."""
    packed = zlib.compress(dsse, 9)
    head = b"%%PDF-1.7\n1 0 obj <</Type /EmbeddedFile /Filter /FlateDecode /Length %d>> stream\n" % len(packed)
    body = head + packed + b"\nendstream endobj\n"
    template = b"<</Sig /ByteRange [0 %010d %010d %010d]/Contents "
    first = len(body) + len(template % (0, 0, 0))
    return body + template % (first, first + 6, 2) + b"<3000>" + b">>"


@pytest.mark.parametrize(
    ("dsse", "reason"),
    [
        (b" " * (64 << 20), "too large"),
        (b"[" + b'"xxxxxxxx",' * 2_000_000 + b"0]", "too large"),
        (b"[" + b"[]," * 900_000 + b"[]]", "too many values"),
        (b"{" + b",".join(b'"%d":0' % n for n in range(600_000)) + b"}", "too many values"),
        (b"[" * 1_000_000, "too many values"),
        (b"[" * 100_000, "DSSE"),
    ],
    ids=["blanks", "lists", "fewer lists", "names", "depth", "less depth"],
)
def test_a_bomb_in_a_pdf_is_refused_before_it_is_read(dsse: bytes, reason: str) -> None:
    report = verify(sealed_like(dsse), Options())
    assert report.code == 2 and reason in report.malformed, report.malformed
