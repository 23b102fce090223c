"""The drops: names from the supplier's configuration (`OPHOR_DROPS`, YAML: name → folder) and their folders."""

from __future__ import annotations

from pathlib import Path

import yaml

from contracts.errors import Rejected


def drop_folders(file: Path) -> dict[str, Path]:
    """Read the configured drops; raise Rejected DROPS_INVALID."""
    try:
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise _invalid("cannot be read as YAML") from None
    if not isinstance(body, dict) or not all(isinstance(part, str) for pair in body.items() for part in pair):
        raise _invalid("is not a list of name: folder")
    return {name: Path(folder) for name, folder in body.items()}


def _invalid(what: str) -> Rejected:
    return Rejected(
        "DROPS_INVALID",
        f"the drops' file {what}",
        field="OPHOR_DROPS",
        remedy="write one line a drop: name: /absolute/folder",
        da="Filen med afleveringssteder kan ikke læses.",
    )
