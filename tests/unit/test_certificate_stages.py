"""Every stage beside the deletion: when it is refused, what it says, and that each forgery fails for its own reason."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from services.compliance import domain
from services.compliance.documents import document
from services.compliance.documents.statement import statement
from services.compliance.signing.envelope import canonical
from services.compliance.verifier.ophor_verify import Options, verify
from tests.unit import evidence_world as given
from tests.unit import stage_world as stages
from tests.unit.evidence_world import Certificate, Event, World, issue
from tests.unit.stage_world import CLOSED, HANDED, LETTER

WITHDRAWN, FIXED = domain.REVOCATION, domain.CORRECTION


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def world(folder: Path, events: list[Event] | None = None) -> World:
    return World(folder).told(given.deleted_exit() if events is None else events)


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, Certificate]:
    """One true document of every stage, each drawn when it could be."""
    there = world(folder)
    found = {stage: stages.drawn(stages.draft(there, stage), there) for stage in (HANDED, CLOSED)}
    there = world(folder)
    first = issue(there, statement(stages.draft(there, domain.ACTIVE, serial=1)))
    stages.issued(there, first)
    fixed = stages.drawn(stages.corrected(there, first), there)
    stages.issued(there, fixed)
    former = stages.revoked(there, fixed)
    found |= {
        FIXED: fixed,
        WITHDRAWN: stages.drawn(stages.draft(there, WITHDRAWN, "2026-10-08", former=former, serial=3), there),
        LETTER: stages.drawn(stages.draft(there, LETTER, "2026-10-15", serial=1), there),
    }
    return found


def failed(certificate: Certificate, data: bytes | None = None) -> dict[int, str]:
    options = Options(keys=given.keys(certificate.world), rehearsal=True)
    report = verify(data or certificate.bundle, options)
    assert not report.malformed
    return {one.n: one.detail for one in report.checks if one.result == "FAILED"}


def as_it_was(certificate: Certificate) -> World:
    """Give the world cut back to the size that the document states, so that it can be bundled anew."""
    size = certificate.statement["predicate"]["log"]["size"]
    cut = World(certificate.world.folder)
    log = certificate.world.log
    cut.log.leaves, cut.log.mine = log.leaves[:size], [one for one in log.mine if one < size]
    cut.log.nodes = {key: node for key, node in log.nodes.items() if (key[1] + 1) << key[0] <= size}
    cut.log.heads = {at: note for at, note in log.heads.items() if at <= size}
    return cut


@pytest.mark.parametrize("stage", [HANDED, CLOSED, FIXED, WITHDRAWN, LETTER])
def test_every_stage_verifies_in_all_forms(made: dict[str, Certificate], stage: str) -> None:
    for form in ("bundle", "pdf", "dsse"):
        assert failed(made[stage], getattr(made[stage], form)) == {}


@pytest.mark.parametrize("stage", [HANDED, CLOSED, LETTER])
def test_a_document_that_deletes_nothing_says_nothing_of_deletion(made: dict[str, Certificate], stage: str) -> None:
    said = made[stage].statement["predicate"]
    words = " ".join(said["wording"]["da"] + said["wording"]["en"])
    assert (
        "er permanent" not in words
        and "is permanent" not in words
        and "rækker i" not in words.replace("53 rækker i", "")
    )
    assert "DELETION" in {one["code"] for one in said["not_covered"]}


def test_the_same_log_gives_the_same_statement_and_the_same_page(folder: Path) -> None:
    there = world(folder)
    for stage in (HANDED, CLOSED, LETTER):
        first, second = (statement(stages.draft(there, stage)) for _ in range(2))
        assert canonical(first) == canonical(second)
    body = canonical(first)
    pages = [document.render(first["predicate"], body, document.digest_of(body)) for _ in range(2)]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("english", [False, True])
@pytest.mark.parametrize("stage", [HANDED, CLOSED, FIXED, WITHDRAWN, LETTER])
def test_every_stage_has_a_page_in_both_languages(made: dict[str, Certificate], stage: str, english: bool) -> None:
    said = made[stage].statement["predicate"]
    html = document.page(said, "0" * 64, english=english)
    for sentence in said["wording"]["en" if english else "da"]:
        assert escape(sentence) in html
    title = {HANDED: ("Bevis for overdragelse", "Certificate of delivery"), LETTER: ("Statusbrev", "Status letter"),
             CLOSED: ("Bevis for lukket adgang", "Certificate of closed"), FIXED: ("Slettebevis", "Deletion cert"),
             WITHDRAWN: ("Tilbagekaldelse", "Revocation")}[stage]  # fmt: skip
    assert title[english] in html and "ØVELSE" in html


# Refusals.


def without(*wires: str) -> list[Event]:
    return [one for one in given.deleted_exit() if one[0] not in wires]


def changed(wire: str, **more: Any) -> list[Event]:
    return [(name, data | more if name == wire else data) for name, data in given.deleted_exit()]


def frozen_again() -> list[Event]:
    line = {"system": "morgenvagt", "state": "frozen", "grants": 3, "verified": True, "on": "2026-10-06"}
    told = {"exit_id": given.EXIT, "activity": "C5", "systems": [line], "on": "2026-10-06"}
    return [*given.deleted_exit(), ("access.access_frozen", told)]


def unseen() -> list[Event]:
    events = copy.deepcopy(given.deleted_exit())
    for wire, data in events:
        if wire == "access.access_closed":
            data["systems"][0].update(verified=False)
    return events


REFUSED: list[tuple[str, Callable[[], list[Event]], set[str]]] = [
    (HANDED, lambda: without("delivery.delivery_accepted"), {"DELIVERY_NOT_ACCEPTED"}),
    (HANDED, lambda: without("delivery.dispatch_set"), {"DISPATCH_MISSING"}),
    (HANDED, lambda: changed("delivery.dispatch_set", transfer_instruction_digest=None), {"TRANSFER_NOT_INSTRUCTED"}),
    (HANDED, lambda: changed("delivery.package_delivered", rows=54), {"DELIVERY_SUM_WRONG"}),
    (HANDED, lambda: changed("delivery.delivery_accepted", package_digest=given.sha("x")), {"RECEIPT_DIFFERS"}),
    (HANDED, lambda: [*given.deleted_exit(), given.rejection()], {"DELIVERY_REJECTED"}),
    (CLOSED, lambda: without("access.access_closed"), {"ACCESS_NOT_CLOSED"}),
    (CLOSED, frozen_again, {"ACCESS_NOT_CLOSED"}),
    (CLOSED, unseen, {"ACCESS_NOT_VERIFIED"}),
    (CLOSED, lambda: without("scheduling.plan_made"), {"PLAN_MISSING"}),
    (domain.REDELETION, given.deleted_exit, {"RESTORE_NOT_EVIDENCED"}),
    (LETTER, lambda: without("orders.order_placed"), {"ORDER_MISSING"}),
    (LETTER, lambda: without("scheduling.plan_made", "delivery.package_delivered"), set()),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "events", "codes"), REFUSED)
def test_a_stage_is_refused_for_what_it_lacks_and_for_nothing_else(
    folder: Path, stage: str, events: Callable[[], list[Event]], codes: set[str]
) -> None:
    assert set(world(folder, events()).refusals(stage)) == codes


def test_four_reasons_are_told_at_once(folder: Path) -> None:
    events = [one for one in changed("delivery.package_delivered", rows=54) if one[0] != "delivery.dispatch_set"]
    events = [one for one in events if one[0] != "delivery.delivery_accepted"]
    found = world(folder, events).refusals(HANDED, named=False)
    assert found == ["PARTIES_MISSING", "DISPATCH_MISSING", "DELIVERY_SUM_WRONG", "DELIVERY_NOT_ACCEPTED"]
    four = world(folder, [*frozen_again(), *given.hold("morgenvagt"), given.proposal()]).refusals(held=1)
    assert set(four) == {"EVIDENCE_HELD", "PROPOSAL_OPEN", "HELD", "ACCESS_NOT_CLOSED"}


# Forgeries, signed with the true keys.

FORGED: list[tuple[str, str, Callable[[dict[str, Any]], Any], int, str]] = [
    (HANDED, "no receipt", lambda p: p["delivery"].update(accepted=None), 15, "without a receipt"),
    (HANDED, "fewer rows", lambda p: p["delivery"]["places"][0].update(rows=1), 13, "rows by place"),
    (HANDED, "a place left out", lambda p: p["delivery"]["places"].pop(), 12, "the systems differ"),
    (HANDED, "another receiver", lambda p: p["delivery"].update(recipient_digest="0" * 64), 16, "recipient_digest"),
    (HANDED, "another signer", lambda p: p["delivery"]["accepted"]["by"].update(actor="usr-x"), 16, "receipt differs"),
    (HANDED, "says deleted", lambda p: p["wording"]["da"].append("Alt er slettet."), 15, "says that something is del"),
    (CLOSED, "left open", lambda p: p["access"]["systems"][0].update(state="open"), 15, "not shown to be closed"),
    (CLOSED, "a system left out", lambda p: p["access"]["systems"].pop(), 12, "unanswered"),
    (CLOSED, "a grant left", lambda p: p["access"]["systems"][0].update(grants=1), 13, "do not add up"),
    (CLOSED, "called attested", lambda p: p["access"]["systems"][0].update(attested=True), 13, "do not add up"),
    (CLOSED, "another day", lambda p: p["access"]["systems"][0].update(on="2026-09-01"), 16, "differs"),
    (FIXED, "skips a version", lambda p: p.update(version=3), 15, "not the version after"),
    (FIXED, "another number", lambda p: p["supersedes"].update(number="ØV-000009"), 15, "another number than its own"),
    (FIXED, "a free reason", lambda p: p["supersedes"].update(reason="BECAUSE"), 15, "not on the closed list"),
    (FIXED, "nothing changed", lambda p: p["supersedes"].update(changed=[]), 15, "changes nothing"),
    (FIXED, "replaces nothing", lambda p: p.update(supersedes=None), 4, "a correction, and only that"),
    (FIXED, "hides the correction", lambda p: p.update(supersedes=None, stage=domain.ACTIVE), 15, "corrects nothing"),
    (FIXED, "of another digest", lambda p: p["supersedes"].update(statement_digest="0" * 64), 15, "not the last"),
    (FIXED, "rows left", lambda p: p["systems"][0]["places"][0].update(residual=1), 13, "rows are left"),
    (WITHDRAWN, "for another reason", lambda p: p["revokes"].update(reason="WRONG_SCOPE"), 16, "the log differs"),
    (WITHDRAWN, "for a free reason", lambda p: p["revokes"].update(reason="BECAUSE"), 15, "not on the closed list"),
    (WITHDRAWN, "of nothing logged", lambda p: p["revokes"].update(statement_digest="0" * 64), 14, "does not know"),
    (WITHDRAWN, "by nobody", lambda p: p["revokes"].update(by=None), 12, "does not say what"),
    (WITHDRAWN, "in silence", lambda p: p["wording"].update(da=["ØVELSE"], en=["ØVELSE"]), 15, "does not say so"),
    (LETTER, "no gate", lambda p: p.update(gates=[]), 12, "no gate says so"),
    (LETTER, "called issued", lambda p: p.update(status="issued"), 4, "status"),
    (LETTER, "called final", lambda p: p["wording"].update(da=["ØVELSE"]), 15, "not called not final"),
    (LETTER, "permanent", lambda p: p["wording"]["en"].append("It is permanent."), 15, 'says "permanent"'),
    (LETTER, "an earlier head", lambda p: p.update(checkpoint="x"), 16, "not a checkpoint"),
    (LETTER, "forgets the revoked", lambda p: p["certificates"][-1].update(revoked=None), 16, "certificates differ"),
    (LETTER, "a certificate's number", lambda p: p.update(number="ØV-000001"), 15, "series and stage"),
    (HANDED, "a re-deletion", lambda p: p.update(stage="RE-DELETION"), 4, "missing: instruction"),
    (CLOSED, "posing as a delivery", lambda p: p.update(stage=HANDED), 4, "missing"),
    (HANDED, "posing as a deletion", lambda p: p.update(stage=domain.ACTIVE), 4, "missing"),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "_name", "change", "n", "why"), FORGED, ids=[f"{one[0]} {one[1]}" for one in FORGED])
def test_a_forged_stage_fails_for_its_own_reason(
    made: dict[str, Certificate], stage: str, _name: str, change: Callable[[dict[str, Any]], Any], n: int, why: str
) -> None:
    body = copy.deepcopy(made[stage].statement)
    change(body["predicate"])
    found = failed(issue(as_it_was(made[stage]), body))
    assert why in found.get(n, ""), found


def test_a_stage_drawn_from_a_log_that_forbids_it_is_rejected(folder: Path) -> None:
    """The service would refuse; an insider signs all the same."""
    for stage, events, n, why in (
        (CLOSED, frozen_again(), 14, "opened again"),
        (HANDED, [*given.deleted_exit(), given.rejection()], 14, "rejected"),
        (HANDED, changed("delivery.dispatch_set", transfer_instruction_digest=None), 14, "without the instruction"),
    ):
        there = world(folder, events)
        assert why in failed(stages.drawn(stages.draft(there, stage), there)).get(n, "")


# Correction and revocation.


def test_a_revoked_or_superseded_certificate_certifies_nothing(folder: Path) -> None:
    there = world(folder, [*given.deleted_exit(), *given.backups_gone()])
    first = issue(there, statement(stages.draft(there, domain.ACTIVE, serial=1)))
    stages.issued(there, first)
    assert there.refusals(domain.EXPIRED, "2027-03-03") == []
    stages.revoked(there, first)
    assert set(there.refusals(domain.EXPIRED, "2027-03-03")) == {"STAGE_BEFORE"}
    follows = {"number": "ØV-000002", "statement_digest": "0" * 64}
    forged = stages.drawn(stages.draft(there, domain.EXPIRED, "2027-03-03", follows=follows), there)
    assert "no ACTIVE-DELETED certificate" in failed(forged)[15]


def test_only_the_last_version_that_counts_is_corrected(folder: Path) -> None:
    there = world(folder)
    first = issue(there, statement(stages.draft(there, domain.ACTIVE, serial=1)))

    def codes() -> set[str]:
        former = stages.former(first, "TITLES")
        asked = domain.Asked(domain.ACTIVE, first_day, (), former)
        known = domain.Known("rehearsal", named=True, log_checks=True, held=0)
        return {one.code for one in domain.refusals(there.log.facts(), asked, known)}

    first_day = stages.draft(there, domain.ACTIVE).issued_on
    assert codes() == {"FORMER_NOT_ISSUED"}
    stages.issued(there, first)
    assert codes() == set()
    second = stages.drawn(stages.corrected(there, first), there)
    assert second.statement["predicate"]["supersedes"]["changed"] == ["controller"]
    stages.issued(there, second)
    assert codes() == {"FORMER_SUPERSEDED"}
    stages.revoked(there, first)
    assert codes() == {"FORMER_SUPERSEDED", "FORMER_REVOKED"}


def test_a_revocation_waits_for_its_evidence(folder: Path) -> None:
    there = world(folder)
    first = issue(there, statement(stages.draft(there, domain.ACTIVE, serial=1)))
    stages.issued(there, first)
    former = stages.former(first, "DATA_FOUND")
    known = domain.Known("rehearsal", named=True, log_checks=True, held=3)
    asked = domain.Asked(WITHDRAWN, stages.draft(there, LETTER).issued_on, (), former)
    assert [one.code for one in domain.refusals(there.log.facts(), asked, known)] == ["REVOCATION_NOT_LOGGED"]
    stages.revoked(there, first)
    assert domain.refusals(there.log.facts(), asked, known) == []


# What it says.


def test_the_letter_names_every_unmet_gate_and_goes_out_without_named_parties(folder: Path) -> None:
    there = world(folder, [given.order(amended=False), *given.preparation()[:3]])
    said = stages.drawn(stages.letter_without_names(there, "2026-10-16"), there)
    assert failed(said) == {}
    gates = {one["code"] for one in said.statement["predicate"]["gates"]}
    assert {"PARTIES_MISSING", "DELIVERY_MISSING", "JOB_MISSING", "ACCESS_NOT_CLOSED", "STAGE_BEFORE"} <= gates
    assert all(one["da"] != one["code"] for one in said.statement["predicate"]["gates"])
    words = " ".join(said.statement["predicate"]["wording"]["da"])
    assert "ikke permanent" in words and "OVERTRÅDT" in words and "IKKE endeligt" in words
    assert said.statement["predicate"]["number"] == "ØV-ST-000001"


def test_a_letter_of_a_finished_exit_has_no_gate(folder: Path) -> None:
    there = world(folder, [*given.deleted_exit(), *given.backups_gone()]).issued()
    said = stages.drawn(stages.draft(there, LETTER, "2027-03-03"), there)
    assert said.statement["predicate"]["gates"] == [] and failed(said) == {}
    assert any("Intet forhold mangler" in one for one in said.statement["predicate"]["wording"]["da"])


def test_what_is_not_covered_follows_from_dispositions_and_goes_with_them(folder: Path) -> None:
    def codes(events: list[Event], stage: str = domain.ACTIVE) -> set[str]:
        there = world(folder, events)
        return {one["code"] for one in statement(stages.draft(there, stage))["predicate"]["not_covered"]}

    full = codes(given.deleted_exit())
    assert {"SHARED_CODE", "MEDIA", "SUCCESSOR_COPY", "not_used", "BACKUPS"} <= full
    bare = copy.deepcopy(given.deleted_exit())
    for wire, data in bare:
        if wire == "orders.order_placed":
            data["places"] = []
        for line in data.get("places", ()) if wire.startswith("deletion.") else ():
            if line["disposition"] == "excluded":
                line.update(disposition="deleted", reason=None)
    assert full - codes(bare) == {"SHARED_CODE", "not_used", "CUSTOMER_POSSESSION"}
    assert "SUCCESSOR_COPY" not in codes([one for one in bare if not one[0].startswith("delivery.")], LETTER)


def test_the_method_is_the_one_that_deletion_told_of_each_place(folder: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    for wire, data in events:
        if wire == "deletion.deletion_verified" and data["activity"] == "D7a":
            data["places"][0]["method"] = "drop"
    there = world(folder, events)
    body = statement(stages.draft(there, domain.ACTIVE, serial=1))
    how = {one["system"]: one["method"] for one in body["predicate"]["systems"]}
    assert how == {"pladsanvisning": "drop", "morgenvagt": "delete", "sagsindeks": "delete"}
    assert "hele stedet fjernet" in document.page(body["predicate"], "0" * 64)
    assert "proof under a lock" in body["predicate"]["outside"]["method"]
    assert failed(issue(there, body)) == {}
    body["predicate"]["systems"][0]["method"] = "delete"
    assert "another method" in failed(issue(there, body))[16]
