"""Calls that cannot be weighed: an unknown kind or variant, and a date that nothing gives."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import Rejected
from shared.rules.profiles import NoticeKind, Profile, Variant

GENERAL = "general"  # the variant that is meant where none is named


def kind_of(profiles: Sequence[Profile], name: str) -> NoticeKind:
    """Find a kind; raise Rejected NOTICE_UNKNOWN."""
    kinds = {kind.kind: kind for profile in profiles for kind in profile.notices}
    if name not in kinds:
        known = ", ".join(sorted(kinds)) or "none"
        raise call(
            "NOTICE_UNKNOWN",
            "kind",
            "",
            f"the agreement's profiles have no notice '{name}'",
            f"use one of: {known}",
            f"aftalen har intet varsel '{name}'. Brug et af: {known}",
        )
    return kinds[name]


def variant_of(kind: NoticeKind, name: str | None) -> Variant:
    """Find a variant, or the one that is meant where none is named; raise Rejected NOTICE_VARIANT."""
    variants = {variant.id: variant for variant in kind.variants}
    found = variants.get(name or GENERAL) or (kind.variants[0] if not name and len(variants) == 1 else None)
    if found is None:
        known, given = ", ".join(variants), name or ""
        raise call(
            "NOTICE_VARIANT",
            "variant",
            kind.clause,
            f"'{given}' is no ground for {kind.kind}",
            f"use one of: {known}",
            f"'{given}' er ikke en grund. Brug en af: {known}",
        )
    return found


def no_basis(anchor: str, clause: str) -> Rejected:
    """Make the refusal of a notice whose ground has no day."""
    return call(
        "NOTICE_BASIS_MISSING",
        "basis_on",
        clause,
        f"the day of '{anchor}' is not known",
        "give the day of what it rests on",
        f"dagen for '{anchor}' kendes ikke; angiv den",
    )


def unknown_date(anchor: str, clause: str) -> Rejected:
    """Make the refusal of a notice against a date that nothing gives."""
    return call(
        "DATE_UNKNOWN",
        anchor,
        clause,
        f"the date '{anchor}' is not known",
        "record it, or the number that it is reckoned from",
        f"datoen '{anchor}' kendes ikke; registrér den",
    )


def call(code: str, field_: str, clause: str, message: str, remedy: str, da: str) -> Rejected:
    """Make the refusal of a call: code, field, clause, what is wrong and what to do."""
    where = f"{clause}: " if clause else ""
    return Rejected(code, f"{where}{message}", field=field_, remedy=remedy, da=f"{where}{da}.")
