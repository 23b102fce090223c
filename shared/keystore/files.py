"""Keys in a folder: one file a key, readable by its owner alone, with a tombstone when it is destroyed.

A key that is neither there nor buried was never made here, or the folder is not the right one: ERROR. What the file
system keeps of an overwritten file (journals, snapshots, SSDs) is a copy of the kind STORE_BACKUP, to be answered for.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.system_map import MARKER_PLACE
from shared.connectors.protocol import Marker
from shared.keystore import model
from shared.keystore.model import NONCE, KeyAbout, KeyState


class FileKeys:
    """The keys of a folder."""

    waits_days = 0

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, customer: str, system: str, set_id: str, made_at: datetime) -> KeyAbout:
        """Make the key of one set; raise Rejected KEY_EXISTS where the set has one, or had."""
        about = KeyAbout(model.label_of(customer, system, set_id), customer, system, set_id, made_at)
        if self._grave(about.key_id).exists():
            raise model.exists(about.key_id)
        body = asdict(about) | {
            "key": base64.b64encode(secrets.token_bytes(32)).decode(),
            "made_at": made_at.isoformat(),
        }
        try:
            at = os.open(self._path(about.key_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise model.exists(about.key_id) from None
        except OSError as error:
            raise model.unreachable(about.key_id, type(error).__name__) from None
        with os.fdopen(at, "w") as file:
            file.write(json.dumps(body))
            file.flush()
            os.fsync(file.fileno())
        return about

    def seal(self, key_id: str, plain: bytes) -> bytes:
        """Encrypt with the key."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + AESGCM(self._key(key_id)).encrypt(nonce, plain, key_id.encode())

    def unseal(self, key_id: str, sealed: bytes) -> bytes:
        """Decrypt with the key; raise Rejected KEY_NOT_USABLE."""
        try:
            return AESGCM(self._key(key_id)).decrypt(sealed[:NONCE], sealed[NONCE:], key_id.encode())
        except (InvalidTag, ValueError):
            raise model.not_usable(key_id, "this was not sealed with it") from None

    def destroy(self, key_id: str) -> KeyState:
        """Overwrite the key, bury it, and take it away; a key that was never here is ERROR."""
        path = self._path(key_id)
        try:
            if path.exists():
                size = path.stat().st_size
                with path.open("r+b") as file:
                    file.write(secrets.token_bytes(size))
                    file.flush()
                    os.fsync(file.fileno())
                self._grave(key_id).write_text("{}")
                path.unlink()
        except OSError:
            return KeyState.ERROR
        return self.state(key_id)

    def state(self, key_id: str) -> KeyState:
        """Tell how the key is."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return KeyState.ERROR
        if self._path(key_id).name in names:
            return KeyState.ACTIVE
        return KeyState.DESTROYED if self._grave(key_id).name in names else KeyState.ERROR

    def about(self, key_id: str) -> KeyAbout | None:
        """Read the key's own file."""
        try:
            return model.told(key_id, json.loads(self._path(key_id).read_text()))
        except (OSError, ValueError):
            return None

    def marker(self) -> Marker | None:
        """Read the folder's rehearsal mark."""
        try:
            return model.marked((self.folder / MARKER_PLACE).read_text())
        except OSError:
            return None

    def write_marker(self, marker: Marker) -> None:
        """Write the folder's rehearsal mark."""
        (self.folder / MARKER_PLACE).write_text(json.dumps(asdict(marker)))

    def _path(self, key_id: str) -> Path:
        return self.folder / f"{key_id}.key"

    def _grave(self, key_id: str) -> Path:
        return self.folder / f"{key_id}.destroyed"

    def _key(self, key_id: str) -> bytes:
        try:
            return base64.b64decode(json.loads(self._path(key_id).read_text())["key"])
        except (OSError, ValueError, KeyError) as error:
            raise model.not_usable(key_id, type(error).__name__) from None
