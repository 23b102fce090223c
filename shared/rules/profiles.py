"""Profiles: which rules bind an agreement, as data in `contracts/profiles/*.yaml`.

Rules kept: a profile is validated whole on load (profile_schema.py its form, profile_checks.py what it refers to;
profile_model.py says what comes of it); an error names file, line and field (PROFILE_INVALID). The digest is over the
canonical content, so that comments and layout do not change it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import contracts
from contracts.errors import Rejected
from shared.rules.located import read_located
from shared.rules.profile_checks import problem_in
from shared.rules.profile_model import (
    Activity,
    Addition,
    Anchor,
    DateRule,
    Need,
    NoticeKind,
    Obligation,
    Option,
    PlaceLine,
    Profile,
    Reminder,
    Variant,
)
from shared.rules.profile_schema import ProfileSchema, problems_of
from shared.rules.references import Reference, parse_reference
from shared.rules.time import Direction, parse_period

__all__ = [
    "FOLDER", "Activity", "Addition", "Anchor", "DateRule", "Need", "NoticeKind", "Obligation", "Option", "PlaceLine",
    "Profile", "Reminder", "Variant", "canonical", "digest_of", "known_profiles", "load_profile", "load_profiles",
    "missing_needs", "option_ids", "parse_profile", "pins", "required_lines",
]  # fmt: skip
FOLDER = Path(contracts.__file__).parent / "profiles"

_NAME = re.compile(r"[a-z0-9][a-z0-9.\-]{0,60}")


def canonical(content: Any) -> bytes:
    """Give canonical JSON (sorted keys, no spaces, UTF-8) of strings, integers, booleans, lists and objects."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(content: Any) -> str:
    """Give the SHA-256 (hexadecimal) of the canonical JSON."""
    return hashlib.sha256(canonical(content)).hexdigest()


def known_profiles(folder: Path = FOLDER) -> list[str]:
    """List the names of the profiles in `folder`."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_profile(name: str, folder: Path = FOLDER) -> Profile:
    """Load one profile by name; raise Rejected PROFILE_UNKNOWN or PROFILE_INVALID."""
    path = folder / f"{name}.yaml"
    if not _NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(known_profiles(folder))
        raise Rejected(
            "PROFILE_UNKNOWN",
            f"there is no profile '{name}'",
            field="profiles",
            remedy=f"use one of: {known}",
            da=f"Profilen '{name}' findes ikke. Kendte profiler: {known}.",
        )
    return parse_profile(path.read_text(encoding="utf-8"), path.name)


@cache
def load_profiles(names: tuple[str, ...], folder: Path = FOLDER) -> tuple[Profile, ...]:
    """Load several profiles, in the order of their rank (kept in memory: a running process keeps its profiles)."""
    profiles = {load_profile(name, folder) for name in names}
    return tuple(sorted(profiles, key=lambda profile: (profile.rank, profile.name)))


def parse_profile(text: str, where: str) -> Profile:
    """Read and validate a profile; raise Rejected PROFILE_INVALID with `where:line` and the field's path."""
    located = read_located(text, where)
    messages = problems_of(located.content)
    if messages:
        raise located.error(*messages[0])
    raw: dict[str, Any] = ProfileSchema().load(located.content)
    if problem := problem_in(raw):
        raise located.error(*problem)
    return _build(raw, digest_of(located.content))


def required_lines(profiles: Iterable[Profile]) -> tuple[PlaceLine, ...]:
    """List the lines that must be answered before the final order, each once."""
    return tuple({line.line: line for profile in profiles for line in profile.places}.values())


def missing_needs(profiles: Iterable[Profile], options: Iterable[str]) -> list[Need]:
    """List the needs that the chosen options leave unmet (T2)."""
    chosen = frozenset(options)
    needs = (need for profile in profiles for need in profile.needs)
    return [need for need in needs if not chosen.isdisjoint(need.options) and chosen.isdisjoint(need.one_of)]


def option_ids(profiles: Iterable[Profile]) -> frozenset[str]:
    """Give the ids of all options that the profiles offer."""
    return frozenset(option.id for profile in profiles for option in profile.options)


def _build(raw: dict[str, Any], digest: str) -> Profile:
    name, warns = raw["profile"], raw["warns"]

    def rules(owner: dict[str, Any]) -> tuple[DateRule, ...]:
        return tuple(_date_rule(date, owner["clause"], name, warns) for date in owner["dates"])

    return Profile(
        name=name,
        warns=warns,
        digest=digest,
        **{field: raw[field] for field in ("version", "rank", "title_da", "title_en")},
        source_title=raw["source"]["title"],
        source_digest=raw["source"]["digest"],
        parameters={each["name"]: each["default"] for each in raw["parameters"]},
        anchors=tuple(_anchor(each) for each in raw["anchors"]),
        options=tuple(Option(**_tuples(each)) for each in raw["options"]),
        needs=tuple(Need(tuple(n["options"]), tuple(n["one_of"]), n["clause"]) for n in raw["needs"]),
        rules=tuple(raw["rules"]),
        activities=tuple(Activity(**_tuples(each) | {"dates": rules(each)}) for each in raw["activities"]),
        obligations=tuple(_obligation(each, rules(each)) for each in raw["obligations"]),
        adds=tuple(Addition(tuple(a["targets"]), _date_rule(a, "", name, warns)) for a in raw["adds"]),
        places=tuple(PlaceLine(**each) for each in raw["places"]),
        notices=tuple(map(_notice, raw["notices"])),
        reminders=tuple(Reminder(**_tuples(each) | {"at": parse_reference(each["at"])}) for each in raw["reminders"]),
    )


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}


def _obligation(raw: dict[str, Any], dates: tuple[DateRule, ...]) -> Obligation:
    return Obligation(**_tuples(raw) | {"dates": dates, "at_risk": parse_period(raw["at_risk"])})


def _notice(raw: dict[str, Any]) -> NoticeKind:
    return NoticeKind(
        **_tuples(raw) | {"until": _optional(raw["until"]), "variants": tuple(map(_variant, raw["variants"]))}
    )


def _variant(raw: dict[str, Any]) -> Variant:
    known = {"period": parse_period(raw["period"]), "not_before": _optional(raw["not_before"])}
    return Variant(**_tuples(raw) | known)


def _optional(text: str) -> Reference | None:
    return parse_reference(text) if text else None


def _anchor(raw: dict[str, Any]) -> Anchor:
    first = tuple(parse_reference(text) for text in raw["first_of"])
    return Anchor(raw["name"], raw["title_da"], raw["title_en"], first, tuple(raw["latest_of"]), raw["planned"])


def _date_rule(raw: dict[str, Any], clause: str, profile: str, warns: bool) -> DateRule:
    direction: Direction = "not_before" if raw["not_before"] else "not_after"
    return DateRule(
        direction=direction,
        of=parse_reference(raw[direction]),
        clause=raw["clause"] or clause,
        when=tuple(raw["when"]),
        unless=tuple(raw["unless"]),
        target=raw["target"],
        profile=profile,
        warns=warns,
    )


def pins(profiles: Sequence[Profile]) -> list[dict[str, str]]:
    """Give name, version and digest of each, as the final order pins them."""
    return [{"name": each.name, "version": each.version, "digest": each.digest} for each in profiles]
