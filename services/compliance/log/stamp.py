"""Time stamps on the log's head (RFC 3161): an authority says that this checkpoint existed at that time.

`ophor evidence stamp URL` stamps the present head; where OPHOR_TSA names an authority, the ledger stamps the head that
a certificate is drawn up from. What is stamped is the note with the log's own signature line, so that cosignatures that
come later change nothing. Rules kept here:
1. An answer is believed when it is granted, over this note, with this nonce, and its own signature holds; where
   OPHOR_TSA_CHAIN names the authority's certificates (PEM), also when it leads to them.
2. A stamp is asked for once a head, kept with it (`log_heads`), and goes into the bundles under `tsr/`.
3. Failure degrades and never blocks: it is kept with the head as its code, the certificate says that there is no time
   stamp, and its issue goes on. An authority has `TIMEOUT_S` to answer.
4. Revocation lists are taken from a file (OPHOR_TSA_CRL, PEM one after another) that somebody else renews: nothing here
   follows an address that a certificate names. A file that is missing is no list.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from contracts.errors import OphorError, Rejected, Unavailable
from services.compliance import store as evidence
from services.compliance.documents.draft import Head
from services.compliance.log import program
from services.compliance.store import stamps
from services.compliance.verifier import ophor_verify
from shared.runtime.logging import log
from shared.store.unit import Store

TIMEOUT_S, LONGEST = 10, 65_536
END_OF_LIST = b"-----END X509 CRL-----"
Ask = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Authority:
    """How an authority is asked, the certificates that it must lead to (PEM), and its revocation lists, if known."""

    ask: Ask
    chain: bytes = b""
    lists: tuple[x509.CertificateRevocationList, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Authority | None:
        """Give the configured authority, None where there is none; Rejected TSA_URL, TSA_CHAIN."""
        if not environ.get("OPHOR_TSA"):
            return None
        authority = cls.at(environ["OPHOR_TSA"], environ.get("OPHOR_TSA_CHAIN", ""))
        return replace(authority, lists=lists_in(environ.get("OPHOR_TSA_CRL", "")))

    @classmethod
    def at(cls, url: str, chain: str = "") -> Authority:
        """Give the authority at `url`; `chain` is the path of its certificates."""
        try:
            return cls(over_http(url), Path(chain).read_bytes() if chain else b"")
        except OSError as error:
            raise _rejected("TSA_CHAIN", type(error).__name__, "the path of the authority's certificates") from None


def lists_in(path: str) -> tuple[x509.CertificateRevocationList, ...]:
    """Read the revocation lists of a file (PEM); none where it cannot be read, which is logged."""
    try:
        parts = Path(path).read_bytes().split(END_OF_LIST)[:-1] if path else []
        return tuple(x509.load_pem_x509_crl(one + END_OF_LIST) for one in parts)
    except (OSError, ValueError) as error:
        log.warning("revocation_lists_unread", kind=type(error).__name__)
        return ()


def take(note: str, key: str, authority: Authority) -> tuple[bytes, str]:
    """Have a checkpoint stamped: give the response and its time; `key` is the log's, one of a rotated log included.

    Raise Rejected TSA_FALSE for an answer that does not fit, Unavailable TSA_UNREACHABLE.
    """
    data = ophor_verify.stamped_bytes(note, ophor_verify.note_key(key))
    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    raw = authority.ask(request.as_bytes())
    try:
        answer = decode_timestamp_response(raw)
        if answer.status not in (0, 1) or answer.tst_info.nonce != request.nonce:
            raise ophor_verify.Failed("not granted, or the answer to another request")
        stamp = ophor_verify.read_stamp(raw)
        if stamp.imprint != request.message_imprint.message:
            raise ophor_verify.Failed("over something else")
        if authority.chain:
            ophor_verify.check_authority(stamp, authority.chain)
    except Exception as error:  # what an authority answers may break any reader of it (rule 3)
        raise _rejected("TSA_FALSE", str(error)[:200], "check the authority's address and certificates") from None
    return raw, ophor_verify.written(stamp.at)


def stamp(store: Store, authority: Authority) -> str | None:
    """Have the present head stamped and keep that with it; give the time, also of a stamp that is there already."""
    head = store.read(evidence.head)
    if head is None:
        return None
    there = store.read(lambda unit: stamps.of(unit, head["size"]))
    if there:
        return there[1]
    made = take(head["checkpoint"], head["keys"][0], authority)
    store.run(lambda unit: stamps.keep(unit, head["size"], made))
    return made[1]


def before_certificate(work: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Stamp the head that a certificate is about to be drawn up from, where there is an authority; never fail."""
    head = None
    try:
        authority = Authority.from_environment(environ)
        head = work.read(evidence.head) if authority else None
        if authority is None or head is None or work.read(lambda unit: stamps.of(unit, head["size"])):
            return
        made = take(head["checkpoint"], head["keys"][0], authority)
        work.transaction(lambda unit: stamps.keep(unit, head["size"], made))
    except OphorError as error:
        log.warning("time_stamp_failed", code=error.code)
        if head is not None:
            size, code = head["size"], error.code
            work.transaction(lambda unit: stamps.none(unit, size, code))


def time_of(unit: Any, size: int) -> str:
    """Give the time of a head's stamp, empty where it has none."""
    there = stamps.of(unit, size)
    return there[1] if there else ""


def stated(unit: Any, head: Head, row: Mapping[str, Any]) -> Head:
    """Give the head as a certificate's row states it: with a stamp only where the row says so and the token agrees.

    A stamp that came after the statement was drawn up changes nothing in it.
    """
    there = stamps.of(unit, head.size) if row.get("stamped_at") else None
    if there is None or ophor_verify.written(ophor_verify.read_stamp(there[0]).at) != row["stamped_at"]:
        return head
    return replace(head, stamped_at=there[1])


def over_http(url: str) -> Ask:
    """Give the way to ask the authority at `url` (RFC 3161 §3.4)."""

    def ask(request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            with urlopen(Request(url, request, headers), timeout=TIMEOUT_S) as answer:  # noqa: S310
                return bytes(answer.read(LONGEST))
        except (URLError, OSError, HTTPException) as error:  # the last: what answers speaks no HTTP
            why = str(getattr(error, "code", type(error).__name__))
            raise Unavailable("TSA_UNREACHABLE", why, remedy="try again later") from None

    if urlsplit(url).scheme not in ("http", "https"):
        raise _rejected("TSA_URL", "not an address of a time-stamp authority", "http://… or https://…")
    return ask


def _rejected(code: str, message: str, remedy: str) -> Rejected:
    return Rejected(code, message, field="tsa", remedy=remedy, da=f"Tidsstemplet er ikke sat ({code}).")


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Stamp the head of the log that the environment names: 0 done, 1 the world is wrong, 2 refused."""
    parser = argparse.ArgumentParser(prog="ophor evidence stamp")
    parser.add_argument("url")
    parser.add_argument("--tsa-chain", default="", help="the authority's certificates, its root among them (PEM)")
    asked = parser.parse_args(argv)
    return program.run(lambda store: say(stamp(store, Authority.at(asked.url, asked.tsa_chain)) or "0"))


if __name__ == "__main__":
    sys.exit(main())
