"""The sentences that count: the page only repeats them."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.compliance.documents import texts, texts_stages
from services.compliance.documents.draft import Draft
from services.compliance.documents.sections import attempts
from services.compliance.documents.sections_deletion import attested, scope, system
from services.compliance.documents.sections_stages import closed
from services.compliance.domain import (
    ACCESS,
    DELIVERY,
    EXPIRED,
    REVOCATION,
    STATUS,
    gates,
    silence_deleted,
    standing,
)
from services.compliance.domain.clocks import STANDS_STILL
from services.compliance.domain.parts import last_day
from services.compliance.facts import day, handing, reissues, restores

Said = list[tuple[texts.Both, dict[str, Any]]]
Noun = dict[str, tuple[str, str]]
ROWS: Noun = {"da": ("række", "rækker"), "en": ("row", "rows")}
SYSTEMS: Noun = {"da": ("system", "systemer"), "en": ("system", "systems")}
TIMES: Noun = {"da": ("gang", "gange"), "en": ("time", "times")}


def wording(draft: Draft) -> dict[str, list[str]]:
    """Write the sentences that count; the page only repeats them."""
    makers = {DELIVERY: _delivery, ACCESS: _access, REVOCATION: _revocation, STATUS: _status}
    parts: Said = [(texts.REHEARSAL, {})] if draft.keys.kind == "rehearsal" else []
    if draft.former and draft.stage != REVOCATION:
        parts.append((texts_stages.CORRECTED, _of_former(draft)))
    parts += makers.get(draft.stage, _deletion)(draft)
    return {
        language: [said[language].format(**_written(values, language)) for said, values in parts]
        for language in ("da", "en")
    }


def _deletion(draft: Draft) -> Said:
    facts, stage = draft.facts, draft.stage
    rows = sum(system(draft, line)["deleted_in_all"] for line in draft.covered)
    seen = [line for line in draft.covered if line["kind"] != "manual"]
    values: dict[str, Any] = {"rows": _count(rows, ROWS), "systems": _count(len(seen), SYSTEMS)}
    values |= {"sets": len(facts.sets_of(draft.scopes))}
    values |= {"attested": len(attested(draft)), "undone": len(attempts(facts, draft.scopes))}
    values |= {"on": facts.deleted_on(draft.scopes), "gone": facts.backups_gone_on(draft.scopes)}
    keys = sum(one.ended_by_key for one in facts.sets_of(draft.scopes).values())
    values |= {"keys": keys, "gone_sets": len(facts.sets_of(draft.scopes)) - keys}
    permanent = texts.PERMANENT_KEYS if keys else texts.PERMANENT
    final = texts.BACKUPS_LEFT_OUT if facts.backups_left_out else permanent
    parts = [texts.DELETED if len(seen) == len(draft.covered) else texts.DELETED_SEEN] if seen else []
    parts += [said for said, there in ((texts.ATTESTED, "attested"), (texts.UNDONE, "undone")) if values[there]]
    returned = restores.rows(facts, draft.scopes)
    if returned:
        parts.append(texts_stages.RETURNED)
        again = sum(one["deleted"] for one in returned)
        values |= {"restores": _count(len(returned), TIMES), "again": _count(again, ROWS)}
        values |= {"last": date.fromisoformat(max(one["found_on"] for one in returned))}
    parts.append(final if stage == EXPIRED else texts.NOT_PERMANENT)
    parts += _parts_left(scope(draft))
    if not handing.receipt(facts):
        told = handing.instructed(facts)
        values |= {"instructed": day(told, "given_on") if told else None}
        parts += [texts.INSTRUCTED] if told else [texts.SILENCE] if silence_deleted(facts) else []
    return [(said, values) for said in parts] + _of_28_1(draft)


def _of_28_1(draft: Draft) -> Said:
    stands, due = standing("S2-28.1-d", draft.facts, draft.issued_on), draft.facts.due("S2-28.1-d")
    parts: Said = []
    if due:  # the plan is under S2
        seen = last_day(draft.facts, due, draft.issued_on)
        state = STANDS_STILL if stands.reason == STANDS_STILL else stands.state
        parts.append((texts.STATES_28_1[state], {"due": seen.due}))
        parts += [(texts.STOOD_STILL, {"planned": due, "stood": seen.stood, "due": seen.due})] if seen.stood else []
    return parts + ([(texts.AMENDED, {})] if draft.facts.amendment else [])


def _delivery(draft: Draft) -> Said:
    delivered, accepted = draft.facts.delivered, draft.facts.accepted
    assert delivered and accepted
    entry = delivered.entry
    values = {"package": entry["package_id"], "bytes": entry["package_bytes"], "on": day(delivered, "on")}
    values |= {"rows": entry["rows"], "files": entry["files"], "accepted": day(accepted, "on")}
    return [(texts_stages.DELIVERED, values), (texts_stages.DELIVERED_ONLY, {})]


def _access(draft: Draft) -> Said:
    told = closed(draft)["access"]
    seen = [row["on"] for row in told["systems"] if not row["attested"]]
    values = {**told["counts"], "on": date.fromisoformat(max(seen)) if seen else None}
    values["seen"] = _count(told["counts"]["seen"], SYSTEMS)
    parts: Said = [(texts_stages.CLOSED, values)] if seen else []
    parts += [(texts_stages.CLOSED_BY_PEOPLE, values)] if values["attested"] else []
    left = [one for one in _parts_left(scope(draft)) if one is not texts.SUSPENDED]
    return [*parts, (texts_stages.CLOSED_ONLY, {}), *((one, {}) for one in left)]


def _revocation(draft: Draft) -> Said:
    values = _of_former(draft)
    told = next(one for one in draft.facts.revoked if one.entry["number"] == values["number"]
                and one.entry["version"] == values["former"])  # fmt: skip
    return [(texts_stages.REVOKED, values | {"on": day(told, "on")}), (texts_stages.REVOKED_ONLY, {})]


def _status(draft: Draft) -> Said:
    facts, unmet = draft.facts, gates(draft.facts, draft.asked, draft.known)
    there = {stage for stage, _ in reissues.counting(facts.certificates, facts.revoked)}
    counting = sorted(there - {REVOCATION, STATUS})
    parts: Said = [(texts_stages.NOT_FINAL, {"on": draft.issued_on})]
    parts.append((texts_stages.REACHED, {"stages": ", ".join(counting) or texts_stages.NO_STAGE}))
    parts.append((texts_stages.GATES_OPEN if unmet else texts_stages.GATES_NONE, {"gates": len(unmet)}))
    if standing("S2-28.1-d", facts, draft.issued_on).state != "met":
        parts.append((texts_stages.OPEN_28_1, {}))
    elif facts.certified(EXPIRED) != set(facts.scopes()):
        parts.append((texts.NOT_PERMANENT, {}))
    return parts + _of_28_1(draft)


def _of_former(draft: Draft) -> dict[str, Any]:
    former = draft.former
    assert former
    reason = texts_stages.REASONS.get(former.reason, {"da": former.reason, "en": former.reason})
    values = {"number": former.number, "former": former.version, "stage": former.stage, "version": draft.version}
    return values | {"reason": reason}


def _parts_left(scope: dict[str, Any]) -> list[texts.Both]:
    left = [
        (scope["suspended"], texts.SUSPENDED),
        (scope["elsewhere"], texts.ELSEWHERE),
        (scope["exit"] == "partial", texts.PARTIAL),
    ]
    return [said for there, said in left if there]


def _count(count: int, of: Noun) -> texts.Both:
    """Write a number with its noun: 1 system, 2 systemer."""
    return {language: f"{_one(count, language)} {of[language][count != 1]}" for language in of}


def _written(values: dict[str, Any], language: str) -> dict[str, Any]:
    """Write as the language does: 5.10.2026 and 1.234, in English 2026-10-05 and 1,234; what is missing as a dash."""
    return {name: _one(value, language) for name, value in values.items()}


def _one(value: Any, language: str) -> Any:
    if isinstance(value, dict):
        return value[language]
    if isinstance(value, date):
        return value.isoformat() if language == "en" else f"{value.day}.{value.month}.{value.year}"
    if isinstance(value, int):
        return f"{value:,}" if language == "en" else f"{value:,}".replace(",", ".")
    return "–" if value is None else value
