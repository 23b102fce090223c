"""The drops: folders in which sealed files are handed over, and how a file is put there.

Rules kept here:
1. Drops have names from the supplier's configuration (`OPHOR_DROPS`, YAML: name → folder, or {folder, owner}).
2. Nothing is visible in a drop before it is whole: a file is written under a hidden name, synced, then renamed.
3. What is sealed is sealed to an age X25519 key; digests are over the sealed bytes (no digest over personal data).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
import yaml

from contracts.errors import Rejected, Unavailable

_CHUNK = 1024 * 1024


class Digesting:
    """A writer that counts and digests what goes through it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.size, self.sha = file, 0, sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.sha.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def drop_folders(file: Path) -> dict[str, Path]:
    """Read the configured drops; raise Rejected DROPS_INVALID."""
    try:
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise _invalid("cannot be read as YAML") from None
    if not isinstance(body, dict) or not all(isinstance(name, str) and _is_drop(each) for name, each in body.items()):
        raise _invalid("is not a list of name: folder")
    return {name: Path(each if isinstance(each, str) else each["folder"]) for name, each in body.items()}


def drops_of_others(file: Path) -> set[str]:
    """Name the drops that the customer or the receiver owns: what lies there is theirs."""
    drop_folders(file)
    body = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name for name, each in body.items() if not isinstance(each, str) and each["owner"] != "supplier"}


def _is_drop(each: Any) -> bool:
    """Tell whether this is a folder, or a folder with its owner."""
    if isinstance(each, str):
        return True
    known = isinstance(each, dict) and each.keys() == {"folder", "owner"} and isinstance(each["folder"], str)
    return bool(known and each["owner"] in ("supplier", "customer", "receiver"))


def recipient_key(text: str) -> Any:
    """Read an age X25519 public key; raise Rejected RECIPIENT_INVALID."""
    with suppress(pyrage.RecipientError):
        return pyrage.x25519.Recipient.from_str(text.strip())
    raise Rejected(
        "RECIPIENT_INVALID",
        "this is not an age X25519 public key",
        field="recipient",
        remedy="send the receiver's public key as age-keygen prints it (age1…)",
        da="Modtagerens nøgle er ikke en gyldig age-nøgle (age1…).",
    )


def digest_of(path: Path) -> str:
    """Give the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        digest = sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_atomically(target: Path, fill: Callable[[BinaryIO], Any]) -> None:
    """Write `target` whole or not at all (rule 2)."""
    hidden = target.with_name(f".{target.name}.part")
    with hidden.open("wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def drop_errors() -> Iterator[None]:
    """Turn a drop that cannot be used into Unavailable DROP_UNREACHABLE."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            "DROP_UNREACHABLE",
            f"the drop cannot be used ({error.strerror or type(error).__name__})",
            field="drop",
            remedy="make the folder, with the right to write in it",
        ) from None


def _invalid(what: str) -> Rejected:
    return Rejected(
        "DROPS_INVALID",
        f"the drops' file {what}",
        field="OPHOR_DROPS",
        remedy="write one line a drop: name: /absolute/folder",
        da="Filen med afleveringssteder kan ikke læses.",
    )
