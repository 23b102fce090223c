"""Key rotation: a new key that the old one signed for, in every process's `evidence.json`, in the log, in the bundles.

Rules kept here:
1. A rotation is a note signed by both keys (`— old`, `— new`): the old one vouches, the new one shows that it is there.
   It says from which size of the log on the new key is valid. Whoever trusts the old key from outside can follow it.
2. What was signed before stays as it is and verifies with the old key; no head, statement or seal is signed again.
3. Two steps, each safe to repeat: the new key and the note are written to `rotating.json` first, then `evidence.json`
   of every process is replaced whole (one rename each). A rotation that was cut short is finished by the next call, so
   that no key ever signs that a stranger could not follow.
4. The rotation is evidence: entry KEY_ROTATED of the log's own record `evidence-keys`, with digests only.
The old private key's file stays where it is until the operator destroys it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from contracts.errors import Rejected
from services.compliance.signing import keys
from services.compliance.signing.signers import FileSigner, Signer, open_signer
from services.compliance.verifier import ophor_verify

PENDING, RECORD = "rotating.json", "evidence-keys"
_FIELDS = {keys.LOG: "log", keys.SEAL: "seal", keys.SIGN: "sign", keys.PDF: "pdf"}


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: which key, from which size of the log on, on which day; `to`: the new key's description."""

    name: str
    size: int
    on: date
    to: Path | None = None
    certificate: Path | None = None


def rotate(root: Path, order: Order) -> str:
    """Rotate a key in all key folders under `root`, and give the note; finish one that was cut short instead.

    Rejected ROTATION_KEY for an unknown name, ROTATION_CERTIFICATE where a production seal is given none.
    """
    pending = root / PENDING
    if not pending.exists():
        _write(pending, _plan(root, order))
    said = json.loads(pending.read_text("utf-8"))
    _adopt(root, said["public"])
    pending.unlink()
    return str(said["note"])


def entry_of(note: str, on: date) -> dict[str, Any]:
    """Give the note as evidence: digests, no keys."""
    said = ophor_verify.read_rotation(note)
    digest = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in (("old", said.old), ("new", said.new))}
    return {
        "name": said.name,
        "old_digest": digest["old"],
        "new_digest": digest["new"],
        "note_digest": hashlib.sha256(note.encode()).hexdigest(),
        "size": said.size,
        "on": on.isoformat(),
    }


def _plan(root: Path, order: Order) -> dict[str, Any]:
    """Make or open the new key, and write down what all processes shall know afterwards."""
    if order.name not in _FIELDS:
        raise _rejected("ROTATION_KEY", "name", f"one of {', '.join(_FIELDS)}")
    public = keys.load_public(root / "face")
    home = root / next(holder for holder, name in keys.HOLDERS.items() if name == order.name)
    fresh = _fresh(home, order)
    if order.name == keys.PDF:
        certificate = _certificate(public, order, fresh)
        raw = certificate.public_bytes(serialization.Encoding.DER)
        after = replace(public, pdf=keys.fingerprint(certificate), certificate=base64.b64encode(raw).decode())
        signers: tuple[Any, Any] = (keys.load_seal(home), keys.SealKey(fresh, certificate))
    else:
        new = keys.NoteKey(public.key_of(order.name).split("+")[0], fresh)
        after = replace(public, **{_FIELDS[order.name]: new.vkey})  # type: ignore[arg-type]
        signers = (keys.load_note(home, order.name), new)
    note = _note(order, public, after, signers)
    _keep(home, order, fresh, after.id_of(order.name))
    return {"note": note, "public": replace(after, rotations=(*public.rotations, note)).as_dict()}


def _fresh(home: Path, order: Order) -> Signer:
    if order.to:
        return open_signer(order.to.parent, order.to.stem)
    private = (
        ec.generate_private_key(ec.SECP256R1()) if order.name == keys.PDF else ed25519.Ed25519PrivateKey.generate()
    )
    return FileSigner(private)


def _certificate(public: keys.PublicKeys, order: Order, fresh: Signer) -> x509.Certificate:
    if order.certificate:
        return x509.load_pem_x509_certificate(order.certificate.read_bytes())
    if public.kind != "rehearsal" or not isinstance(fresh, FileSigner):
        raise _rejected("ROTATION_CERTIFICATE", "certificate", "give the new key's certificate (--certificate FILE)")
    return keys.demo_certificate(fresh.private)  # type: ignore[arg-type]


def _note(order: Order, before: keys.PublicKeys, after: keys.PublicKeys, signers: tuple[Any, Any]) -> str:
    lines = ["ophor-key-rotation/v1", f"key {order.name}", f"old {before.key_of(order.name)}"]
    lines += [f"new {after.key_of(order.name)}", f"size {order.size}", f"on {order.on.isoformat()}"]
    if order.name == keys.PDF:
        lines += [f"certificate {before.certificate}", f"certificate {after.certificate}"]
    body = "\n".join(lines) + "\n"
    signed = [base64.b64encode(signer.sign(body.encode())).decode() for signer in signers]
    note = f"{body}\n— old {signed[0]}\n— new {signed[1]}\n"
    ophor_verify.read_rotation(note)
    return note


def _keep(home: Path, order: Order, fresh: Signer, key_id: str) -> None:
    """Put the new key, or its description, beside the old one under its own id."""
    if order.to:
        _write(home / f"{order.name}-{key_id}.json", json.loads(order.to.read_text("utf-8")))
    elif isinstance(fresh, FileSigner):
        path = home / f"{order.name}-{key_id}.pem"
        keys.write_private(path, fresh.private)
        _give(path, home)


def _adopt(root: Path, public: dict[str, Any]) -> None:
    """Replace every process's `evidence.json` and the readers' list of keys."""
    for holder in keys.HOLDERS:
        _write(root / holder / keys.PUBLIC_FILE, public, 0o644)
    lines = keys.load_public(root / "face").lines()
    (root / "keys.txt").write_text("\n".join(lines) + "\n", "utf-8")


def _write(path: Path, value: Any, mode: int = 0o600) -> None:
    """Write JSON as one rename, owned as its folder is."""
    fresh = path.with_name(f".{path.name}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=1, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _give(fresh, path.parent)
    fresh.replace(path)


def _give(path: Path, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _rejected(code: str, field: str, remedy: str) -> Rejected:
    return Rejected(code, "the key cannot be rotated", field=field, remedy=remedy, da="Nøglen kan ikke skiftes.")


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Rotate a key of the log that the environment names: 0 done, 1 the world is wrong, 2 refused."""
    from services.compliance import store as evidence
    from services.compliance.log import program

    parser = argparse.ArgumentParser(prog="ophor evidence rotate")
    parser.add_argument("name", choices=sorted(_FIELDS))
    parser.add_argument("--folder", type=Path, help="the folder above the processes' key folders")
    parser.add_argument("--to", type=Path, help="a description of the new key (docs/keys.md); else a file is made")
    parser.add_argument("--certificate", type=Path, help="the certificate of a new sealing key (PEM)")
    asked = parser.parse_args(argv)

    def work(store: Any) -> None:
        head, today = store.read(evidence.head), store.read(lambda unit: unit.today)
        order = Order(asked.name, head["size"] if head else 0, today, asked.to, asked.certificate)
        note = rotate(asked.folder or Path(os.environ["OPHOR_KEYS"]).resolve().parent, order)
        ref = "rotated-" + hashlib.sha256(note.encode()).hexdigest()[:24]
        item = {"ref": ref, "exit_id": RECORD, "kind": "KEY_ROTATED", "entry": entry_of(note, today)}
        store.run(lambda unit: evidence.offer(unit, item))
        say(note)

    return program.run(work)


if __name__ == "__main__":
    sys.exit(main())
