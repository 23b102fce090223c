"""Certificates for people: their stages, and why one was corrected or withdrawn. Danish first."""

from __future__ import annotations

STAGES = {
    "DELIVERY": ("Bevis for overdragelse", "Certificate of delivery"),
    "ACCESS-CLOSED": ("Bevis for lukket adgang", "Certificate of closed access"),
    "ACTIVE-DELETED": ("Slettebevis for de aktive systemer", "Deletion certificate of the live systems"),
    "BACKUP-EXPIRED": ("Endeligt slettebevis, også for backup", "Final deletion certificate, backups too"),
    "RE-DELETION": ("Bevis for fornyet sletning", "Certificate of re-deletion"),
}
REASONS: dict[str, dict[str, str]] = {
    "WRONG_COUNTS": {"da": "forkerte tal", "en": "wrong counts"},
    "WRONG_SCOPE": {"da": "forkert omfang", "en": "wrong scope"},
    "WRONG_PARTY": {"da": "forkert part", "en": "wrong party"},
    "DATA_FOUND": {"da": "data er fundet bagefter", "en": "data were found afterwards"},
    "EVIDENCE_DISPROVED": {"da": "et bevis holdt ikke", "en": "evidence was disproved"},
    "KEY_COMPROMISED": {"da": "en nøgle er kompromitteret", "en": "a key was compromised"},
    "ISSUED_IN_ERROR": {"da": "udstedt ved en fejl", "en": "issued in error"},
    "PARTY_DETAILS": {"da": "parternes oplysninger", "en": "the parties' details"},
    "OFFICIAL_DETAILS": {"da": "de ansvarliges oplysninger", "en": "the officials' details"},
    "TITLES": {"da": "systemernes navne", "en": "the systems' titles"},
    "RULES_WORDING": {"da": "reglernes ordlyd", "en": "the wording of rules"},
    "LATER_EVIDENCE": {"da": "senere beviser", "en": "later evidence"},
    "SUPERSEDED": {"da": "erstattet af en ny version", "en": "replaced by a new version"},
}


def revoked(code: str, language: str) -> str:
    """Say why a certificate does not count; a code without words stands as it is."""
    return REASONS[code][language] if code in REASONS else code
