"""Looking for backup sets with the verifier's credentials: once a system, for every set that is due.

What a look finds beside the catalogue, or dated otherwise, is told and keeps the last certificate away (S1 D9).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from contracts.errors import OphorError
from contracts.system_map import System, SystemMap
from services.deletion import domain, store
from services.deletion import store_backups as kept
from services.deletion.domain import Backup, catalogue
from services.deletion.domain.catalogue import Finding, Found
from shared.backups import Seen, Set, own_copies, see


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look gave: the sets that were due as they were seen, what else stood out, and contents that were met."""

    seen: list[Backup] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    known: list[Backup] = field(default_factory=list)


def observe(work: Any, exit_id: str, systems: SystemMap) -> Looked:
    """Look for what is due today, for what should not be there, and for the content of sets registered since."""
    backups = work.read(lambda unit: kept.backups_of(unit, exit_id))
    begun, ended = work.read(lambda unit: kept.days_of(unit, exit_id))
    due = domain.due(backups, work.today, catalogue.limits(begun))
    late = {each.system for each in backups if each.system in ended and each.unknown}
    looked = Looked()
    for name in sorted(late.union(each.system for each in due)):
        system = systems.systems.get(name)
        sight = see(system) if system is not None else None
        mine, wanted = ([each for each in some if each.system == name] for some in (backups, due))
        looked.seen.extend(_answered(wanted, mine, sight, work.today))
        if sight is not None:
            looked.known.extend(_noted(mine, sight))
            looked.findings.extend(catalogue.findings(_found(name, sight), mine, ended))
    return looked


def at_verification(work: Any, exit_id: str, systems: SystemMap, names: Iterable[str]) -> Looked:
    """Note the content of the catalogued sets, the copies that the deletion itself made, and what is not catalogued."""
    backups = work.read(lambda unit: kept.backups_of(unit, exit_id))
    looked = Looked()
    for name in names:
        system = systems.system(name)
        if not system.backed_up:
            continue
        sight, mine = see(system), [each for each in backups if each.system == name]
        looked.known.extend(_noted(mine, sight))
        looked.known.extend(_streams(system, exit_id, work.today))
        looked.findings.extend(catalogue.findings(_found(name, sight), mine, {}))
    return looked


def keep(unit: Any, exit_id: str, looked: Looked) -> None:
    """Keep and tell what was seen; what was told of a set while the look lasted stands."""
    for each in looked.known:
        before = kept.load_backup(unit, exit_id, each.system, each.set_id)
        noted = replace(before, identity=each.identity, kind=each.kind) if before and not each.stream else each
        kept.save_backup(unit, noted)
        if before is None:
            unit.emit("deletion.backup_registered", exit_id, _registered(each))
    begun, _ = kept.days_of(unit, exit_id)
    last = catalogue.limits(begun)
    for each in looked.seen:
        before = kept.load_backup(unit, exit_id, each.system, each.set_id)
        if before is None or before.ended:
            continue  # it ended meanwhile, with its key
        now = replace(before, answer=each.answer, observed_on=each.observed_on)
        kept.save_backup(unit, now)
        told = {"exit_id": exit_id, "system": now.system, "set_id": now.set_id, "answer": now.answer}
        unit.emit("deletion.backup_observed", exit_id, told | {"expires_on": now.expires_on, "on": unit.today})
        _escalate(unit, exit_id, catalogue.stand(now, last.get(now.system), unit.today), before.observed_on)
    for finding in looked.findings:
        _tell_finding(unit, exit_id, finding)


def come_again(unit: Any, exit_id: str, looked: Looked) -> None:
    """Look again tomorrow where something is not gone."""
    if any(each.answer != "GONE" for each in looked.seen):
        tomorrow = unit.today + timedelta(days=1)
        told = {"exit_id": exit_id, "on": tomorrow}
        unit.at(tomorrow, "deletion.backups_look_due", exit_id, told, f"backups/{exit_id}/again")


def look_later(unit: Any, exit_id: str, systems: Iterable[str]) -> None:
    """Set the timers of the sets of these systems, on no later day than six months after their deletion (T16)."""
    begun, _ = kept.days_of(unit, exit_id)
    last, mine = catalogue.limits(begun), set(systems)
    store.look_later(
        unit, exit_id,
        [replace(each, expires_on=catalogue.last_day(each, last.get(each.system)))
         for each in kept.backups_of(unit, exit_id) if each.system in mine],
    )  # fmt: skip


def _noted(mine: Sequence[Backup], sight: Seen) -> list[Backup]:
    """Give the sets that were met and whose content nobody knew, with their content."""
    met = {each.set_id: each for each in sight.found}
    return [
        replace(each, identity=met[each.set_id].identity, kind=each.kind or met[each.set_id].kind)
        for each in mine
        if each.set_id in met and each.unknown
    ]


def _answered(due: Sequence[Backup], mine: Sequence[Backup], sight: Seen | None, today: date) -> list[Backup]:
    answers = sight.answers(map(_set, due), map(_set, mine)) if sight is not None else {}
    return [replace(each, answer=str(answers.get(each.set_id, "ERROR")), observed_on=today) for each in due]


def _set(each: Backup) -> Set:
    return Set(each.set_id, each.kind, each.taken_on, each.identity, each.expires_on, stream=each.stream)


def _found(system: str, sight: Seen) -> list[Found]:
    """Give what was met by its name; what was met by its content alone is no set of its own."""
    return [
        Found(system, each.set_id, each.kind, each.taken_on, each.certain, each.identity)
        for each in sight.found
        if each.set_id
    ]


def _streams(system: System, exit_id: str, today: date) -> list[Backup]:
    """Make sets of the copies that the deletion wrote into; one that cannot be noted now can never be seen as gone."""
    try:
        made = own_copies(system, today)
    except OphorError:
        made = [
            Set(f"{source.kind}-{today:%Y%m%d}", source.kind, today, (), today + timedelta(source.retention_days),
                stream=True)
            for source in system.sources if source.stream
        ]  # fmt: skip
    return [
        Backup(
            exit_id, system.name, each.set_id, today, each.expires_on or today, kind=each.kind,
            identity=each.identity, stream=True,
        )
        for each in made
    ]  # fmt: skip


def _registered(each: Backup) -> dict[str, Any]:
    names = ("exit_id", "system", "set_id", "taken_on", "expires_on", "kind")
    return {name: getattr(each, name) for name in names}


def _escalate(unit: Any, exit_id: str, how: catalogue.Standing, before: date | None) -> None:
    if catalogue.escalates(how, before):
        told: dict[str, Any] = {"exit_id": exit_id, "system": how.system, "set_id": how.set_id, "state": how.state}
        told |= {"last_on": how.last_on, "days": how.days_over, "on": unit.today}
        unit.emit("deletion.backup_overdue", exit_id, told)


def _tell_finding(unit: Any, exit_id: str, finding: Finding) -> None:
    if not kept.add_finding(unit, exit_id, finding):
        return
    if finding.finding == catalogue.MISDATED:
        known = kept.load_backup(unit, exit_id, finding.system, finding.set_id)
        if known is not None:
            kept.save_backup(unit, replace(known, content_on=finding.taken_on))
    unit.emit("deletion.backup_found", exit_id, {**asdict(finding), "exit_id": exit_id, "on": unit.today})
