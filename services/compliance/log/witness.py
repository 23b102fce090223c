"""A witness: somebody else's key and memory, so that the log cannot show different people different histories.

Speaks c2sp.org/tlog-witness (`old` size, proof, checkpoint in; a cosignature out) and c2sp.org/tlog-cosignature
(Ed25519, `cosignature/v1`, with a time). It shares no code with the log: proofs and notes are checked by the stranger's
verifier. Rules it keeps:
1. It cosigns for logs whose key it was given beforehand, and only what that key signed.
2. It cosigns only what follows on the last head it kept: `old` is that head's size, and the proof shows that the new
   tree begins with the old one. Another root at the same size (a fork) and a smaller size (a rollback) are refused.
3. The new head is kept, durably, before the cosignature is given: after a crash it knows more than it said, never less.
4. One process at a time works on a folder (`lock`). The folder is the witness's own: key, trusted logs, last heads.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from contracts.errors import Rejected
from services.compliance.verifier import ophor_verify

COSIGNATURE = b"\x04"
LARGEST = 64 * 1024
PATH = "/add-checkpoint"
_REQUEST = re.compile(r"old (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n(.+\n)\Z", re.DOTALL)
_NAME = re.compile(r"[^\s+]{1,100}")


class Refused(Exception):
    """The witness does not cosign this: `status` and `text` as tlog-witness answers them."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text.strip()}")
        self.status, self.text = status, text


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness in its own folder."""

    folder: Path
    name: str
    private: ed25519.Ed25519PrivateKey

    @classmethod
    def create(cls, folder: Path, name: str) -> Witness:
        """Make a witness's folder and key; Rejected WITNESS_EXISTS where there is one, WITNESS_NAME for a bad name."""
        if not _NAME.fullmatch(name):
            raise _rejected("WITNESS_NAME", "name", "a name without spaces and plus signs", "Vidnets navn er ugyldigt.")
        if (folder / "witness.pem").exists():
            raise _rejected("WITNESS_EXISTS", "folder", "choose another folder", "Der er allerede et vidne i mappen.")
        (folder / "heads").mkdir(parents=True, exist_ok=True)
        private = ed25519.Ed25519PrivateKey.generate()
        made = cls(folder, name, private)
        raw = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(folder / "witness.json", json.dumps({"name": name, "key": made.vkey}).encode())
        _write(folder / "witness.pem", raw)
        return made

    @classmethod
    def open(cls, folder: Path) -> Witness:
        """Open a witness's folder; Rejected WITNESS_MISSING where there is none."""
        try:
            raw, said = (folder / "witness.pem").read_bytes(), json.loads((folder / "witness.json").read_bytes())
            private = serialization.load_pem_private_key(raw, None)
        except (OSError, ValueError):
            raise _rejected(
                "WITNESS_MISSING", "folder", "`ophor witness init`", "Der er intet vidne i mappen."
            ) from None
        assert isinstance(private, ed25519.Ed25519PrivateKey)
        return cls(folder, str(said["name"]), private)

    @property
    def vkey(self) -> str:
        """Give the verifier key, as `--witness` takes it."""
        public = COSIGNATURE + self.private.public_key().public_bytes_raw()
        return f"{self.name}+{self._id.hex()}+{base64.b64encode(public).decode()}"

    def trust(self, vkey: str) -> str:
        """Cosign for the log of this key from now on, and give its origin; Rejected LOG_KEY where it is none."""
        try:
            key = ophor_verify.note_key(vkey)
        except (ophor_verify.Failed, ophor_verify.Malformed) as error:
            raise _rejected("LOG_KEY", "key", f"a verifier key ({error})", "Det er ikke en logs nøgle.") from None
        with self._locked():
            known = self._logs()
            if known.get(key.name, vkey) != vkey:
                raise _rejected("LOG_KEY", "key", "another key is trusted for this origin", "En anden nøgle er kendt.")
            _write(self.folder / "logs.json", json.dumps(known | {key.name: vkey}).encode())
        return key.name

    def follow(self, note: str) -> str:
        """Cosign for a log under its next key, as the trusted one signed it; Rejected LOG_KEY for any other note."""
        with self._locked(), suppress(ophor_verify.Failed, ophor_verify.Malformed):
            said, known = ophor_verify.read_rotation(note), self._logs()
            origin = said.old.split("+")[0]
            if said.name == "evidence-log" and known.get(origin) in (said.old, said.new):
                _write(self.folder / "logs.json", json.dumps(known | {origin: said.new}).encode())
                return origin
        raise _rejected("LOG_KEY", "note", "a rotation of a trusted key", "Det er ikke et skift af en kendt nøgle.")

    def add_checkpoint(self, request: str, now: int | None = None) -> str:
        """Check a request, keep its head, and give the cosignature line; Refused where a rule forbids it."""
        found = _REQUEST.fullmatch(request)
        if not found:
            raise Refused(400, "not a request of tlog-witness\n")
        old, note = int(found[1]), found[3]
        proof = [base64.b64decode(line) for line in found[2].splitlines()]
        with self._locked():
            head = self._signed(note)
            kept = self._kept(head.origin)
            _follows(kept, old, head, proof)
            if head.size != kept.size or not self._head_file(head.origin).exists():
                self._keep(head)
            return self._cosign(ophor_verify.body_of(note), int(time.time()) if now is None else now)

    @property
    def _id(self) -> bytes:
        public = self.private.public_key().public_bytes_raw()
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE + public).digest()[:4]

    def _cosign(self, body: str, now: int) -> str:
        signature = self.private.sign(f"cosignature/v1\ntime {now}\n{body}".encode())
        raw = self._id + struct.pack(">Q", now) + signature
        return f"— {self.name} {base64.b64encode(raw).decode()}\n"

    def _logs(self) -> dict[str, str]:
        path = self.folder / "logs.json"
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    def _signed(self, note: str) -> ophor_verify.Head:
        """Rule 1."""
        vkey = self._logs().get(note.partition("\n")[0])
        if vkey is None:
            raise Refused(404, "unknown log\n")
        try:
            return ophor_verify.read_head(note, ophor_verify.note_key(vkey))
        except (ophor_verify.Failed, ophor_verify.Malformed):
            raise Refused(403, "the log's key did not sign this checkpoint\n") from None

    def _head_file(self, origin: str) -> Path:
        return self.folder / "heads" / f"{hashlib.sha256(origin.encode()).hexdigest()}.json"

    def _kept(self, origin: str) -> ophor_verify.Head:
        path = self._head_file(origin)
        if not path.exists():
            return ophor_verify.Head(origin, 0, ophor_verify.root_of([]))
        row = json.loads(path.read_bytes())
        return ophor_verify.Head(origin, int(row["size"]), base64.b64decode(row["root"]))

    def _keep(self, head: ophor_verify.Head) -> None:
        """Rule 3."""
        row = {"origin": head.origin, "size": head.size, "root": base64.b64encode(head.root).decode()}
        _write(self._head_file(head.origin), json.dumps(row).encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Rule 4."""
        with (self.folder / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _follows(kept: ophor_verify.Head, old: int, head: ophor_verify.Head, proof: list[bytes]) -> None:
    """Rule 2; the answers and their order are tlog-witness's."""
    if old > head.size:
        raise Refused(400, "old is larger than the checkpoint\n")
    if old != kept.size or (head.size == kept.size and head.root != kept.root):
        raise Refused(409, f"{kept.size}\n")
    if old == 0 or old == head.size:
        true = not proof
    else:
        true = ophor_verify.consistent(old, head.size, (kept.root, head.root), proof)
    if not true:
        raise Refused(422, "the proof does not lead from the last head to this one\n")


def _write(path: Path, data: bytes) -> None:
    """Replace a file so that after a crash it is the old one or the new one, whole."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _rejected(code: str, field: str, remedy: str, danish: str) -> Rejected:
    return Rejected(code, f"{field}: {remedy}", field=field, remedy=remedy, da=danish)
