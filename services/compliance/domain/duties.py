"""What the log proves of each duty: which entries show it, and since when. One rule an obligation (`RULES`).

Rules kept: a duty is met by entries of the log alone; where nothing has triggered it, its rule lists no part and it
stands as NOT_TRIGGERED with its owner; a part without a last day is never breached by a date, only by what the log
shows to be wrong (a part whose last day lies before the wrong was done). The GDPR's articles have no days of their
own: Art. 28(3)(g) and 28(4) take the day that the agreement's own clause gives them (S2 28.1), where it binds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache

from services.compliance.documents import attestations
from services.compliance.domain.clocks import logged_on
from services.compliance.domain.duties_asked import demonstrated, documentation, periods, security_account
from services.compliance.domain.duties_security import before, breach_notified, secured
from services.compliance.domain.parts import (
    Part,
    backups,
    deletion,
    handed_over,
    instructed,
    of_kind,
    owed_backups,
    permanent_deletion,
)
from services.compliance.domain.refusals import ACTIVE, EXPIRED
from services.compliance.evidence import Logged
from services.compliance.facts import INDEX, Facts, day
from shared.rules.profiles import Obligation, load_profile

LAW = "gdpr"
AGREEMENT, ARTICLE_30 = "ski-02-19", "ARTICLE-30-RECORD"
_ARTICLES = {"S2-28.1-b": "GDPR-28.3.g", "S2-28.1-c": "GDPR-28.3.g", "S2-28.1-d": "GDPR-28.3.g",
             "S2-28.1-d-backups": "GDPR-28.3.g", "S2-3.2-f": "GDPR-17", "S2-7.3-a": "GDPR-28.4",
             "S2-13-a": "GDPR-28.3.h", "S2-DPA-a": "GDPR-28.3.a"}  # fmt: skip
Rule = Callable[[Facts, date | None, date], list[Part]]


@cache
def law() -> dict[str, Obligation]:
    """Give the obligations of the GDPR by id, with their titles, owners and the controls that they serve."""
    return {each.id: each for each in load_profile(LAW).obligations}


def of_the_law() -> tuple[str, ...]:
    """List their ids in the regulation's order."""
    return tuple(law())


def controls(obligation: str) -> tuple[str, ...]:
    """List the controls of standards that an obligation's evidence serves; clauses serve those of their article."""
    article = law().get(_ARTICLES.get(obligation, obligation))
    return article.controls if article else ()


# ------------------------------------------------------------------------------------------------ the inventory


def _lines(facts: Facts, wanted: frozenset[str], answers: frozenset[str] | None = None) -> list[Part]:
    """Show that the order answers all of these lines of the reconciled list, in one of `answers` where given."""
    if facts.order is None:
        return []
    told = facts.order.entry["places"]
    answered = {one["line"] for one in told if answers is None or one["answer"] in answers}
    return [Part(None, logged_on(facts.order), (facts.order.index,))] if wanted <= answered else [Part(None, None)]


@cache
def data_kinds() -> frozenset[str]:
    """Give the lines of the ten kinds of data (S2 3.2)."""
    return frozenset(one.line for one in load_profile(AGREEMENT).places if one.kind == "data_kind")


def _ten_kinds(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """S2 3.2: the ten kinds of data, each answered before the order was taken."""
    return _lines(facts, data_kinds())


def _record_of_processing(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """Art. 30(2): the processor's record was mapped onto the inventory before the order was taken; "not used" is no
    answer here."""
    return _lines(facts, frozenset({ARTICLE_30}), frozenset({"mapped"}))


def _sub_agreements(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """S2 7.3: every sub-supplier that holds data has an agreement, by the list that was given."""
    listed = of_kind(facts, "SUB_SUPPLIERS_LISTED")
    if not listed:
        return []
    last = listed[-1]
    return [Part(None, None if last.entry["without_dpa"] else day(last, "on"), (last.index,))]


# ------------------------------------------------------------------------------------------------ deletion, return


def _customer_deletes(facts: Facts, due: date | None, today: date) -> list[Part]:
    """S2 3.2: every copy, backups too, after what is worth keeping was decided on."""
    archive = [
        Part(None, day(facts.archive[name], "decided_on") if name in facts.archive else None,
             (facts.archive[name].index,) if name in facts.archive else ())
        for activity, systems in facts.scopes().items() if activity != INDEX for name in systems
    ]  # fmt: skip
    return archive + _gone(facts, due, today) if archive else []


def _gone(facts: Facts, due: date | None, today: date) -> list[Part]:
    """List every deletion and its backups; a backup's last day is the plan's own for backups, where it has one."""
    parts = [deletion(facts, activity, due, today) for activity in facts.scopes()]
    if not parts or facts.backups_left_out:
        return parts
    own = facts.backups_due(facts.scopes()) if facts.amendment and due else due
    return parts + backups(facts, facts.due("S2-28.1-d-backups") or own, today)


def _returned_and_deleted(facts: Facts, _due: date | None, today: date) -> list[Part]:
    """Art. 28(3)(g): handed over, then deleted with every copy, by the day of S2 28.1 where it binds."""
    if facts.plan is None:
        return []
    handed = handed_over(facts, facts.due("S2-28.1-b"), today)
    return handed + _gone(facts, facts.due("S2-28.1-d"), today)


def _erased(facts: Facts, _due: date | None, today: date) -> list[Part]:
    """Art. 17: the same deletions; "without undue delay" is no day, so none is laid on the controller here."""
    return [Part(None, part.met_on, part.evidence, part.kept, part.returned) for part in _gone(facts, None, today)]


def _accounted(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """Art. 5(2): a certificate of both stages for every deletion of the plan in force."""
    parts = []
    for stage in (ACTIVE, EXPIRED):
        for activity in facts.scopes():
            shown = [one for one in facts.certificates if one.entry["stage"] == stage]
            mine = [one for one in shown if activity in one.entry["activities"]]
            certified = activity in facts.certified(stage)
            met_on = logged_on(mine[-1]) if mine and certified else None
            parts.append(Part(None, met_on, tuple(one.index for one in mine[-1:])))
    return parts


# ------------------------------------------------------------------------------------------------ instruction, people


def _on_instruction(facts: Facts, due: date | None, today: date) -> list[Part]:
    """Art. 28(3)(a): the instruction before the first destruction, the transfer's before data go to a successor."""
    parts = instructed(facts, facts.due("S2-DPA-a"), today)
    first = [job.destroyed_from() for job in facts.jobs.values()]
    begun = min((index for index in first if index is not None), default=None)
    if begun is not None and (facts.instruction is None or facts.instruction.index > begun):
        on = next(logged_on(one) for one in facts.entries if one.index == begun)
        parts.append(Part(before(on), None, (begun,)))
    return parts + _transferred(facts)


def _transferred(facts: Facts) -> list[Part]:
    to_successor = facts.dispatch is not None and facts.dispatch.entry["to"] == "successor"
    if not to_successor or facts.delivered is None or facts.dispatch is None:
        return []
    sent, told = facts.delivered, facts.dispatch
    instructed_by = told.entry["transfer_instruction_digest"]
    if instructed_by and told.index < sent.index:
        return [Part(None, day(sent, "on"), (told.index, sent.index))]
    return [Part(before(day(sent, "on")), None, (sent.index,))]


def _bypasses(facts: Facts, kinds: Iterable[str]) -> dict[str, Logged]:
    """Give where each data-subject request stands that came during the freeze, by its id."""
    told = [one for one in of_kind(facts, "BYPASS_CHANGED") if one.entry["kind"] in kinds]
    return {one.entry["bypass_id"]: one for one in told}


DATA_SUBJECTS = ("rectification", "erasure", "restriction")


def _recipients_told(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """Art. 19: what was changed for a data subject after the extract went to the receiver as a delta."""
    last = _bypasses(facts, DATA_SUBJECTS).values()
    open_ = [one for one in last if one.entry["state"] != "refused"]
    return [
        Part(None, day(one, "on") if one.entry["state"] == "delta_delivered" else None, (one.index,)) for one in open_
    ]


def _assisted(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """Art. 28(3)(e): each request passed on was answered, and each hold asked for a data subject was placed."""
    parts = [
        Part(None, day(one, "on") if one.entry["state"] in ("refused", "delta_delivered") else None, (one.index,))
        for one in _bypasses(facts, DATA_SUBJECTS).values()
    ]
    placed = [one for one in facts.holds.values() if one.entry["basis"] == "DATA_SUBJECT_REQUEST"]
    return parts + [Part(None, day(one, "on"), (one.index,)) for one in placed]


def _sub_processors(facts: Facts, _due: date | None, _today: date) -> list[Part]:
    """Art. 28(4): each sub-processor in the chain has confirmed, or was declared not used."""
    due, systems = facts.due("S2-28.1-d"), [line["system"] for line in facts.systems]
    answers = attestations.answers_of(facts, systems)
    parts = []
    for key, line in attestations.lines_of(facts, systems).items():
        if line["subprocessor"]:
            told = answers.get(key)
            parts.append(Part(due, day(told, "on") if told else None, (told.index,) if told else ()))
    return parts


RULES: dict[str, Rule] = {
    "S2-3.2-a": _ten_kinds,
    "S2-3.2-f": _customer_deletes,
    "S2-3.2-g": periods,
    "S2-7.1-a": security_account,
    "S2-7.3-a": _sub_agreements,
    "S2-13-a": documentation,
    "S2-28.1-b": handed_over,
    "S2-28.1-c": handed_over,
    "S2-28.1-d": permanent_deletion,
    "S2-28.1-d-backups": owed_backups,
    "S2-DPA-a": instructed,
    "GDPR-5.2": _accounted,
    "GDPR-17": _erased,
    "GDPR-19": _recipients_told,
    "GDPR-28.3.a": _on_instruction,
    "GDPR-28.3.e": _assisted,
    "GDPR-28.3.g": _returned_and_deleted,
    "GDPR-28.3.h": demonstrated,
    "GDPR-28.4": _sub_processors,
    "GDPR-30.2": _record_of_processing,
    "GDPR-32": secured,
    "GDPR-33.2": breach_notified,
}
