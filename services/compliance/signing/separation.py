"""Whether the machine keeps the two signers apart, as each of them found it itself.

Rules kept here:
1. At its start each signer looks: who am I (not root), are the files of my key folder mine alone, and can I open the
   other's folder (OPHOR_OTHER_KEYS)? It keeps the answer in the store; nobody else answers for it.
2. When a certificate is asked for, the two answers become evidence of the exit (SIGNERS_CHECKED), only where both found
   private files, neither could read the other's folder, and they are two users.
3. A statement names the two users only by that entry and for the keys that it is signed with, and a signer looks again
   before it signs such a statement. On any doubt the certificate says that this is NOT DONE.
`DENIED`: the other's folder is there and refused. `NOT_MOUNTED`: it is not in this process's file system (containers).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.errors import OphorError
from services.compliance import store
from services.compliance.signing import keys
from shared.runtime.logging import log

SIGNERS = {"seal": keys.SEAL, "sign": keys.SIGN}
PRIVATE, OPEN = "PRIVATE", "OPEN"
DENIED, NOT_MOUNTED, READABLE, UNKNOWN = "DENIED", "NOT_MOUNTED", "READABLE", "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Look:
    """What a signer found: its user, the digest of its public key, its own files, the other's folder."""

    user: int
    key: str
    own_files: str
    other_folder: str

    @property
    def apart(self) -> bool:
        return self.user != 0 and self.own_files == PRIVATE and self.other_folder in (DENIED, NOT_MOUNTED)


def look(folder: Path, name: str, other: Path | None) -> Look:
    """Look at the own key folder and at the other signer's."""
    public = keys.load_public(folder).key_of(name)
    files = [path for path in folder.iterdir() if path.name != keys.PUBLIC_FILE and path.name[:2] != ".."]
    own = PRIVATE if files and all(_private(path) for path in files) else OPEN
    return Look(os.geteuid(), hashlib.sha256(public.encode()).hexdigest(), own, _seen(other))


def tell(service: Any, environ: Mapping[str, str], hand: str) -> None:
    """Look, and keep what was found in the store; a signer that cannot is simply not known to be apart."""
    from shared.runtime.clock import clock_for
    from shared.runtime.config import Config
    from shared.store.unit import Store

    config = Config.read(environ)
    if config.keys is None:
        return
    try:
        found = look(config.keys, SIGNERS[hand], _other(environ))
        with closing(Store(config.mongo_uri, service, clock_for(config.mode, config.clock_uri))) as own:
            own.run(lambda unit: _keep(unit, hand, found))
        log.info("signer_looked", user=found.user, own_files=found.own_files, other_folder=found.other_folder)
    except (OphorError, OSError) as error:
        log.warning("signer_not_looked", code=getattr(error, "code", type(error).__name__))


def offer(unit: Any, exit_id: str) -> None:
    """Make evidence of the exit of what the two signers found, once, where they are apart (rule 2)."""
    rows = {row["_id"]: Look(**row["look"]) for row in unit.db.signers.find({}, session=unit.session)}
    if set(rows) != set(SIGNERS) or not _apart(*rows.values()):
        return
    seal, sign = rows["seal"], rows["sign"]
    entry = {
        "seal_user": seal.user,
        "sign_user": sign.user,
        "seal_key": seal.key,
        "sign_key": sign.key,
        "own_files": PRIVATE,
        "other_folder": DENIED if {seal.other_folder, sign.other_folder} == {DENIED} else NOT_MOUNTED,
    }
    text = "|".join([exit_id, *(str(value) for value in entry.values())])
    ref = "signers-" + hashlib.sha256(text.encode()).hexdigest()[:24]
    on = unit.today.isoformat()
    store.offer(unit, {"ref": ref, "exit_id": exit_id, "kind": "SIGNERS_CHECKED", "entry": entry | {"on": on}})


def still(folder: Path, name: str, predicate: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> bool:
    """Look again before signing: is this signer as the statement says, where it says anything? (rule 3)"""
    said = predicate["signers"].get("os_users")
    if said is None:
        return True
    found = look(folder, name, _other(environ))
    hand = next(hand for hand, key in SIGNERS.items() if key == name)
    return found.apart and found.user == said[f"{hand}_user"]


def _apart(seal: Look, sign: Look) -> bool:
    return seal.apart and sign.apart and seal.user != sign.user


def _other(environ: Mapping[str, str]) -> Path | None:
    return Path(environ["OPHOR_OTHER_KEYS"]) if environ.get("OPHOR_OTHER_KEYS") else None


def _private(path: Path) -> bool:
    """Tell whether a file is this user's alone: its own, or root's given to its own group to read."""
    try:
        found = path.stat()
    except OSError:
        return False
    mode, user = stat.S_IMODE(found.st_mode), os.geteuid()
    mine = found.st_uid == user and not mode & 0o077
    given = found.st_uid == 0 and found.st_gid == user == os.getegid() and not mode & 0o037
    return mine or given


def _seen(other: Path | None) -> str:
    """Try to read the other signer's folder."""
    if other is None:
        return UNKNOWN
    try:
        for path in other.iterdir():
            path.open("rb").close()
    except PermissionError:
        return DENIED
    except FileNotFoundError:
        return NOT_MOUNTED
    except OSError:
        return UNKNOWN
    return READABLE


def _keep(unit: Any, hand: str, found: Look) -> None:
    said = {name: getattr(found, name) for name in found.__slots__}
    row = {"_id": hand, "look": said, "at": unit.now.isoformat(timespec="seconds")}
    unit.db.signers.replace_one({"_id": hand}, row, upsert=True, session=unit.session)
