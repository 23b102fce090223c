"""The package: a BagIt bag, streamed as a reproducible tar through age to the successor's key, and its hand-over.

Rules kept here:
1. The bag is validated before it is sealed; the same payload gives the same tar, byte for byte.
2. Nothing is visible in the drop before it is whole: a file is written under a hidden name, synced, then renamed.
3. What was handed over is read back from the drop and its digest compared; a difference is an error, never a warning.
4. Digests that leave this service are over the encrypted package (evidence: no digest over personal data).
5. File names may be personal data: the bagging library's own log is silenced, and no error names a document.
"""

from __future__ import annotations

import logging
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

import bagit
import pyrage

from contracts.errors import Rejected, Unavailable
from shared.runtime.drops import Digesting, digest_of, drop_errors, recipient_key, sync_folder, write_atomically

logging.getLogger("bagit").disabled = True
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted package: SHA-256 (hex) over the ciphertext, its bytes, and the payload files inside."""

    digest: str
    size: int
    files: int


def make_bag(folder: Path, info: dict[str, str]) -> int:
    """Turn the payload in `folder` into a bag (sha256, sha512), validate it, and count its payload files."""
    try:
        bag = bagit.make_bag(str(folder), info, processes=1, checksums=["sha256", "sha512"])
        bag.validate(processes=1)
    except bagit.BagError:
        raise Unavailable(
            "BAG_INVALID", "the bag did not validate after it was made", remedy="build it again"
        ) from None
    return len(bag.payload_entries())


def seal(folder: Path, recipient: str, target: Path, day: date) -> Sealed:
    """Stream `folder` as a tar through age into `target`; `day` stamps the entries, so the tar is reproducible."""
    key, files = recipient_key(recipient), sum(1 for _ in payload(folder))
    written: list[Sealed] = []

    def fill(file: BinaryIO) -> None:
        writer = Digesting(file)
        with _TarStream(folder, day) as plain:
            pyrage.encrypt_io(plain, writer, [key])
        written.append(Sealed(writer.sha.hexdigest(), writer.size, files))

    write_atomically(target, fill)
    return written[0]


def payload(folder: Path) -> Iterator[Path]:
    """Give the payload files of a bag."""
    return (path for path in (folder / "data").rglob("*") if path.is_file())


class _TarStream:
    """The tar of a folder as a file to read from, written by a thread of its own; its failure is raised at the end."""

    def __init__(self, folder: Path, day: date) -> None:
        self.folder, self.at = folder, int(datetime.combine(day, time(), UTC).timestamp())
        self.failure: BaseException | None = None

    def __enter__(self) -> BinaryIO:
        read, write = os.pipe()
        self.reader = os.fdopen(read, "rb")
        self.thread = threading.Thread(target=self._write, args=(write,), daemon=True)
        self.thread.start()
        return self.reader

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.reader.close()
        self.thread.join()
        if self.failure is not None and kind is None:
            raise self.failure

    def _write(self, handle: int) -> None:
        try:
            with (
                os.fdopen(handle, "wb") as pipe,
                tarfile.open(mode="w|", fileobj=pipe, format=tarfile.PAX_FORMAT) as tar,
            ):
                for path in sorted(self.folder.rglob("*")):
                    name = f"{self.folder.name}/{path.relative_to(self.folder).as_posix()}"
                    tar.add(path, name, recursive=False, filter=self._plain)
        except BaseException as error:
            self.failure = error

    def _plain(self, entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime, entry.mode = self.at, 0o755 if entry.isdir() else 0o644
        return entry


def handed_over(expected: str, target: Path) -> bool:
    """Tell whether exactly these bytes lie in the drop already."""
    with drop_errors():
        return target.exists() and digest_of(target) == expected


def hand_over(sealed: Path, expected: str, target: Path) -> None:
    """Bring the sealed package into the drop as `target` and read it back (rules 2, 3); idempotent.

    Raise Unavailable SEALED_LOST where neither the drop nor the work folder has these bytes any more.
    """
    if handed_over(expected, target):
        return
    if not sealed.exists() or digest_of(sealed) != expected:
        raise Unavailable("SEALED_LOST", "the sealed package is not in the work folder any more", field="package_id")
    with drop_errors(), sealed.open("rb") as source:
        write_atomically(target, lambda file: shutil.copyfileobj(source, file, _CHUNK))
    if digest_of(target) != expected:
        raise Unavailable(
            "PACKAGE_READBACK_MISMATCH",
            "what lies in the drop is not what was written there",
            field="drop",
            remedy="look at the drop's storage and try again",
        )


def probe(folder: Path, recipient: str) -> str:
    """Write, read back and remove an encrypted probe file in the drop; give OK or the code of what failed."""
    try:
        key = recipient_key(recipient)
    except Rejected as error:
        return error.code
    if not folder.is_dir():
        return "DROP_MISSING"
    secret = pyrage.encrypt(os.urandom(64), [key])
    target = folder / f".ophor-probe-{os.urandom(8).hex()}"
    try:
        write_atomically(target, lambda file: file.write(secret))
        same = target.read_bytes() == secret
        target.unlink()
    except OSError:
        _forget(target)
        return "DROP_NOT_WRITABLE"
    return "OK" if same and not target.exists() else "DROP_READBACK"


def _forget(target: Path) -> None:
    for path in (target, target.with_name(f".{target.name}.part")):
        with suppress(OSError):
            path.unlink()


def destroy(folder: Path) -> None:
    """Remove our own plaintext copies; raise Unavailable WORK_LEFT while anything is left."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise Unavailable(
            "WORK_LEFT",
            "the work folder of a delivered package could not be removed",
            field="OPHOR_WORK",
            remedy="give the hand the right to remove it",
        )
    if folder.parent.is_dir():
        sync_folder(folder.parent)
