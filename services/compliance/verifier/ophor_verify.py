#!/usr/bin/env python3
"""Verify an Ophør certificate offline: a PDF, a DSSE file or a bundle (zip).

    python3 ophor_verify.py FILE --key KEY [--key KEY …] [--head FILE …] [--witness KEY …] [--revocations FILE]
                            [--tsa-chain FILE] [--rotation FILE …] [--rehearsal]
    python3 ophor_verify.py prove-record BUNDLE RECORDS … --place SYSTEM/PLACE --key COLUMN … [--trust KEY …]

One file: Python ≥ 3.11's standard library and `cryptography`. No network, nothing imported from the project.
What it trusts comes from outside the file (`--key`, `--head`, `--witness`, `--revocations`); keys inside prove nothing.
KEY is a signed-note verifier key (`name+hash+key`) or `x509-sha256:HEX`, the sealing certificate's fingerprint; of a
witness, a cosigner's (c2sp.org/tlog-cosignature). Its cosignature may stand in the bundle or on a head given. A key
that was rotated is followed by the signed notes in the bundle or given (`--rotation`); time stamps (RFC 3161) are
judged by the authority's certificates given (`--tsa-chain`), those on the PDF's seal (PAdES B-T, B-LTA) too.

Checks: 1 form · 2 manifest · 3 PDF seal · 4 statement · 5 signatures · 6 trusted keys · 7 checkpoint · 8 inclusion ·
9 chain of the exit's entries · 10 consistency · 11 heads from outside · 12 completeness · 13 sums · 14 order ·
15 stage · 16 statement against evidence · 17 revocation · 18 kind · 19 witness · 20 time stamps ·
21 signers kept apart · 22 below the rows.
Ladder: SELF-CONSISTENT < SIGNED < WITNESSED < TIMESTAMPED (by 20 alone; what 19 says stands beside it).
Exit codes: 0 verified, 1 failed, 2 malformed, 3 policy not met (no trusted keys, no cosignature by the witness or time
stamp by the authority asked for, or a rehearsal without --rehearsal).
`prove-record` tells whether one record is among what was deleted (RECORDS: the opened files of keys and commitments):
0 deleted, 1 not among it, 2 cannot tell, 3 answered, but policy not met.
"""

from __future__ import annotations

import argparse
import base64
import calendar
import hashlib
import hmac
import json
import re
import struct
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise, product
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

OK, FAILED, NOT_DONE, POLICY = "OK", "FAILED", "NOT DONE", "POLICY"
VERIFIED, EXIT_FAILED, MALFORMED, EXIT_POLICY = 0, 1, 2, 3
LIMIT = 512 * 1024 * 1024
JSON_LIMIT, JSON_VALUES = 16 * 1024 * 1024, 500_000
STATEMENT_TYPE = "application/vnd.in-toto+json"
MANIFEST_TYPE = "application/vnd.ophor.manifest+json"
PREDICATES = {"urn:ophor:deletion-certificate:v1": "production", "urn:ophor:rehearsal-certificate:v1": "rehearsal"}
DESTRUCTION = ("DELETION_BEGUN", "DELETION_BATCH_CLOSED")
BEFORE_DESTRUCTION = ("DELETION_PREVIEWED", "DELETION_INTENT", "PERMIT_ISSUED")
SCOPES = ("C7", "D2", "D3b", "D7a")
KEEPING = {"S1-8.3", "S1-8.4", "S1-8.5", "S2-28.2-retention"}
AT_SILENCE = "delete_at_k15"
COUNTS = ("before", "arrived", "deleted", "retained", "residual", "delivered")
TERMINAL = ("deleted", "absent_verified", "excluded", "attested")
KEY_DESTROYED = "KEY_DESTROYED"
ENDED = ("GONE", KEY_DESTROYED)
BEFORE_KEYS = ("SHREDDING_PLANNED", "DELETION_INTENT", "PERMIT_ISSUED", "SHREDDING_BEGUN")
KEY_COPIES = {"STORE", "REPLICA", "ESCROW", "TOKEN", "STORE_BACKUP"}
ATTESTS = {"supplier": "ist_sletteansvarlig", "customer": "kommune_projektleder"}
SEEN_BELOW = ("CLEANED", "HELD")
BELOW = (*SEEN_BELOW, "ERROR", "NOT_OFFERED", "NOT_ASKED")
ASKED_BELOW, UNITS = ("none", "clean", "rewrite"), ("rows", "bytes", "transactions", None)
REMAINS = {"FREE_SPACE", "INDEX_KEYS", "STATISTICS", "LOG", "REPLICAS", "DISK"}
NEVER_CLEANED = ("mongodb", "manual")  # old pages stay until written again; a manual system has no engine of ours
BELOW_FIELDS = {"system", "place", "asked", "answer", "reason", "unit", "before", "after", "remains"}
MEDIA, STAYS, NOT_USED = "MEDIA_SANITISED", "DATA_LEFT_WITH_CUSTOMER", "NOT_USED"
REASON = re.compile(
    r"(NOT_CUSTOMER_DATA|SHARED_CODE|CUSTOMER_POSSESSION|CONTINUING_AGREEMENT"
    r"|OPTION\([^()]+\)|INSTRUCTION\([^()]+\)|LAW\([^(),]+,[^(),]+\))\Z"
)
MANDATORY = (
    "kind",
    "certificate_id",
    "number",
    "stage",
    "version",
    "status",
    "follows",
    "revokes",
    "issued_on",
    "simulated_dates",
    "software",
    "exit",
    "controller",
    "processor",
    "agreement",
    "instruction",
    "dates",
    "scope",
    "systems",
    "retained",
    "backups",
    "holds",
    "access",
    "delivery",
    "approvals",
    "archive",
    "outside",
    "obligations",
    "not_covered",
    "not_done",
    "limits",
    "log",
    "signers",
    "keeping",
    "wording",
)
SPARE = {  # kinds that no check reads: their entries may be forgotten
    "APPROVAL_EXPIRED", "BILLING_RUN_RECORDED", "CONTACT_NAMED", "EQUIPMENT_LISTED", "MEETING_HELD", "REMINDER_DUE",
}  # fmt: skip
AGAIN = "RE-DELETION"
DELETING = ("ACTIVE-DELETED", "BACKUP-EXPIRED", AGAIN)
SUPERSEDED = "SUPERSEDED"  # a later version of the same number stands
ACCESS, HANDED, WITHDRAWN, LETTER = "ACCESS-CLOSED", "DELIVERY", "REVOCATION", "STATUS"
CORRECTABLE = (*DELETING, ACCESS, HANDED)
OF_DELETING = {"follows", "instruction", "scope", "systems", "retained", "backups", "holds", "access", "delivery",
               "approvals", "archive", "outside", "obligations"}  # fmt: skip
OF_STAGE: dict[str, tuple[str, ...]] = {
    HANDED: ("scope", "delivery"),
    ACCESS: ("scope", "access"),
    WITHDRAWN: (),
    LETTER: ("scope", "backups", "holds", "access", "obligations", "certificates", "gates", "checkpoint"),
}
REVOKED_FOR = {"WRONG_COUNTS", "WRONG_SCOPE", "WRONG_PARTY", "DATA_FOUND", "EVIDENCE_DISPROVED", "KEY_COMPROMISED",
               "ISSUED_IN_ERROR"}  # fmt: skip
CORRECTED_FOR = {"PARTY_DETAILS", "OFFICIAL_DETAILS", "TITLES", "RULES_WORDING", "LATER_EVIDENCE"}
EVENT_FIELDS = {"version", "origin", "exit", "n", "prev", "kind", "ref", "at", "entry"}

NAMES = {
    1: ("Filens form", "Form of the file"),
    2: ("Indholdsfortegnelse", "Manifest"),
    3: ("PDF'ens segl", "Seal of the PDF"),
    4: ("Udsagnets form", "Form of the statement"),
    5: ("Underskrifter", "Signatures"),
    6: ("Nøgler givet udefra", "Keys given from outside"),
    7: ("Loggens hoved", "Checkpoint of the log"),
    8: ("Beviser i loggen", "Evidence included in the log"),
    9: ("Ingen beviser udeladt", "No evidence left out"),
    10: ("Loggens hoveder hænger sammen", "Heads of the log are consistent"),
    11: ("Hoveder givet udefra", "Heads given from outside"),
    12: ("Hvert sted er afklaret", "Every place is answered"),
    13: ("Summer", "Sums"),
    14: ("Rækkefølge", "Order"),
    15: ("Trinnets regler", "Rules of the stage"),
    16: ("Udsagn mod beviser", "Statement against evidence"),
    17: ("Tilbagekaldelse", "Revocation"),
    18: ("Bevisets art", "Kind of certificate"),
    19: ("Vidne", "Witness"),
    20: ("Tidsstempler", "Time stamps"),
    21: ("Underskriverne adskilt på maskinen", "Signers kept apart by the machine"),
    22: ("Under rækkerne", "Below the rows"),
}


class Malformed(Exception):
    """The file is not what it says it is; nothing in it was believed."""


class Failed(Exception):
    """A check found something wrong."""


@dataclass
class Check:
    n: int
    result: str
    detail: str


@dataclass
class Report:
    checks: list[Check] = field(default_factory=list)
    predicate: dict[str, Any] = field(default_factory=dict)
    malformed: str = ""
    statement_digest: str = ""
    subject: Any = None

    def add(self, n: int, result: str, detail: str) -> None:
        self.checks.append(Check(n, result, detail))

    def run(self, n: int, check: Any, *args: Any) -> Any:
        """Run one numbered check; what it raises as Failed becomes its result."""
        try:
            value = check(*args)
        except Failed as error:
            self.add(n, FAILED, str(error))
            return None
        except Malformed:
            raise
        except Exception as error:  # a forged file may break anything; it must end as a failed check
            self.add(n, FAILED, f"cannot be read: {type(error).__name__} {error}"[:200])
            return None
        self.add(n, OK, value if isinstance(value, str) else "")
        return value

    @property
    def code(self) -> int:
        if self.malformed:
            return MALFORMED
        results = {check.result for check in self.checks}
        return EXIT_FAILED if FAILED in results else EXIT_POLICY if POLICY in results else VERIFIED

    @property
    def level(self) -> str:
        if self.malformed or any(check.result == FAILED for check in self.checks):
            return "NONE"
        done = {check.n for check in self.checks if check.result == OK}
        if 6 not in done:
            return "SELF-CONSISTENT"
        return "TIMESTAMPED" if 20 in done else "WITNESSED" if 19 in done else "SIGNED"


@dataclass
class Options:
    keys: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    revocations: str | None = None
    rehearsal: bool = False
    witnesses: list[str] = field(default_factory=list)
    tsa_chain: bytes | None = None
    rotations: list[str] = field(default_factory=list)


# ---------------------------------------------------------------------------------------------- strict reading


def need(true: Any, why: str) -> None:
    """Fail the running check unless `true`."""
    if not true:
        raise Failed(why)


def form(true: Any, why: str) -> None:
    """Refuse the whole file unless `true`."""
    if not true:
        raise Malformed(why)


def parse(data: bytes, what: str) -> Any:
    """Read canonical JSON (RFC 8785): no duplicate keys, floats, NaN, rounded integers or other spellings."""
    form(len(data) <= JSON_LIMIT, f"{what}: too large")
    form(sum(data.count(mark) for mark in (b"[", b"{", b",")) <= JSON_VALUES, f"{what}: too many values")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_integer,
        )
        form(canonical(value) == data, f"{what}: not canonical JSON")
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{what}: {str(error)[:120] or type(error).__name__}") from None
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key in JSON")
    return found


def _refuse(text: str) -> Any:
    raise ValueError(f"number {text[:20]} is not an integer")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 2**53:
        raise ValueError("number too large")
    return int(text)


def canonical(value: Any) -> bytes:
    """Write RFC 8785 for values without floats: members by UTF-16 code units, shortest escapes."""
    return _write(value).encode("utf-8")


def _write(value: Any) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_write(key)}:{_write(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(one) for one in value) + "]"
    return _written_plainly(value)


_written_plainly = json.JSONEncoder(ensure_ascii=False).encode


def unbase64(text: Any, what: str) -> bytes:
    """Read base64 in its one canonical spelling."""
    form(isinstance(text, str), f"{what}: not base64")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed(f"{what}: not base64") from None
    form(base64.b64encode(data).decode() == text, f"{what}: base64 in another spelling")
    return data


# ---------------------------------------------------------------------------------------------- the canonical zip


def read_zip(data: bytes) -> dict[str, bytes]:
    """Read a canonical zip from its start and compare it with its own rebuilding, byte for byte."""
    members: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\x03\x04":
        form(at + 30 <= len(data), "zip: cut off")
        _, _, _, method, _, _, _, packed, size, name_size, extra = struct.unpack("<IHHHHHIIIHH", data[at : at + 30])
        form(method == 0 and packed == size, "zip: a compressed member is refused (zip bomb)")
        name = data[at + 30 : at + 30 + name_size].decode("utf-8", "replace")
        _refuse_path(name)
        start = at + 30 + name_size + extra
        at = start + size
        form(at <= len(data), "zip: cut off")
        form(name not in members, f"zip: member twice: {name}")
        members[name] = data[start:at]
    form(members and _is_zip_of(members, data), "zip: not the canonical zip of its members")
    return members


def _is_zip_of(members: dict[str, bytes], data: bytes) -> bool:
    """Compare piece by piece with the canonical zip: sorted, stored, dated 1980-01-01, no extras."""
    at, whole = 0, memoryview(data)
    for piece in zip_pieces(members):
        if whole[at : at + len(piece)] != piece:
            return False
        at += len(piece)
    return at == len(data)


def _refuse_path(name: str) -> None:
    parts = name.split("/")
    bad = not re.fullmatch(r"[A-Za-z0-9._/\-]{1,200}", name) or "" in parts or ".." in parts or "." in parts
    form(not bad, f"zip: path refused: {name[:80]!r}")


def zip_pieces(members: dict[str, bytes]) -> Iterator[bytes]:
    """Write the canonical zip in pieces."""
    at, directory = 0, bytearray()
    for name in sorted(members):
        data, path = members[name], name.encode()
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0x0800, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(path), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0, at) + path
        yield b"PK\x03\x04" + common + path
        yield data
        at += 30 + len(path) + len(data)
    count = len(members)
    yield bytes(directory)
    yield struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), at, 0)


# ---------------------------------------------------------------------------------------------- keys and envelopes


@dataclass(frozen=True)
class NoteKey:
    name: str
    id: bytes
    public: bytes

    @property
    def short(self) -> str:
        return f"{self.name}+{self.id.hex()}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def note_key(text: str, kind: int = 1) -> NoteKey:
    """Read a verifier key (c2sp.org/signed-note) and check its hash; kind 1 is Ed25519, 4 an Ed25519 cosigner."""
    parts = text.split("+", 2)
    if len(parts) != 3 or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
        raise Failed(f"not a verifier key: {text[:40]}")
    raw = unbase64(parts[2], "verifier key")
    need(len(raw) == 33 and raw[0] == kind, "verifier key: not Ed25519" + (", or not a witness's" if kind == 4 else ""))
    digest = hashlib.sha256(parts[0].encode() + b"\n" + raw).digest()[:4]
    need(digest.hex() == parts[1], "verifier key: hash does not match")
    return NoteKey(parts[0], digest, raw[1:])


@dataclass(frozen=True)
class Envelope:
    kind: str
    payload: bytes
    signatures: list[tuple[str, bytes]]

    @property
    def signed(self) -> bytes:
        kind = self.kind.encode()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)


def read_envelope(data: bytes, kind: str) -> Envelope:
    """Read a DSSE envelope of payload type `kind`, strictly."""
    body = parse(data, "DSSE")
    form(isinstance(body, dict) and set(body) == {"payload", "payloadType", "signatures"}, "DSSE: fields")
    form(body["payloadType"] == kind, "DSSE: another payload type")
    rows = body["signatures"]
    form(isinstance(rows, list) and 0 < len(rows) <= 16, "DSSE: signatures")
    for row in rows:
        form(
            isinstance(row, dict) and set(row) == {"keyid", "sig"} and isinstance(row["keyid"], str), "DSSE: signature"
        )
    signatures = [(row["keyid"], unbase64(row["sig"], "DSSE signature")) for row in rows]
    return Envelope(kind, unbase64(body["payload"], "DSSE payload"), signatures)


def ecdsa_verifies(certificate: x509.Certificate, signature: bytes, message: bytes) -> bool:
    """Verify ECDSA P-256 with SHA-256; the signature must be DER in its one spelling."""
    key = certificate.public_key()
    need(isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1), "seal: not ECDSA P-256")
    try:
        if encode_dss_signature(*decode_dss_signature(signature)) != signature:
            return False
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))  # type: ignore[union-attr, call-arg, arg-type]
    except (InvalidSignature, ValueError):
        return False
    return True


def print_of(der: bytes) -> str:
    """Give a certificate's fingerprint as a KEY."""
    return "x509-sha256:" + hashlib.sha256(der).hexdigest()


# ---------------------------------------------------------------------------------------------- PDF and CMS


RANGE = re.compile(rb"/ByteRange \[(\d{1,10}) (\d{1,10}) (\d{1,10}) (\d{1,10})\]")
MOST_STAMPS = 4  # a document time stamp, and its renewals
STAMP_PLACE = b"/T (Tidsstempel%s)\n"
OUTSIDE = "PDF: bytes outside the seal (text added after it)"
ENDS = re.compile(rb"\nendstream\nendobj\n\nstartxref\n(\d{1,10})\n%%EOF\n\Z")
XREF = re.compile(
    rb"(\d{1,7}) 0 obj\n<<\n/W \[ 1 8 2 \]\n/Type /XRef\n/Filter /FlateDecode\n/Size (\d{1,7})\n/Root (\d{1,7}) 0 R\n"
    rb"((?:/Info \d{1,7} 0 R\n)?)/ID \[ <([0-9a-f]{32})> <([0-9a-f]{32})> \]\n/Prev (\d{1,10})\n"
    rb"/Index \[((?: \d{1,7})+) \]\n/Length (\d{1,6})\n>>\nstream\n"
)
STREAM = re.compile(rb"\d{1,7} 0 obj\n<<\n/Length (\d{1,7})\n>>\nstream\n")
MOST_STREAMS, MOST_TABLE, MOST_BEHIND = 32, 1 << 20, 8 << 20


@dataclass(frozen=True)
class Behind:
    """A revision behind a time-stamped seal: validation data, and a document time stamp over everything before it.

    `certificates` and `lists` are those that it adds.
    """

    stamped: bytes
    token: bytes
    certificates: list[bytes]
    lists: list[bytes]


@dataclass(frozen=True)
class Pdf:
    signed: bytes
    cms: bytes
    dsse: bytes
    behind: tuple[Behind, ...] = ()


def read_pdf(data: bytes) -> Pdf:
    """Find the seal, what may stand behind it, and the one embedded file; anything else is malformed.

    Behind the seal stands nothing, or a revision that adds validation data and a document time stamp (PAdES B-LTA), and
    one more for each renewal of that; each is the same, byte for byte, as its own rebuilding.
    """
    found = [tuple(int(number) for number in one.groups()) for one in RANGE.finditer(data)]
    form(0 < len(found) <= 1 + MOST_STAMPS and data.count(b"/ByteRange") == len(found), "PDF: not exactly one seal")
    ends = [one[2] + one[3] for one in found]
    form(ends == sorted(set(ends)) and ends[-1] == len(data), OUTSIDE)
    sealed = data[: ends[0]]
    signed, cms = _hole(sealed, found[0])
    form(found[1:] or STAMP_PLACE % b"" not in sealed, "PDF: the document time stamp the seal left room for is cut off")
    behind, store = list[Behind](), Store(0, [], [])
    for n, covered in enumerate(found[1:], 1):
        one, store = _behind(data[: ends[n]], sealed, data[: ends[n - 1]], (n, covered, store))
        behind.append(one)
    return Pdf(signed, cms, embedded(data), tuple(behind))


def _hole(data: bytes, covered: tuple[int, ...]) -> tuple[bytes, bytes]:
    """Give what a signature over the whole of `data` is over, and the DER in its hole."""
    start, first, second, rest = covered
    form(start == 0 and second + rest == len(data), OUTSIDE)
    form(0 < first < second, "PDF: ByteRange")
    hole = data[first:second]
    form(data[first - 10 : first] == b"/Contents " and hole[:1] == b"<" and hole[-1:] == b">", "PDF: the seal's place")
    form(re.fullmatch(rb"(?:[0-9A-F]{2})+", hole[1:-1]), "PDF: the seal is not upper-case hexadecimal")
    raw = bytes.fromhex(hole[1:-1].decode())
    _, _, end = tlv(raw, 0)
    form(not raw[end:].strip(b"\0"), "PDF: padding after the seal is not zero")
    return data[:first] + data[second:], raw[:end]


@dataclass(frozen=True)
class Table:
    """The cross-reference stream that a revision ends with: its own place, trailer, and where its objects lie."""

    at: int
    size: int
    root: int
    info: bytes
    ids: tuple[bytes, bytes]
    offsets: dict[int, int]
    packed: bytes


def _table(data: bytes) -> Table:
    ends = ENDS.search(data, max(0, len(data) - 64))
    form(ends, "PDF: a revision has another end")
    assert ends
    at = int(ends[1])
    head = XREF.match(data, at)
    form(head, "PDF: a revision has another cross-reference")
    assert head
    _, size, root, info, first, last, _, index, length = head.groups()
    packed, numbers = data[head.end() : head.end() + int(length)], [int(one) for one in index.split()]
    form(head.end() + len(packed) == ends.start() and len(numbers) % 2 == 0, "PDF: a revision has another end")
    rows = unpacked(packed, MOST_TABLE, "the cross-reference")
    listed: list[int] = []
    for start, count in zip(numbers[::2], numbers[1::2], strict=True):
        form(0 < count <= len(rows) // 11 - len(listed), "PDF: the cross-reference")
        listed += range(start, start + count)
    form(len(rows) == 11 * len(listed), "PDF: the cross-reference")
    offsets = {one: int.from_bytes(rows[11 * n + 1 : 11 * n + 9], "big") for n, one in enumerate(listed)}
    return Table(at, int(size), int(root), info, (first, last), offsets, packed)


def _body(data: bytes, table: Table, number: int) -> bytes:
    """Give the dictionary of an object that this revision writes, without its closing brackets."""
    at, head = table.offsets.get(number, len(data)), b"%d 0 obj\n" % number
    end = data.find(b"\n>>\nendobj\n", at)
    form(data[at : at + len(head)] == head and end > 0, f"PDF: object {number} is not written with the seal")
    return data[at + len(head) : end + 1]


@dataclass(frozen=True)
class Store:
    """The document security store (ISO 32000-2, 12.8.4.3) as a revision leaves it: numbers of objects, 0 for none."""

    number: int
    certificates: list[int]
    lists: list[int]

    def written(self) -> bytes:
        """Write its dictionary."""
        certificates, lists = (b" ".join(b"%d 0 R" % one for one in each) for each in (self.certificates, self.lists))
        return b"<<\n/Certs [ %s ]\n%s>>" % (certificates, b"/CRLs [ %s ]\n" % lists if lists else b"")


def _behind(data: bytes, sealed: bytes, former: bytes, at_: tuple[int, tuple[int, ...], Store]) -> tuple[Behind, Store]:
    """Read the `n`-th revision behind the seal: the time stamp's place with one line more, the store of validation data
    (the first one gives the catalogue a line that names it), streams of certificates and revocation lists, the time
    stamp, the cross-reference. No more."""
    n, covered, known = at_
    end = len(former)
    form(len(data) - end <= MOST_BEHIND, "PDF: more than a document time stamp stands behind the seal")
    stamped, token = _hole(data, covered)
    first, before, after = _table(sealed), _table(former), _table(data)
    name = re.escape(STAMP_PLACE % (b" %d" % n if n > 1 else b""))
    place = re.compile(rb"\d{1,7} 0 obj\n<<\n/FT /Sig\n" + name)
    places = [one for one, at in first.offsets.items() if one and place.match(sealed, at)]
    form(len(places) == 1, "PDF: the seal has no place for a document time stamp")
    found, streams = STREAM.search(data, end), list[bytes]()
    form(found, "PDF: no validation data behind the seal")
    at = found.start() if found else 0
    while (found := STREAM.match(data, at)) and len(streams) <= MOST_STREAMS:
        streams.append(data[found.end() : found.end() + int(found[1])])
        at = found.end() + int(found[1]) + len(b"\nendstream\nendobj\n")
    numbers = [before.size + 1 + one for one in range(len(streams))]
    number = known.number or before.size + 1 + len(streams)
    at = after.offsets.get(number, len(data))
    listed = re.match(rb"\d{1,7} 0 obj\n<<\n/Certs \[((?: \d{1,7} 0 R)+) \]\n", data[at : at + 4000])
    count = listed[1].count(b"R") - len(known.certificates) if listed else 0
    form(0 < count <= len(streams) <= MOST_STREAMS, "PDF: the validation data behind the seal")
    store = Store(number, known.certificates + numbers[:count], known.lists + numbers[count:])
    objects = {one: b"<<\n/Length %d\n>>\nstream\n%s\nendstream" % (len(raw), raw)
               for one, raw in zip(numbers, streams, strict=True)}  # fmt: skip
    last = max(numbers[-1], number) + 1
    objects |= {number: store.written(), last: _stamp_object(data, covered)}
    objects[places[0]] = _body(sealed, first, places[0]) + b"/V %d 0 R\n>>" % last
    if not known.number:
        objects[first.root] = _body(sealed, first, first.root) + b"/DSS %d 0 R\n>>" % number
    rebuilt = _revision(end, objects, before, after)
    form(data[end:] == rebuilt, "PDF: more than a document time stamp stands behind the seal")
    return Behind(stamped, token, streams[:count], streams[count:]), store


def _stamp_object(data: bytes, covered: tuple[int, ...]) -> bytes:
    """Write the document time stamp's dictionary (ISO 32000-2, 12.8.5) around the hole that `data` has."""
    said = b"\n/ByteRange [%d %d %d %d]" % covered
    at = covered[2] + len(said)
    pad = len(data[at : at + 100]) - len(data[at : at + 100].lstrip(b" "))
    kind = b"\n/Type /DocTimeStamp\n/Filter /Adobe.PPKLite\n/SubFilter /ETSI.RFC3161\n>>"
    return b"<<\n/Contents " + data[covered[1] : covered[2]] + said + b" " * pad + kind


def _revision(at: int, objects: dict[int, bytes], before: Table, after: Table) -> bytes:
    """Write the revision of these objects that begins at `at`, with the table's own packing and second identifier."""
    pieces, offsets = [], {0: 0}
    for number in sorted(objects):
        offsets[number] = at
        pieces.append(b"%d 0 obj\n%s\nendobj\n" % (number, objects[number]))
        at += len(pieces[-1])
    last = max(objects) + 1
    offsets[last] = at
    runs: list[list[int]] = []
    for number in offsets:
        if runs and number == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    form(after.offsets == offsets and (after.at, after.ids[0]) == (at, before.ids[0]), "PDF: the cross-reference")
    rows = b"".join((b"\1" if n else b"\0") + at.to_bytes(8, "big") + (b"\0\0" if n else b"\xff\xff")
                    for n, at in offsets.items())  # fmt: skip
    form(unpacked(after.packed, MOST_TABLE, "the cross-reference") == rows, "PDF: the cross-reference")
    index = b" ".join(b"%d %d" % (start, count) for start, count in runs)
    trailer = (
        b"%d 0 obj\n<<\n/W [ 1 8 2 ]\n/Type /XRef\n/Filter /FlateDecode\n/Size %d\n/Root %d 0 R\n%s/ID [ <%s> <%s> ]\n"
        b"/Prev %d\n/Index [ %s ]\n/Length %d\n>>\nstream\n%s\nendstream\nendobj\n\nstartxref\n%d\n%%%%EOF\n"
    )
    told = (last, last + 1, before.root, before.info, *after.ids, before.at, index, len(after.packed), after.packed, at)
    return b"".join([*pieces, trailer % told])


def unpacked(packed: bytes, most: int, what: str) -> bytes:
    """Unpack a whole deflated stream of at most `most` bytes."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, most)
    except zlib.error:
        raise Malformed(f"PDF: {what} cannot be unpacked") from None
    form(unpacker.eof and not unpacker.unused_data, f"PDF: {what} is cut off or too large")
    return plain


def embedded(data: bytes) -> bytes:
    """Take out the one embedded file."""
    mark = b"/Type /EmbeddedFile"
    form(data.count(mark) == 1, "PDF: not exactly one embedded file")
    at = data.index(mark)
    stream = re.compile(rb"stream\r?\n").search(data, at)
    form(stream, "PDF: embedded file without a stream")
    assert stream
    head = data[at : stream.start()]
    length = re.search(rb"/Length (\d{1,9})\b", head)
    form(length and b"endobj" not in head and b"/Filter /FlateDecode" in head, "PDF: embedded file")
    assert length
    return unpacked(data[stream.end() : stream.end() + int(length[1])], 32 * 1024 * 1024, "embedded file")


def tlv(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Read one DER element at `at`: (tag, content, end); only definite lengths in their shortest form."""
    form(at + 2 <= len(data), "DER: cut off")
    tag, length = data[at], data[at + 1]
    at += 2
    form(tag & 0x1F != 0x1F, "DER: long tag")
    if length & 0x80:
        count = length & 0x7F
        form(0 < count <= 4 and at + count <= len(data), "DER: length")
        length = int.from_bytes(data[at : at + count], "big")
        form(length >= 0x80 and data[at] != 0, "DER: length in another spelling")
        at += count
    form(at + length <= len(data), "DER: cut off")
    return tag, data[at : at + length], at + length


def elements(content: bytes) -> list[tuple[int, bytes, bytes]]:
    """Split a constructed element's content into (tag, content, whole)."""
    found, at = [], 0
    while at < len(content):
        tag, inner, end = tlv(content, at)
        found.append((tag, inner, content[at:end]))
        at = end
    return found


def der(tag: int, content: bytes) -> bytes:
    """Write one DER element."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def oid(dotted: str) -> bytes:
    """Write an object identifier in DER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    out = bytearray([first * 40 + second])
    for part in rest:
        chunk = [part & 0x7F]
        while part := part >> 7:
            chunk.append(0x80 | (part & 0x7F))
        out += bytes(reversed(chunk))
    return der(6, bytes(out))


SIGNED_DATA, DATA = oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.7.1")
CONTENT_TYPE, MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE = oid("1.2.840.113549.1.9.16.2.47")
SHA256 = der(0x30, oid("2.16.840.1.101.3.4.2.1") + der(5, b""))
ECDSA_SHA256 = der(0x30, oid("1.2.840.10045.4.3.2"))
SEAL_STAMP = oid("1.2.840.113549.1.9.16.2.14")


def check_seal(pdf: Pdf) -> bytes:
    """Verify the PDF's CMS (PAdES, one signer) and give the sealing certificate's DER.

    The CMS is built again from its certificate, signed attributes, signature and time stamp, and compared: nothing else
    fits in.
    """
    try:
        certificate_der, attributes, signature, stamp = _open_cms(pdf.cms)
        certificate = x509.load_der_x509_certificate(certificate_der)
    except (Malformed, ValueError, IndexError) as error:
        raise Failed(f"the seal cannot be read: {error}") from None
    rebuilt = _build_cms(certificate, certificate_der, attributes, signature, stamp)
    need(rebuilt == pdf.cms, "the seal has another structure")
    signed: dict[bytes, bytes] = {}
    for tag, content, _ in elements(attributes):
        parts = elements(content)
        need(tag == 0x30 and len(parts) == 2 and parts[0][2] not in signed, "the seal's attributes")
        signed[parts[0][2]] = parts[1][1]
    need(signed.get(CONTENT_TYPE) == DATA, "the seal is over another content type")
    digest = hashlib.sha256(pdf.signed).digest()
    need(signed.get(MESSAGE_DIGEST) == der(4, digest), "the PDF was changed after it was sealed")
    binding = der(4, hashlib.sha256(certificate_der).digest())
    need(binding in signed.get(SIGNING_CERTIFICATE, b""), "the seal does not bind its certificate")
    need(ecdsa_verifies(certificate, signature, der(0x31, attributes)), "the seal's signature is not valid")
    return certificate_der


def _open_cms(cms: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Give a CMS's certificate, signed attributes, signature, and the time stamp on it, empty where there is none."""
    content = elements(elements(tlv(cms, 0)[1])[1][1])[0][1]
    _, _, _, certificates, signers = elements(content)
    signer = elements(elements(signers[1])[0][1])
    stamp = elements(elements(signer[6][1])[0][1])[1][1] if len(signer) > 6 else b""
    return elements(certificates[1])[0][2], signer[3][1], signer[5][1], stamp


def _build_cms(certificate: x509.Certificate, raw: bytes, attributes: bytes, signature: bytes, stamp: bytes) -> bytes:
    one = der(2, b"\x01")
    stamped = der(0xA1, der(0x30, SEAL_STAMP + der(0x31, stamp))) if stamp else b""
    parts = SHA256 + der(0xA0, attributes) + ECDSA_SHA256 + der(4, signature) + stamped
    signer = der(0x30, one + _named(certificate) + parts)
    data = one + der(0x31, SHA256) + der(0x30, DATA) + der(0xA0, raw) + der(0x31, signer)
    return der(0x30, SIGNED_DATA + der(0xA0, der(0x30, data)))


def _named(certificate: x509.Certificate) -> bytes:
    """Name a certificate by issuer and serial number, as a CMS does."""
    serial = certificate.serial_number
    number = der(2, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
    return der(0x30, certificate.issuer.public_bytes() + number)


# ---------------------------------------------------------------------------------------------- the log


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def roots_of(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """Hash the leaves once and give the root at each of these sizes (RFC 6962 §2.1); sizes beyond them are left out."""
    found = {0: hashlib.sha256(b"").digest()}
    peaks: list[bytes] = []
    for count, leaf in enumerate(leaves, 1):
        peak, rest = leaf, count
        while not rest & 1:
            peak, rest = node_hash(peaks.pop(), peak), rest >> 1
        peaks.append(peak)
        if count in sizes:
            root = peaks[-1]
            for left in reversed(peaks[:-1]):
                root = node_hash(left, root)
            found[count] = root
    return found


def root_of(leaves: list[bytes]) -> bytes:
    """Hash all leaves to a root."""
    return roots_of(leaves, {len(leaves)})[len(leaves)]


def included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """Verify an inclusion proof (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, digest = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            digest = node_hash(sibling, digest)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and digest == root


def consistent(first: int, second: int, roots: tuple[bytes, bytes], path: list[bytes]) -> bool:
    """Verify a consistency proof (RFC 9162 §2.1.4.2); `roots` are the older and the newer."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and roots[0] == roots[1]
    nodes = list(path) if first & (first - 1) else [roots[0], *path]
    if not nodes:
        return False
    low, high = first - 1, second - 1
    while low & 1:
        low, high = low >> 1, high >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if high == 0:
            return False
        if low & 1 or low == high:
            old, new = node_hash(node, old), node_hash(node, new)
            while not low & 1 and low:
                low, high = low >> 1, high >> 1
        else:
            new = node_hash(new, node)
        low, high = low >> 1, high >> 1
    return high == 0 and (old, new) == roots


@dataclass(frozen=True)
class Head:
    origin: str
    size: int
    root: bytes


NOTE = re.compile(r"(([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n)\n((?:— [^\n]+\n)+)\Z")


def read_head(text: str, key: NoteKey) -> Head:
    """Read a checkpoint (signed note) and verify the log's signature on it; other signatures are left alone."""
    found = NOTE.fullmatch(text)
    need(found, "not a checkpoint")
    assert found
    body, origin, size, root, lines = found.groups()
    for line in lines[:-1].split("\n"):
        name, _, encoded = line[2:].partition(" ")
        raw = unbase64(encoded, "checkpoint signature")
        if name == key.name and raw[:4] == key.id and key.verifies(raw[4:], body.encode()):
            return Head(origin, int(size), unbase64(root, "checkpoint root"))
    raise Failed("the log's key did not sign this checkpoint")


def body_of(text: str) -> str:
    """Give the signed part of a checkpoint."""
    found = NOTE.fullmatch(text)
    need(found, "not a checkpoint")
    assert found
    return str(found[1])


@dataclass(frozen=True)
class Rotation:
    """A note by which one key follows another, signed by both; `size` is the log's when the new one became valid."""

    name: str
    old: str
    new: str
    size: int


ROTATION = re.compile(
    r"(ophor-key-rotation/v1\nkey ([a-z\-]{1,40})\nold ([^\s]{1,200})\nnew ([^\s]{1,200})\nsize (0|[1-9][0-9]{0,15})\n"
    r"on \d{4}-\d\d-\d\d\n(?:certificate ([A-Za-z0-9+/=]{1,8000})\ncertificate ([A-Za-z0-9+/=]{1,8000})\n)?)"
    r"\n— old ([A-Za-z0-9+/=]{1,400})\n— new ([A-Za-z0-9+/=]{1,400})\n\Z"
)


def read_rotation(text: str) -> Rotation:
    """Read a rotation note and verify both signatures on it."""
    found = ROTATION.fullmatch(text)
    need(found, "not a rotation of keys")
    assert found
    body, name, old, new, size, first, second, by_old, by_new = found.groups()
    need(old != new and (first is None) == (name != "pdf-seal"), "the rotation has another form")
    for who, key, certificate, signature in (("old", old, first, by_old), ("new", new, second, by_new)):
        raw = unbase64(signature, "rotation signature")
        if certificate is None:
            true = note_key(key).verifies(raw, body.encode())
        else:
            der_of = unbase64(certificate, "rotation certificate")
            need(print_of(der_of) == key, "the rotation names another certificate")
            true = ecdsa_verifies(x509.load_der_x509_certificate(der_of), raw, body.encode())
        need(true, f"the rotation of {name} is not signed by the {who} key")
    same = name == "pdf-seal" or note_key(old).name == note_key(new).name
    need(same, "the rotation changes the key's name")
    return Rotation(name, old, new, int(size))


def rotations_of(members: dict[str, bytes] | None, options: Options) -> list[Rotation]:
    """Read every rotation of the bundle and those given; no key may have two that follow it, or two before it."""
    texts = [data.decode("utf-8") for name, data in sorted((members or {}).items()) if name.startswith("rotations/")]
    found = {read_rotation(text) for text in [*texts, *options.rotations]}
    for side in ([one.old for one in found], [one.new for one in found]):
        need(len(set(side)) == len(side), "a key was rotated twice")
    return sorted(found, key=lambda one: one.size)


def key_at(key: str, size: int, rotations: list[Rotation], stated: set[str]) -> str:
    """Give the key that stood in for `key` at this size of the log; at a rotation's own size, the one of `stated`."""
    later, earlier = {one.old: one for one in rotations}, {one.new: one for one in rotations}
    for _ in rotations:
        if key in later and (later[key].size < size or (later[key].size == size and later[key].new in stated)):
            key = later[key].new
        elif key in earlier and (earlier[key].size > size or (earlier[key].size == size and key not in stated)):
            key = earlier[key].old
    return key


def read_log_head(text: str, key: str, rotations: list[Rotation]) -> Head:
    """Read a checkpoint that the log's key signed, or the one that it followed; no key signs before it was made."""
    followed = {one.new: one for one in rotations}
    while True:
        try:
            head = read_head(text, note_key(key))
        except Failed:
            if key not in followed:
                raise
            key = followed.pop(key).old
            continue
        need(key not in followed or head.size >= followed[key].size, "a checkpoint signed by a key before it was made")
        return head


def cosigned_at(text: str, key: NoteKey) -> int | None:
    """Give the time of `key`'s cosignature on a checkpoint (c2sp.org/tlog-cosignature), None where there is none."""
    body = body_of(text)
    for line in text[len(body) + 1 : -1].split("\n"):
        name, _, encoded = line[2:].partition(" ")
        raw = unbase64(encoded, "cosignature")
        if name != key.name or raw[:4] != key.id:
            continue
        need(len(raw) == 76, f"the cosignature of {name} has another form")
        time = int.from_bytes(raw[4:12], "big")
        need(key.verifies(raw[12:], f"cosignature/v1\ntime {time}\n{body}".encode()), f"{name} did not cosign this")
        return time
    return None


@dataclass
class Item:
    """One evidence entry of the bundle."""

    index: int
    hash: bytes
    event: dict[str, Any]

    @cached_property  # asked for each item, hundreds of times
    def kind(self) -> str:
        return str(self.event["kind"])

    @property
    def entry(self) -> dict[str, Any]:
        return dict(self.event["entry"])


# ---------------------------------------------------------------------------------------------- time stamps


TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
SIGNING_CERTIFICATE_V1 = oid("1.2.840.113549.1.9.16.2.12")
DIGESTS: dict[bytes, tuple[str, Any]] = {
    oid("1.3.14.3.2.26"): ("sha1", hashes.SHA1),  # for a certificate's id only (RFC 2634), never for content
    oid("2.16.840.1.101.3.4.2.1"): ("sha256", hashes.SHA256),
    oid("2.16.840.1.101.3.4.2.2"): ("sha384", hashes.SHA384),
    oid("2.16.840.1.101.3.4.2.3"): ("sha512", hashes.SHA512),
}
GENERALIZED = re.compile(rb"(\d{14})(?:\.\d{1,6})?Z")


@dataclass(frozen=True)
class Stamp:
    """An RFC 3161 time stamp whose signature holds: what it is over, when it was given, and by whose certificate."""

    imprint: bytes
    at: datetime
    signer: x509.Certificate
    certificates: list[x509.Certificate]


def stamped_bytes(text: str, key: NoteKey) -> bytes:
    """Give what a stamp on a checkpoint is over: the note with the log's own signature line and no other."""
    body = body_of(text)
    lines = [line for line in text[len(body) + 1 : -1].split("\n") if line.startswith(f"— {key.name} ")]
    mine = [line for line in lines if unbase64(line.rpartition(" ")[2], "checkpoint signature")[:4] == key.id]
    need(len(mine) == 1, "the log's key did not sign this checkpoint once")
    return f"{body}\n{mine[0]}\n".encode()


def read_stamp(response: bytes) -> Stamp:
    """Read a TimeStampResp (RFC 3161 §2.4.2) and verify the token's own signature, by whomever."""
    try:
        status, token = elements(_only(response, 0x30))
        need(elements(status[1])[0][1] in (b"\0", b"\1"), "the authority refused the stamp")
    except Failed:
        raise
    except Exception as error:  # a forged answer may break anything
        raise Failed(f"the time stamp cannot be read: {type(error).__name__} {error}"[:200]) from None
    return read_token(token[2])


def read_token(token: bytes) -> Stamp:
    """Read a TimeStampToken (RFC 3161 §2.4.2) and verify its own signature, by whomever."""
    try:
        kind, body = elements(_only(token, 0x30))
        need(kind[2] == SIGNED_DATA, "not a signed token")
        parts = elements(_only(body[1], 0x30))
        info_kind, info = elements(parts[2][1])
        need(info_kind[2] == TST_INFO, "the token holds something else than a time stamp")
        raw = _only(info[1], 0x04)
        bag = [one for tag, one, _ in parts[3:] if tag == 0xA0]
        certificates = [x509.load_der_x509_certificate(one) for _, _, one in elements(bag[0])] if bag else []
        (signer,) = elements(parts[-1][1])
        certificate = _signer_of(elements(signer[1]), raw, certificates)
        imprint, at = _told_by(raw)
    except Failed:
        raise
    except Exception as error:  # a forged token may break anything
        raise Failed(f"the time stamp cannot be read: {type(error).__name__} {error}"[:200]) from None
    return Stamp(imprint, at, certificate, certificates)


RSA_OID, NULL = oid("1.2.840.113549.1.1.1"), der(5, b"")
SIGNS = {  # the digest, and the one spelling of each signature algorithm over it that a document time stamp may have
    oid("2.16.840.1.101.3.4.2.1"): ("1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"),
    oid("2.16.840.1.101.3.4.2.2"): ("1.2.840.10045.4.3.3", "1.2.840.113549.1.1.12"),
    oid("2.16.840.1.101.3.4.2.3"): ("1.2.840.10045.4.3.4", "1.2.840.113549.1.1.13"),
}  # fmt: skip


def rebuilt_token(token: bytes, known: list[bytes]) -> bytes:
    """Write a token again from what is signed in it, its signature, and certificates that are `known`.

    Nothing else fits in: the last token of a file is the one thing in it that no other signature covers.
    """
    _, body = elements(_only(token, 0x30))
    parts = elements(_only(body[1], 0x30))
    raw, bag = _only(elements(parts[2][1])[1][1], 0x04), elements(parts[3][1])
    (signer,) = elements(parts[4][1])
    fields = elements(signer[1])
    digest, attributes, algorithm, signature = fields[2][2], fields[3][1], fields[4][2], fields[5][1]
    hashing = elements(fields[2][1])[0][2]
    ecdsa, rsa_ = (oid(one) for one in SIGNS[hashing])
    need(digest in (der(0x30, hashing), der(0x30, hashing + NULL)), "the document time stamp's digest algorithm")
    spelled = (der(0x30, ecdsa), der(0x30, rsa_ + NULL), der(0x30, RSA_OID + NULL))
    need(algorithm in spelled, "the document time stamp's signature algorithm")
    need(all(one in known for _, _, one in bag), "the document time stamp brings certificates of its own")
    listed = parts[1][1] if parts[1][1] in (der(0x30, hashing), der(0x30, hashing + NULL)) else digest
    who = _named(read_token(token).signer)
    said = der(2, b"\1") + who + digest + der(0xA0, attributes) + algorithm + der(4, signature)
    data = der(2, b"\3") + der(0x31, listed) + der(0x30, TST_INFO + der(0xA0, der(4, raw)))
    data += der(0xA0, b"".join(one for _, _, one in bag)) + der(0x31, der(0x30, said))
    return der(0x30, SIGNED_DATA + der(0xA0, der(0x30, data)))


def check_level(pdf: Pdf, chain: bytes | None) -> str:
    """Give the seal's level (ETSI EN 319 142-1, clause 6): B-B, or with time stamps B-LTA, or B-T without the lists.

    With `chain`, the authorities' certificates from outside, every time stamp must lead to them.
    """
    sealing, _, signature, token = _open_cms(pdf.cms)
    if not pdf.behind:
        need(not token, "a time stamp on the seal, and no document time stamp behind it")
        return "PAdES B-B"
    need(token, "a document time stamp, and none on the seal")
    first, stamps = read_token(token), [read_token(one.token) for one in pdf.behind]
    need(first.imprint == hashlib.sha256(signature).digest(), "the time stamp on the seal is over something else")
    need(pdf.behind[0].certificates[0] == sealing, "the validation data is not of this seal")
    lists, former, listed = list[bytes](), first, True
    for n, (one, stamp) in enumerate(zip(pdf.behind, stamps, strict=True)):
        need(stamp.imprint == hashlib.sha256(one.stamped).digest(), "the PDF was changed after its time stamp")
        need(former.at <= stamp.at, "the document time stamp is older than the seal's" if n == 0
             else "a renewed time stamp is older than the one before it")  # fmt: skip
        need(stamp.at <= former.signer.not_valid_after_utc, "the time stamp before it had ended when it was renewed")
        need(n > 0 or stamp.signer == first.signer, "the two time stamps are by different certificates")
        held = _check_held(pdf.behind[: n + 1], stamp)
        lists += one.lists
        paths = [authority_path(each.signer, held) for each in (former, stamp)]
        listed &= _listed(paths, one.lists, lists, stamp.at)
        former = stamp
    for stamp in (first, *stamps) if chain else ():
        check_authority(stamp, chain or b"")
    last, again = stamps[-1], len(stamps) - 1
    whose = f"by {last.signer.subject.rfc4514_string()}" if chain else "by an authority not judged: no --tsa-chain"
    told = "PAdES B-LTA" if listed else "PAdES B-T, no revocation lists"
    renewed = f", renewed {written(last.at)}" if again else ""
    return f"{told}, {written(stamps[0].at)}{renewed} {whose}"[:300]


def _check_held(behind: tuple[Behind, ...], stamp: Stamp) -> list[x509.Certificate]:
    """Check the certificates that the last of these revisions adds: the stamp's, then what issued one of them before.

    Give the authorities' certificates of all of them.
    """
    known = [raw for one in behind for raw in one.certificates]
    rebuilt = rebuilt_token(behind[-1].token, known)
    need(rebuilt == behind[-1].token, "the document time stamp has another structure")
    need(len(set(known)) == len(known), "a certificate stands twice in the validation data")
    added = [x509.load_der_x509_certificate(one) for one in behind[-1].certificates[len(behind) == 1 :]]
    need(stamp.signer in added[:1], "the validation data is not of this seal")
    for n, issuer in enumerate(added[1:], 1):
        theirs = any(issued(one, issuer) for one in added[:n])
        need(theirs, "the validation data holds a certificate that is not the authority's")
    return [x509.load_der_x509_certificate(one) for one in known[1:]]


def authority_path(leaf: x509.Certificate, known: list[x509.Certificate]) -> list[x509.Certificate]:
    """Follow a certificate up to its root through those known, the first that fits each time, as far as they lead."""
    path = [leaf]
    while path[-1].issuer != path[-1].subject:
        above = next((one for one in known if one not in path and issued(path[-1], one)), None)
        if above is None:
            break
        path.append(above)
    return path


def _listed(paths: list[list[x509.Certificate]], added: list[bytes], known: list[bytes], at: datetime) -> bool:
    """Tell whether each certificate up to the roots, but those, was on no list in force at that time; revoked fails.

    Looked at are the stamp's certificates and those of the one before it; `known` are the lists added until now.
    """
    path, found = list(dict.fromkeys(one for each in paths for one in each)), set()
    for one in map(x509.load_der_x509_crl, added):
        need(any(lists_for(one, issuer) for issuer in path), "a revocation list of another authority")
        need(_in_force(one, at), "a revocation list that was not in force at that time")
        need(one.issuer not in found, "two revocation lists of one authority")
        found.add(one.issuer)
    held = [one for one in map(x509.load_der_x509_crl, known) if _in_force(one, at)]
    for one, certificate in product(held, path):
        gone = one.get_revoked_certificate_by_serial_number(certificate.serial_number)
        need(certificate.issuer != one.issuer or gone is None, "the authority's certificate was revoked")
    roots = all(each[-1].issuer == each[-1].subject for each in paths)
    by = {one.issuer for one in held}
    return roots and all(one.issuer in by for one in path if one.issuer != one.subject)


def _in_force(one: x509.CertificateRevocationList, at: datetime) -> bool:
    return one.last_update_utc <= at <= (one.next_update_utc or at)


def lists_for(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer` signed a revocation list."""
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) or found.issuer != issuer.subject:
        return False
    return found.is_signature_valid(key)


def _only(data: bytes, tag: int) -> bytes:
    """Give the content of the one element that `data` is."""
    found, content, end = tlv(data, 0)
    form(found == tag and end == len(data), "DER: another element")
    return content


def _told_by(raw: bytes) -> tuple[bytes, datetime]:
    """Read TSTInfo: version 1, a SHA-256 imprint, genTime."""
    version, _, imprint, _, at, *_ = elements(_only(raw, 0x30))
    algorithm, digest = elements(imprint[1])
    need(version[1] == b"\1", "a time stamp of another version")
    need(DIGESTS[elements(algorithm[1])[0][2]][0] == "sha256", "the time stamp is not over SHA-256")
    found = GENERALIZED.fullmatch(at[1])
    form(at[0] == 0x18 and found, "genTime")
    assert found
    return digest[1], datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _signer_of(parts: list[tuple[int, bytes, bytes]], raw: bytes, bag: list[x509.Certificate]) -> x509.Certificate:
    """Verify the token's signed attributes and signature; give the certificate that they bind and that signed."""
    name, hashing = DIGESTS[elements(parts[2][1])[0][2]]
    need(name != "sha1", "the time stamp is signed over SHA-1")
    need(parts[3][0] == 0xA0, "the time stamp has no signed attributes")
    signed: dict[bytes, bytes] = {}
    for _, content, _ in elements(parts[3][1]):
        kind, values = elements(content)
        need(kind[2] not in signed, "an attribute of the time stamp stands twice")
        signed[kind[2]] = values[1]
    need(signed.get(CONTENT_TYPE) == TST_INFO, "the time stamp's signature is over another content type")
    need(signed.get(MESSAGE_DIGEST) == der(4, hashlib.new(name, raw).digest()), "the time stamp was altered")
    certificate = _bound(signed, bag)
    key, signature, message = certificate.public_key(), parts[5][1], der(0x31, parts[3][1])
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashing())
        else:
            need(isinstance(key, ec.EllipticCurvePublicKey), "the authority's key is neither RSA nor ECDSA")
            key.verify(signature, message, ec.ECDSA(hashing()))  # type: ignore[union-attr, call-arg, arg-type]
    except InvalidSignature:
        raise Failed("the time stamp's signature is not valid") from None
    return certificate


def _bound(signed: dict[bytes, bytes], bag: list[x509.Certificate]) -> x509.Certificate:
    """Find the certificate whose hash the signed attributes name first (ESSCertID, ESSCertIDv2)."""
    second, first = signed.get(SIGNING_CERTIFICATE), signed.get(SIGNING_CERTIFICATE_V1)
    need(second or first, "the time stamp does not bind its certificate")
    wanted = elements(elements(elements(_only(second or first or b"", 0x30))[0][1])[0][1])
    name = "sha256" if second else "sha1"
    if second and wanted[0][0] == 0x30:
        name = DIGESTS[elements(wanted.pop(0)[1])[0][2]][0]
    found = [one for one in bag if hashlib.new(name, one.public_bytes(Encoding.DER)).digest() == wanted[0][1]]
    need(found, "the time stamp does not hold the certificate that it names")
    return found[0]


def check_authority(stamp: Stamp, chain: bytes) -> str:
    """Follow the stamp's certificate to a root given from outside, as it was at that time; give its subject."""
    given = x509.load_pem_x509_certificates(chain)
    roots = {one for one in given if one.subject == one.issuer}
    try:
        usage = stamp.signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        true = usage.critical and list(usage.value) == [x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]
    except (x509.ExtensionNotFound, ValueError):
        true = False
    need(true, "the stamp's certificate is not one for time stamps alone")
    at, path = stamp.signer, 0
    while True:
        need(at.not_valid_before_utc <= stamp.at <= at.not_valid_after_utc, "a certificate was not valid at that time")
        if at in roots:
            return stamp.signer.subject.rfc4514_string()
        issuers = [one for one in [*given, *stamp.certificates] if one != at and issued(at, one)]
        need(issuers and path < 6, "the stamp's certificate does not lead to the chain given")
        at, path = issuers[0], path + 1


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer`, an authority, signed `certificate`."""
    try:
        certificate.verify_directly_issued_by(issuer)
        return bool(issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except Exception:  # whatever is wrong with it, it is no issuer
        return False


def _check_stamps(
    members: dict[str, bytes] | None,
    predicate: dict[str, Any],
    options: Options,
    report: Report,
    rotations: list[Rotation],
) -> None:
    """20. A time stamp by an authority whose chain was given from outside, on the certificate's own checkpoint."""
    stated = predicate["log"].get("stamped_at")
    if members is None:
        report.add(20, NOT_DONE, "needs the bundle")
        return
    try:
        stamps = _stamps(members, predicate, rotations)
        own = stamps.get(predicate["log"]["size"])
        need(stated is None or (own and written(own.at) == stated), "the stated time stamp is not in the bundle")
        who = [check_authority(one, options.tsa_chain) for one in stamps.values()] if options.tsa_chain else []
    except (Failed, Malformed, KeyError, TypeError, ValueError) as error:
        report.add(20, FAILED, str(error))
        return
    if not options.tsa_chain:
        there = f"{len(stamps)} there, not judged: no --tsa-chain" if stamps else "no RFC 3161 time stamp"
        report.add(20, NOT_DONE, there)
    elif own is None:
        report.add(20, POLICY, "no time stamp on the certificate's checkpoint")
    else:
        report.add(20, OK, f"{written(own.at)} by {who[0]}"[:300])


def _stamps(members: dict[str, bytes], predicate: dict[str, Any], rotations: list[Rotation]) -> dict[int, Stamp]:
    """Read the bundle's time stamps by size; each must be over the checkpoint of its name."""
    found = {}
    for name in sorted(one for one in members if one.startswith("tsr/")):
        note = members.get(f"checkpoints/{name[4:16]}.txt", b"").decode("utf-8")
        need(re.fullmatch(r"tsr/\d{12}\.tsr", name) and note, f"{name}: no checkpoint of this size")
        stamp = read_stamp(members[name])
        keys = [predicate["log"]["key"], *(one.old for one in rotations if one.name == "evidence-log")]
        signed = [one for one in map(note_key, keys) if f"— {one.name} " in note and _signs(note, one)]
        need(signed, f"{name}: the log's key did not sign this checkpoint")
        digest = hashlib.sha256(stamped_bytes(note, signed[0])).digest()
        need(stamp.imprint == digest, f"{name}: the time stamp is over something else")
        found[int(name[4:16])] = stamp
    return found


def _signs(note: str, key: NoteKey) -> bool:
    try:
        read_head(note, key)
    except Failed:
        return False
    return True


def written(at: datetime) -> str:
    """Write an instant as statements do."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


# ---------------------------------------------------------------------------------------------- the checks


def verify(data: bytes, options: Options) -> Report:
    """Run every check on a file's bytes; never raises."""
    report = Report()
    try:
        _verify(data, options, report)
    except Malformed as error:
        report.malformed = str(error)
    except Exception as error:  # no forged file may end as a crash
        report.malformed = f"cannot be read: {type(error).__name__}"
    if report.malformed:
        report.add(1, FAILED, report.malformed)
    return report


def _verify(data: bytes, options: Options, report: Report) -> None:
    form(len(data) <= LIMIT, "the file is too large")
    members = read_zip(data) if data[:2] == b"PK" else None
    if members is not None and EXPORT in members:
        _verify_export(members, options, report)
        return
    pdf, dsse = _documents(data, members)
    envelope = read_envelope(dsse, STATEMENT_TYPE)
    statement = parse(envelope.payload, "statement")
    report.statement_digest = hashlib.sha256(envelope.payload).hexdigest()
    report.add(1, OK, _form_of(members, pdf))
    predicate = report.run(4, check_statement, statement)
    if predicate is None:
        return
    report.predicate, report.subject = predicate, statement["subject"]
    certificate = _check_seals(members, pdf, predicate, options, report, dsse)
    report.run(5, check_signatures, envelope, predicate)
    rotations = _rotations(members, options, report)
    if rotations is not None:
        options = replace(options, keys=_keys_at(options, predicate, rotations))
        _check_trust(envelope, predicate, certificate, options, report)
    rotations = rotations or []
    items = _check_log(members, predicate, options, report, rotations)
    _check_content(predicate, items, report)
    _check_policy(predicate, options, report, report.statement_digest, rotations)
    _check_witness(members, predicate, options, report, rotations)
    _check_stamps(members, predicate, options, report, rotations)
    _check_users(predicate, items, report)


# ---------------------------------------------------------------------------------------------- audit exports


EXPORT, EXPORT_TYPE = "export.json", "urn:ophor:audit-export:v1"
LISTED = {
    "approvals": {"DELETION_INTENT", "APPROVAL_GIVEN", "TIMETABLE_ANSWERED", "DELIVERY_ACCEPTED"},
    "attestations": {"ACCESS_ATTESTED", "ATTESTATION_GIVEN"},
    "requests": {"REQUEST_MADE", "REQUEST_REMINDED", "REQUEST_ANSWERED"},
}


def _verify_export(members: dict[str, bytes], options: Options, report: Report) -> None:
    """Check an audit export: the same checks of form, manifest, log and heads, and that the period is whole."""
    missing = {"manifest.dsse.json", "keys.json"} - set(members)
    form(not missing, f"export: missing {', '.join(sorted(missing))}")
    said = parse(members[EXPORT], EXPORT)
    report.add(1, OK, f"audit export, {len(members)} members")
    if report.run(4, check_export, said) is None:
        return
    report.run(2, check_manifest, members, said)
    rotations = _rotations(members, options, report)
    if rotations is None:
        return
    _trust_export(said, options, report, rotations)
    items = _in_log(members, said, check_period, options, report, rotations)
    if items is not None:
        report.run(16, check_listed, members, said, items)
    kind = said["kind"] == "production" or options.rehearsal
    report.add(18, OK if kind else POLICY, said["kind"] if kind else "a rehearsal, and --rehearsal is not given")


def check_export(said: Any) -> str:
    """4. The export says what it is: type, period, exits and their entries, log and signer."""
    need(isinstance(said, dict) and said.get("type") == EXPORT_TYPE, "not an audit export")
    need(set(said) == {"type", "number", "kind", "since", "until", "exits", "log", "signers"}, "fields")
    need(said["kind"] in ("production", "rehearsal"), "kind")
    need(date.fromisoformat(said["since"]) <= date.fromisoformat(said["until"]), "the period ends before it begins")
    taken = [index for one in said["exits"] for index in one["entries"]]
    need(sorted(taken) == said["log"]["entries"] == sorted(set(taken)), "an entry is no exit's, or of two")
    need(len({one["exit"] for one in said["exits"]}) == len(said["exits"]), "an exit stands twice")
    return f"{said['since']} .. {said['until']}, {len(said['exits'])} exits"


def _trust_export(said: dict[str, Any], options: Options, report: Report, rotations: list[Rotation]) -> None:
    """6. The log's key and the sealing certificate are those given from outside."""
    if not options.keys:
        report.add(6, POLICY, "no key given: the file agrees with itself, and that is all")
        return
    try:
        stated = {said["log"]["key"], said["signers"]["pdf"]}
        keys, prints = _given([key_at(key, said["log"]["size"], rotations, stated) for key in options.keys])
        logs = note_key(said["log"]["key"])
        for key in keys:
            need(key.name != logs.name or key.public == logs.public, f"another key under the name {key.name}")
        sealed, known = said["signers"]["pdf"] in prints, logs.public in {key.public for key in keys}
        need(not prints or sealed, "sealed with another certificate than the one given")
    except (Failed, Malformed, ValueError, TypeError, KeyError) as error:
        report.add(6, FAILED, str(error))
        return
    both = sealed and known
    report.add(6, OK if both else POLICY, "seal and log" if both else "give the log's key and the certificate's print")


def check_period(items: list[Item], said: dict[str, Any]) -> str:
    """9. Per exit the entries are one unbroken chain that begins before the period, or is its first, and ends after it.

    An entry next to the period on either side shows that none in between was left out; where there is none after it,
    nothing shows that the last ones are there, and the answer says so.
    """
    by_index, open_ends = {item.index: item for item in items}, 0
    for part in said["exits"]:
        mine = [by_index[index] for index in sorted(part["entries"])]
        gone = {item.entry["n"]: item.entry["leaf"] for item in of_kind(mine, "REDACTED")}
        inside = {index for index in part["entries"] if _within(by_index[index], said)}
        need(inside == set(part["inside"]), f"{part['exit']}: what lies in the period is not what is stated")
        run = [item for item in mine if item.index in inside]
        beside = [item for item in mine if item.index not in inside and item.kind != "REDACTED"]
        before = [item for item in beside if _day_of(item) < said["since"]][-1:]
        after = [item for item in beside if _day_of(item) > said["until"]][:1]
        chain = [*before, *run, *after] or mine
        for item in mine:
            need(set(item.event) == EVENT_FIELDS, f"entry {item.index}: fields")
            need(item.event["exit"] == part["exit"], f"entry {item.index} is of another exit")
            need(item.event["origin"] == said["log"]["origin"], f"entry {item.index} is of another log")
        first = chain[:1] if not before else []
        for item in first:
            need(_follows(None, item, gone), f"{part['exit']}: what came before entry {item.index} is missing")
        for earlier, item in pairwise(chain):
            need(_follows(earlier, item, gone), f"an entry is missing before {item.index}")
        open_ends += not after
    return f"{len(items)} entries" + (f"; {open_ends} exits have no entry after the period" if open_ends else "")


def _within(item: Item, said: dict[str, Any]) -> bool:
    return bool(said["since"] <= _day_of(item) <= said["until"])


def _day_of(item: Item) -> str:
    """Give the legal day (Copenhagen) of an entry: UTC and an hour, in summer two (Directive 2000/84/EC)."""
    at = datetime.fromisoformat(item.event["at"].replace("Z", "+00:00")).astimezone(UTC)
    ends = [datetime(at.year, month, 31, 1, tzinfo=UTC) for month in (3, 10)]
    begins, stops = (one - timedelta(days=(one.weekday() + 1) % 7) for one in ends)  # the last Sunday, 01:00 UTC
    return (at + timedelta(hours=2 if begins <= at < stops else 1)).date().isoformat()


def _follows(earlier: Item | None, item: Item, gone: dict[int, str]) -> bool:
    """Tell whether `item` comes next in the exit's chain; what the log says was forgotten counts by its leaf hash."""
    number, previous = (earlier.event["n"] + 1, earlier.hash.hex()) if earlier else (0, "0" * 64)
    while number in gone and number < item.event["n"]:
        number, previous = number + 1, gone[number]
    return bool(item.event["n"] == number and item.event["prev"] == previous)


def check_listed(members: dict[str, bytes], said: dict[str, Any], items: list[Item]) -> str:
    """16. Approvals, attestations and requests are the period's entries of their kinds; obligations are told."""
    by_index, count = {item.index: item for item in items}, 0
    for number, part in enumerate(said["exits"]):
        for section, kinds in LISTED.items():
            name = f"{section}/{number:04d}.json"
            need(name in members, f"missing: {name}")
            listed = parse(members[name], name)
            true = [by_index[index] for index in sorted(part["inside"]) if by_index[index].kind in kinds]
            rows = [{"index": item.index, "kind": item.kind, "entry": item.entry} for item in true]
            need(listed == {"exit": part["exit"], "rows": rows}, f"{name} is not what the evidence says")
            count += len(rows)
        owed = parse(members.get(f"obligations/{number:04d}.json", b""), "obligations")
        need(owed["exit"] == part["exit"], "obligations of another exit")
    return f"{count} rows; how obligations stand is the supplier's count, not derived here"


def _rotations(members: dict[str, bytes] | None, options: Options, report: Report) -> list[Rotation] | None:
    """Read the rotations; one that is not signed as it must be fails check 6, and none is believed."""
    try:
        return rotations_of(members, options)
    except (Failed, Malformed, ValueError) as error:
        report.add(6, FAILED, f"rotation of keys: {error}")
        return None


def _keys_at(options: Options, predicate: dict[str, Any], rotations: list[Rotation]) -> list[str]:
    stated = {predicate["log"]["key"], predicate["signers"]["pdf"]}
    stated |= {one["key"] for one in predicate["signers"]["statement"]}
    return [key_at(key, predicate["log"]["size"], rotations, stated) for key in options.keys]


def _documents(data: bytes, members: dict[str, bytes] | None) -> tuple[Pdf | None, bytes]:
    if members is not None:
        missing = {"certificate.pdf", "certificate.dsse.json", "manifest.dsse.json", "keys.json"} - set(members)
        form(not missing, f"bundle: missing {', '.join(sorted(missing))}")
        form(members["certificate.pdf"][:5] == b"%PDF-", "bundle: certificate.pdf is not a PDF")
        return read_pdf(members["certificate.pdf"]), members["certificate.dsse.json"]
    if data[:5] == b"%PDF-":
        pdf = read_pdf(data)
        return pdf, pdf.dsse
    form(data[:1] == b"{", "neither a PDF, a DSSE file nor a bundle")
    return None, data


def _form_of(members: dict[str, bytes] | None, pdf: Pdf | None) -> str:
    return f"bundle, {len(members)} members" if members is not None else "PDF" if pdf else "DSSE"


def check_statement(statement: Any) -> dict[str, Any]:
    """4. An in-toto Statement v1 of one of the two kinds, with every mandatory field."""
    need(isinstance(statement, dict), "not an object")
    need(statement.get("_type") == "https://in-toto.io/Statement/v1", "not an in-toto Statement v1")
    need(statement.get("predicateType") in PREDICATES, "unknown predicate type")
    predicate = statement["predicate"]
    stage = rules_stage(predicate)
    wanted = MANDATORY if stage in DELETING else (*(set(MANDATORY) - OF_DELETING), *OF_STAGE[stage])
    missing = [name for name in wanted if name not in predicate]
    need(not missing, f"missing: {', '.join(missing)}")
    need(predicate["kind"] == PREDICATES[statement["predicateType"]], "kind and predicate type differ")
    need(predicate["not_covered"], "a certificate without a NOT-COVERED section does not exist")
    need(predicate["status"] == ("not final" if stage == LETTER else "issued"), "status")
    need(stage not in DELETING or predicate["systems"], "no scope")
    need(statement["subject"], "no subject")
    return dict(predicate)


def rules_stage(predicate: dict[str, Any]) -> str:
    """Give the stage whose rules a document is under: its own, or that of the certificate that it corrects."""
    stage, former = str(predicate.get("stage")), predicate.get("supersedes")
    need(stage == "CORRECTION" or stage in (*DELETING, *OF_STAGE), f"unknown stage {stage[:40]}")
    need((former is not None) == (stage == "CORRECTION"), f"{stage}: a correction, and only that, supersedes")
    if former is None:
        return stage
    need(isinstance(former, dict) and former.get("stage") in CORRECTABLE, "what is corrected is no certificate")
    return str(former["stage"])


def _check_seals(
    members: dict[str, bytes] | None,
    pdf: Pdf | None,
    predicate: dict[str, Any],
    options: Options,
    report: Report,
    dsse: bytes,
) -> bytes | None:
    if members is not None:
        report.run(2, check_manifest, members, predicate)
    if pdf is None:
        report.add(3, NOT_DONE, "no PDF given")
        return None
    found: list[bytes] = []

    def seal() -> str:
        certificate = check_seal(pdf)
        need(print_of(certificate) == predicate["signers"]["pdf"], "sealed with another certificate than stated")
        need(pdf.dsse == dsse, "the PDF embeds another statement")
        level = check_level(pdf, options.tsa_chain)
        found.append(certificate)
        return level

    report.run(3, seal)
    return found[0] if found else None


def check_manifest(members: dict[str, bytes], predicate: dict[str, Any]) -> str:
    """2. Every member is listed with its SHA-256, and nothing else is there; signed with the sealing key."""
    envelope = read_envelope(members["manifest.dsse.json"], MANIFEST_TYPE)
    keys = parse(members["keys.json"], "keys.json")
    raw = unbase64(keys["certificate"], "keys.json certificate")
    need(print_of(raw) == predicate["signers"]["pdf"], "the manifest's certificate is not the stated one")
    need(len(envelope.signatures) == 1 and envelope.signatures[0][0] == print_of(raw), "the manifest's signer")
    certificate = x509.load_der_x509_certificate(raw)
    need(ecdsa_verifies(certificate, envelope.signatures[0][1], envelope.signed), "the manifest's signature")
    manifest = parse(envelope.payload, "manifest")
    listed = {one["path"]: (one["sha256"], one["size"]) for one in manifest["members"]}
    here = {
        name: (hashlib.sha256(data).hexdigest(), len(data))
        for name, data in members.items()
        if name != "manifest.dsse.json"
    }
    need(len(listed) == len(manifest["members"]), "the manifest lists a member twice")
    for name in sorted(set(listed) | set(here)):
        need(name in here, f"listed but missing: {name}")
        need(name in listed, f"not listed: {name}")
        need(listed[name] == here[name], f"changed: {name}")
    need(manifest["number"] == predicate["number"], "the manifest is of another certificate")
    return f"{len(here)} members"


def check_signatures(envelope: Envelope, predicate: dict[str, Any]) -> str:
    """5. Every signature is by a stated signer and valid; as many different keys as the threshold, at least two."""
    signers = {key.short: key for key in (note_key(one["key"]) for one in predicate["signers"]["statement"])}
    need(len({key.public for key in signers.values()}) == len(signers), "two signers share a key")
    seen = set()
    for keyid, signature in envelope.signatures:
        need(keyid in signers and keyid not in seen, f"signature of an unknown signer: {keyid[:60]}")
        need(signers[keyid].verifies(signature, envelope.signed), f"signature is not valid: {keyid[:60]}")
        seen.add(keyid)
    threshold = predicate["signers"]["threshold"]
    need(threshold >= 2 and len(seen) >= threshold, f"{len(seen)} of {threshold} signatures")
    return f"{len(seen)} of {threshold}"


def _check_trust(
    envelope: Envelope, predicate: dict[str, Any], certificate: bytes | None, options: Options, report: Report
) -> None:
    """6. As many signatures by keys from outside as the threshold; a key of the same name that differs fails."""
    if not options.keys:
        report.add(6, POLICY, "no key given: the file agrees with itself, and that is all")
        return
    try:
        trusted, fingerprints = _given(options.keys)
        matched = _match(trusted, predicate)
        sealed = print_of(certificate) if certificate else predicate["signers"]["pdf"]
        need(not fingerprints or sealed in fingerprints, "sealed with another certificate than the one given")
        signed = {keyid for keyid, _ in envelope.signatures} & {key.short for key in trusted}
        threshold = int(predicate["signers"]["threshold"])
        need(not trusted or matched, "none of the keys given signed this: other keys than the ones trusted")
        logs = not trusted or note_key(predicate["log"]["key"]).public in {key.public for key in trusted}
    except (Failed, Malformed) as error:
        report.add(6, FAILED, str(error))
        return
    except Exception as error:  # a forged file may break anything
        report.add(6, FAILED, f"cannot be read: {type(error).__name__}")
        return
    enough = len(signed) >= max(threshold, 2)
    said = f"{len(signed)} of {threshold} signatures by keys given"
    report.add(6, OK if enough and logs else POLICY, said if logs else f"{said}; the log's key is not among them")


def _given(keys: list[str]) -> tuple[list[NoteKey], set[str]]:
    prints = {key.lower() for key in keys if key.lower().startswith("x509-sha256:")}
    return [note_key(key) for key in keys if not key.lower().startswith("x509-sha256:")], prints


def _match(trusted: list[NoteKey], predicate: dict[str, Any]) -> int:
    stated = [note_key(one["key"]) for one in predicate["signers"]["statement"]]
    stated.append(note_key(predicate["log"]["key"]))
    for key in trusted:
        for other in stated:
            need(key.name != other.name or key.public == other.public, f"another key under the name {key.name}")
    return len({key.public for key in trusted} & {key.public for key in stated})


def _check_log(
    members: dict[str, bytes] | None,
    predicate: dict[str, Any],
    options: Options,
    report: Report,
    rotations: list[Rotation],
) -> list[Item] | None:
    if members is None:
        for n in (7, 8, 9, 10):
            report.add(n, NOT_DONE, "needs the bundle")
        if options.heads:
            report.run(11, check_heads, predicate, [], options, rotations)
        else:
            report.add(11, NOT_DONE, "no --head")
        return None
    return _in_log(members, predicate, check_chain, options, report, rotations)


def _in_log(
    members: dict[str, bytes],
    said: dict[str, Any],
    whole: Callable[[list[Item], dict[str, Any]], str],
    options: Options,
    report: Report,
    rotations: list[Rotation],
) -> list[Item] | None:
    """Check what bundle and export say of the log (7, 8, 10, 11); `whole` is 9, that no entry is missing."""
    report.run(7, check_checkpoint, members, said, rotations)
    items = report.run(8, check_inclusion, members, said)
    if items is not None:
        report.run(9, whole, items, said)
    leaves = report.run(10, check_consistency, members, said, items or [], rotations)
    if not options.heads:
        report.add(11, NOT_DONE, "no --head: the log could have been forked for others")
    elif leaves is not None:
        report.run(11, check_heads, said, leaves, options, rotations)
    return items if items is None else list(items)


def check_checkpoint(members: dict[str, bytes], predicate: dict[str, Any], rotations: list[Rotation]) -> str:
    """7. The checkpoint of the stated size is signed by the log's key, stated or earlier, and says the stated root."""
    log = predicate["log"]
    name = f"checkpoints/{log['size']:012d}.txt"
    need(name in members, f"missing: {name}")
    head = read_log_head(members[name].decode("utf-8"), log["key"], rotations)
    need(head.origin == log["origin"] and head.size == log["size"], "the checkpoint is of another log or size")
    need(head.root == unbase64(log["root"], "root"), "the checkpoint has another root than stated")
    return f"{head.size} entries"


def check_inclusion(members: dict[str, bytes], predicate: dict[str, Any]) -> list[Item]:
    """8. Exactly the stated entries are there, and each is included under the stated root."""
    log = predicate["log"]
    root, wanted = unbase64(log["root"], "root"), list(log["entries"])
    here = {name for name in members if name.startswith(("evidence/", "proofs/"))}
    names = {f"{folder}/{index:012d}.json" for index in wanted for folder in ("evidence", "proofs")}
    need(names <= here, f"dropped from the bundle: {', '.join(sorted(names - here)[:3])}")
    need(here <= names, f"not in the statement: {', '.join(sorted(here - names)[:3])}")
    items = []
    for index in wanted:
        data = members[f"evidence/{index:012d}.json"]
        proof = parse(members[f"proofs/{index:012d}.json"], f"proof {index}")
        digest = leaf_hash(data)
        path = [unbase64(one, f"proof {index}") for one in proof["path"]]
        need((proof["index"], proof["size"]) == (index, log["size"]), f"proof {index} is of another place")
        need(included(digest, index, log["size"], path, root), f"entry {index} is not in the log")
        items.append(Item(index, digest, parse(data, f"entry {index}")["event"]))
    return items


def check_chain(items: list[Item], predicate: dict[str, Any]) -> str:
    """9. The exit's entries form an unbroken chain up to the stated end: none is left out, moved or another's.

    What the log itself says was forgotten (REDACTED) is a link of the chain by its leaf hash, if no check needs it.
    """
    chain, previous, number = predicate["log"]["chain"], "0" * 64, 0
    gone = {item.entry["n"]: item.entry for item in of_kind(items, "REDACTED")}
    need([one.index for one in items] == sorted(one.index for one in items), "entries are not in order")
    for item in items:
        event = item.event
        need(set(event) == EVENT_FIELDS, f"entry {item.index}: fields")
        while number in gone and event["n"] > number:
            previous, number = _forgotten(gone.pop(number)), number + 1
        need(event["exit"] == predicate["exit"], f"entry {item.index} is of another exit")
        need(event["origin"] == predicate["log"]["origin"], f"entry {item.index} is of another log")
        need(event["n"] == number and event["prev"] == previous, f"an entry is missing before {item.index}")
        previous, number = item.hash.hex(), number + 1
    need((chain["count"], chain["head"]) == (number, previous), "the last entries are missing")
    return f"{len(items)} entries" + (f", {number - len(items)} forgotten" if number > len(items) else "")


def _forgotten(entry: dict[str, Any]) -> str:
    """Give the leaf hash of an entry that was forgotten, by two people's word, and that no check reads."""
    need(entry["was"] in SPARE, f"entry {entry['index']} ({entry['was']}) was forgotten, and the checks need it")
    need(len({one["actor"] for one in entry["approvals"]}) > 1, f"entry {entry['index']}: forgotten on one's word")
    return str(entry["leaf"])


def check_consistency(
    members: dict[str, bytes], predicate: dict[str, Any], items: list[Item], rotations: list[Rotation]
) -> list[bytes]:
    """10. All leaf hashes give the stated root, and every checkpoint of the bundle is an earlier state of it."""
    log = predicate["log"]
    root = unbase64(log["root"], "root")
    need(type(log["size"]) is int and log["size"] > 0, "the log's size is not a size")
    leaves = read_tiles(members, log["size"])
    notes = sorted(name for name in members if name.startswith("checkpoints/") and name.endswith(".txt"))
    heads = {name: read_log_head(members[name].decode("utf-8"), log["key"], rotations) for name in notes}
    roots = roots_of(leaves, {log["size"], *(head.size for head in heads.values())})
    need(roots[log["size"]] == root, "the leaf hashes give another root")
    for item in items:
        need(leaves[item.index] == item.hash, f"entry {item.index} is another leaf")
    for entry in (item.entry for item in of_kind(items, "REDACTED")):
        true = entry["index"] < log["size"] and leaves[entry["index"]].hex() == entry["leaf"]
        need(true, f"entry {entry['index']}: what was forgotten is another leaf")
    for name, head in heads.items():
        need(head.origin == log["origin"] and head.size <= log["size"], f"{name}: another log, or a later state")
        proof = parse(members[f"{name[:-4]}.json"], name)
        path = [unbase64(one, name) for one in proof["path"]]
        need((proof["first"], proof["second"]) == (head.size, log["size"]), f"{name}: proof of another place")
        need(consistent(head.size, log["size"], (head.root, root), path), f"{name}: forked log")
        need(roots[head.size] == head.root, f"{name}: forked log")
    return leaves


def read_tiles(members: dict[str, bytes], size: int) -> list[bytes]:
    """Read all leaf hashes from the level-0 tiles (c2sp.org/tlog-tiles)."""
    here = {name for name in members if name.startswith("tile/")}
    need(len(here) == (size + 255) // 256, "tiles are missing or too many")
    names = [tile_path(number, min(256, size - number * 256)) for number in range(len(here))]
    need(here == set(names), "tiles are missing or too many")
    data = b"".join(members[name] for name in names)
    need(len(data) == size * 32, "tiles have another size")
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def tile_path(number: int, width: int) -> str:
    """Name a level-0 tile (c2sp.org/tlog-tiles)."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "tile/0/" + "/".join(groups) + (f".p/{width}" if width < 256 else "")


def check_heads(predicate: dict[str, Any], leaves: list[bytes], options: Options, rotations: list[Rotation]) -> str:
    """11. Heads that were received earlier, from outside, are earlier states of this log."""
    log, done, notes = predicate["log"], 0, []
    heads = [read_log_head(text, log["key"], rotations) for text in options.heads]
    roots = roots_of(leaves, {head.size for head in heads})
    for head in heads:
        need(head.origin == log["origin"], "a head of another log")
        if head.size == log["size"]:
            need(head.root == unbase64(log["root"], "root"), f"forked log: another root at {head.size}")
        elif head.size < log["size"] and leaves:
            need(roots[head.size] == head.root, f"forked log: another root at {head.size}")
        else:
            notes.append(f"{head.size}: {'later than the certificate' if leaves else 'needs the bundle'}, NOT DONE")
            continue
        done += 1
    return "; ".join([f"{done} of {len(options.heads)} heads", *notes])


def _check_content(predicate: dict[str, Any], items: list[Item] | None, report: Report) -> None:
    if rules_stage(predicate) not in DELETING:
        _check_other(predicate, items, report)
        return
    report.run(12, check_completeness, predicate, items)
    report.run(13, check_sums, predicate, items)
    if items is None:
        report.add(14, NOT_DONE, "needs the bundle")
    else:
        report.run(14, check_order, predicate, items)
    report.run(15, check_stage, predicate, items)
    if items is None:
        report.add(16, NOT_DONE, "needs the bundle")
    else:
        report.run(16, _against, check_against_evidence, predicate, items, report.subject)
    report.run(22, check_below, predicate, items)


def of_kind(items: list[Item], kind: str) -> list[Item]:
    """Pick the items of one kind, in the log's order."""
    return [item for item in items if item.kind == kind]


def order_of(items: list[Item]) -> dict[str, Any]:
    """Give the final order."""
    orders = of_kind(items, "ORDER_PLACED")
    need(orders, "no final order among the evidence")
    return orders[-1].entry


def plan_of(items: list[Item]) -> Item:
    """Give the plan in force: the highest version, the last of that."""
    plans = of_kind(items, "PLAN_MADE")
    need(plans, "no plan among the evidence")
    return max(plans, key=lambda one: (one.entry["version"], one.index))


def line_of(items: list[Item], activity: str) -> dict[str, Any]:
    """Give an activity's line in the plan in force; empty where it has none."""
    return next((one for one in plan_of(items).entry["activities"] if one["id"] == activity), {})


def scopes_of(items: list[Item]) -> dict[str, list[str]]:
    """Give the systems of each deletion in the plan in force."""
    lines = [line_of(items, activity) for activity in SCOPES]
    return {one["id"]: one["systems"] for one in lines if one and one["chosen"] and one["systems"]}


def end_of(items: list[Item]) -> str:
    """Give the agreement's last day: the plan's D1, or the order's."""
    return str(line_of(items, "D1").get("due") or order_of(items)["agreement_end"])


def accepted_notices(items: list[Item]) -> list[Item]:
    """Pick the notices that took effect without the other party."""
    return [one for one in of_kind(items, "NOTICE_GIVEN") if one.entry["outcome"] in ("accepted", "accepted_later")]


def kept_until(items: list[Item]) -> str | None:
    """Give the last day on which an option keeps the last deletion away, or None."""
    earliest, end = line_of(items, SCOPES[-1]).get("earliest"), end_of(items)
    if not keepers(items) or not earliest:
        return None
    until = (date.fromisoformat(earliest) - timedelta(days=1)).isoformat()
    return until if until > end else None


def keepers(items: list[Item]) -> set[str]:
    """Name the suspending options in force: confirmed, given by notice, or taken at silence."""
    told = [set(one.entry["options"]) for one in of_kind(items, "OPTIONS_CONFIRMED")[-1:]]
    told += [set(one.entry["options"]) for one in accepted_notices(items)]
    last = of_kind(items, "SILENCE_APPLIED")[-1:]
    told += [{"S2-28.2-retention"} for one in last if one.entry["silence"] == "storage_option"]
    return set().union(*told) & KEEPING


def suspended_of(items: list[Item], on: str) -> list[dict[str, Any]]:
    """Give every system that an option suspends on a day, as a statement must list it."""
    until = kept_until(items)
    if until is None or on > until:
        return []
    covers: dict[str, list[str]] = {}
    for one in of_kind(items, "OPTIONS_CONFIRMED")[-1:]:
        covers = {line["option"]: line["systems"] for line in one.entry["covers"]}
    rows = []
    for system in scopes_of(items).get(SCOPES[-1], []):
        names = sorted(one for one in keepers(items) if system in (covers.get(one) or [system]))
        rows.append({"system": system, "place": None, "reason": f"OPTION({','.join(names)})", "until": until})
    return rows


def jobs_of(predicate: dict[str, Any], items: list[Item]) -> dict[str, tuple[Item, Item]]:
    """Give, for each scope that the certificate states, its latest inventory and that job's last verification."""
    found = {}
    for activity in [one["activity"] for one in predicate["scope"]["scopes"]]:
        inventories = [one for one in of_kind(items, "DELETION_PREVIEWED") if one.entry["activity"] == activity]
        need(inventories, f"{activity}: no inventory among the evidence")
        job = inventories[-1].entry["job_id"]
        answers = [one for one in of_kind(items, "DELETION_VERIFIED") if one.entry["job_id"] == job]
        need(answers, f"{activity}: never verified")
        found[activity] = (inventories[-1], answers[-1])
    return found


def place_of(line: dict[str, Any]) -> tuple[str, str]:
    """Give what names a place."""
    return line["system"], line["place"]


def check_completeness(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """12. Each system of the order is certified, suspended or left to another certificate; each place is answered."""
    lines = [line for system in predicate["systems"] for line in system["places"]]
    for line in lines:
        _check_disposition(line, predicate["kind"])
    if items is None:
        return f"{len(lines)} places of the statement (the inventory itself needs the bundle)"
    _check_scopes(predicate, items)
    scopes = scopes_of(items)
    for activity, (inventory, answer) in jobs_of(predicate, items).items():
        listed = {place_of(line) for line in inventory.entry["places"]}
        answered = {place_of(line) for line in answer.entry["places"]}
        for entry in (inventory.entry, answer.entry):
            need(
                len({place_of(line) for line in entry["places"]}) == len(entry["places"]), f"{activity}: a place twice"
            )
        need(listed == answered, f"{activity}: unanswered or unknown: {sorted(listed ^ answered)[:3]}")
        need(answer.entry["result"] in ("DELETED", "ABSENT_VERIFIED"), f"{activity}: the verifier answered ERROR")
        systems = {line["system"] for line in inventory.entry["places"]}
        need(set(scopes[activity]) <= systems, f"{activity}: {sorted(set(scopes[activity]) - systems)[:3]}: no place")
        need(
            systems <= set(scopes[activity]), f"{activity}: {sorted(systems - set(scopes[activity]))[:3]}: not in scope"
        )
        for one in answer.entry["places"]:
            _check_disposition(one, predicate["kind"])
        _check_attested(items, scopes[activity], [*inventory.entry["places"], *answer.entry["places"]])
    return f"{len(lines)} places"


def lines_of(items: list[Item], systems: list[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Give every line that people were asked to attest of these systems."""
    asked = [line for one in of_kind(items, "ATTESTATIONS_ASKED") for line in one.entry["lines"]]
    return {line_key(one): one for one in asked if one["system"] in systems}


def given_of(items: list[Item], systems: list[str]) -> dict[tuple[Any, ...], Item]:
    """Give the first attestation of each line of these systems."""
    found: dict[tuple[Any, ...], Item] = {}
    for one in of_kind(items, "ATTESTATION_GIVEN"):
        if one.entry["system"] in systems:
            found.setdefault(line_key(one.entry), one)
    return found


def line_key(entry: dict[str, Any]) -> tuple[Any, ...]:
    """Give what names a line."""
    return entry["system"], entry["place"], entry["subprocessor"], entry["method"]


def _check_attested(items: list[Item], systems: list[str], places: list[dict[str, Any]]) -> None:
    """A place is attested, and a sub-processor confirmed or not used, only by an entry of its own in the log."""
    lines, given = lines_of(items, systems), given_of(items, systems)
    asked = {(one["system"], one["place"]) for one in lines.values()}
    for one in places:
        if one["disposition"] == "attested":
            where = "/".join(place_of(one))
            need(place_of(one) in asked, f"{where}: called attested, and nobody was asked to attest it")
    for key, line in lines.items():
        name = f"{line['system']}/{line['place'] or line['subprocessor']} {line['method']}"
        kind = "sub-processor not confirmed" if line["subprocessor"] else "attested without an attestation in the log"
        need(key in given, f"{name}: {kind}")
        _check_word(name, line, given[key].entry)


def _check_word(name: str, line: dict[str, Any], word: dict[str, Any]) -> None:
    need(word["role"] == ATTESTS[line["by"]], f"{name}: attested in the role {word['role']}")
    allowed = (line["method"], NOT_USED) if line["subprocessor"] else (line["method"],)
    need(word["answer"] in allowed, f"{name}: attested as {word['answer']}")
    sanitised = word["answer"] == MEDIA
    need((word["media_class"] is not None) == sanitised, f"{name}: a NIST SP 800-88 class is for sanitised media only")
    theirs = word["answer"] != STAYS or line["owner"] == "customer"
    need(theirs, f"{name}: data left on a machine that is not the customer's")


def _check_scopes(predicate: dict[str, Any], items: list[Item]) -> None:
    """Compare the stated scopes with the plan in force and the options, on the day of issue."""
    scope, order, scopes = predicate["scope"], order_of(items), scopes_of(items)
    kept = suspended_of(items, predicate["issued_on"])
    stated = {one["activity"]: one["systems"] for one in scope["scopes"]}
    need(stated, "no scope")
    for activity, systems in stated.items():
        need(scopes.get(activity) == systems, f"{activity}: the plan in force has another scope")
        gone = {one["system"] for one in kept} & set(systems)
        need(not gone, f"{activity}: suspended by an option and not deleted: {sorted(gone)[:3]}")
    need([one for one in scope["suspended"] if one["place"] is None] == kept, "the suspended systems differ")
    left = {(one["activity"], one["system"]) for one in scope["elsewhere"]}
    away = {one["system"] for one in kept}
    open_ = {(activity, one) for activity in scopes if activity not in stated for one in scopes[activity]}
    need(left == {pair for pair in open_ if pair[1] not in away}, "the systems left to other certificates differ")
    planned = {system for systems in scopes.values() for system in systems}
    lost = [one["system"] for one in order["systems"] if one["system"] not in planned]
    need(not lost, f"no deletion of the plan in force covers {lost[:3]}")
    need(scope["exit"] == order["scope"], "the exit's scope differs from the order")
    whole = not scope["suspended"] and not left and order["scope"] == "whole"
    need(scope["whole"] == whole, "called whole and is not, or the other way round")


def _check_disposition(line: dict[str, Any], kind: str) -> None:
    where, reason = "/".join(place_of(line)), line["reason"] or ""
    need(line["disposition"] in (*TERMINAL, "suspended"), f"{where}: open")
    if line["disposition"] == "excluded":
        rehearsed = kind == "rehearsal" and reason == "NOT_IN_REHEARSAL"
        need(REASON.match(reason) or rehearsed, f"{where}: reason not on the closed list")
    if line["disposition"] == "suspended":
        need(reason.startswith("OPTION("), f"{where}: suspended without an option")
    counted = line["before"] or line["deleted"] or line["retained"]
    need(line["disposition"] != "attested" or not counted, f"{where}: attested by people, and yet counted")
    explained = not line.get("unowned") or REASON.match(line["unowned_reason"] or "")
    need(explained, f"{where}: rows without a tenant, and no reason for them from the closed list")
    classed = line["row_class"] is not None or not (line["deleted"] or line["delivered"])
    need(classed, f"{where}: delivered and deleted rows are not reconciled")


def check_sums(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """13. before + arrived = deleted + retained + residual, residual 0; batches add up; nothing outside changed."""
    total = 0
    for system in predicate["systems"]:
        for line in system["places"]:
            _check_sum(line)
        for name in COUNTS:
            summed = sum(line[name] for line in system["places"])
            need(summed == system["counts"][name], f"{system['system']}: {name} does not add up")
        earlier = sum(one["deleted"] for one in system["earlier_jobs"])
        need(system["deleted_in_all"] == system["counts"]["deleted"] + earlier, f"{system['system']}: the whole sum")
        total += system["deleted_in_all"]
        if items is not None:
            _check_whole(system, items)
    need(predicate["outside"]["changes"] == 0, "changes outside the scope")
    need(all(one["kept"] == 0 for one in predicate["outside"].get("attempts", [])), "changes outside the scope")
    for activity, (_, answer) in (jobs_of(predicate, items) if items else {}).items():
        _check_batches(items or [], activity, answer)
    return f"{total} rows deleted, 0 left, 0 changes outside"


def _check_whole(system: dict[str, Any], items: list[Item]) -> None:
    rows = [one.entry for one in of_kind(items, "DELETION_BATCH_CLOSED")]
    mine = [one for one in rows if one["system"] == system["system"] and one["activity"] == system["activity"]]
    need(sum(one["deleted"] for one in mine) == system["deleted_in_all"], f"{system['system']}: batches do not add up")


def _check_sum(line: dict[str, Any]) -> None:
    where = "/".join(place_of(line))
    for name in COUNTS:
        need(type(line[name]) is int and line[name] >= 0, f"{where}: {name} is not a count")
    need(line["residual"] == 0, f"{where}: {line['residual']} rows are left")
    left, right = line["before"] + line["arrived"], line["deleted"] + line["retained"] + line["residual"]
    need(left == right, f"{where}: counts do not add up ({left} and {right})")
    need(
        not line["retained"] or line["disposition"] in ("excluded", "suspended"), f"{where}: retained without a reason"
    )


def _check_batches(items: list[Item], activity: str, answer: Item) -> None:
    job = answer.entry["job_id"]
    batches = [one.entry for one in of_kind(items, "DELETION_BATCH_CLOSED") if one.entry["job_id"] == job]
    for line in answer.entry["places"]:
        _check_sum(line)
        rows = sum(one["deleted"] for one in batches if place_of(one) == place_of(line))
        need(rows == line["deleted"], f"{'/'.join(place_of(line))}: batches do not add up ({rows}, {line['deleted']})")
    mine = [one.entry for one in items if one.entry.get("activity") == activity]
    outside = sum(one["outside"] for one in mine if "outside" in one)
    undone = sum(one.get("undone", 0) for one in batches)
    need(undone == 0, f"{activity}: the job that is certified tried to change {undone} outside the scope")
    need(outside == 0, f"{activity}: {outside} changes outside the scope")
    need(answer.entry["probes_found_after"] == 0, f"{activity}: probes were found afterwards")
    need(answer.entry["probes_found_before"] == answer.entry["probes_drawn"], f"{activity}: the search was blind")


def check_order(predicate: dict[str, Any], items: list[Item]) -> str:
    """14. Per scope: inventory < approvals (intent) < permit < destruction < verification; delivery before it."""
    given = [one.entry for one in of_kind(items, "INSTRUCTION_GIVEN")]
    need(given and given[-1]["kind"] == "delete", "no instruction to delete among the evidence")
    jobs = jobs_of(predicate, items)
    begun = {(one.entry["activity"], one.entry["job_id"]) for one in items if one.kind in DESTRUCTION}
    final = {(activity, answer.entry["job_id"]) for activity, (_, answer) in jobs.items()}
    for activity, job in sorted(begun | final):
        _check_begin(items, activity, job)
    for activity, (_, answer) in jobs.items():
        _check_end(items, activity, answer)
        _check_records(items, activity)
    return f"{len(jobs)} scopes, {len(begun)} destructions"


def _first_destruction(items: list[Item], job: str) -> int | None:
    return min((one.index for one in items if one.kind in DESTRUCTION and one.entry["job_id"] == job), default=None)


def _check_begin(items: list[Item], activity: str, job: str) -> None:
    mine = [one for one in items if one.entry.get("job_id") == job]
    seen = {kind: [one for one in mine if one.kind == kind] for kind in BEFORE_DESTRUCTION}
    need(
        seen["DELETION_INTENT"] and seen["DELETION_PREVIEWED"], f"{activity}: no inventory or no intent with approvals"
    )
    intent = seen["DELETION_INTENT"][-1]
    people = {one["actor"] for one in intent.entry["approvals"]}
    roles = {one["role"] for one in intent.entry["approvals"]}
    need(len(people) >= 2 and len(roles) >= 2, f"{activity}: not approved by two people in two roles")
    digests = {one.entry["plan_digest"] for one in mine if "plan_digest" in one.entry}
    need(len(digests) == 1, f"{activity}: another plan than the approved one")
    first = _first_destruction(items, job)
    if first is None:
        return
    began = [one.entry["on"] for one in mine if one.kind == "DELETION_BEGUN"]
    approved = max(one["at"][:10] for one in intent.entry["approvals"])
    need(not began or approved <= min(began), f"{activity}: approved after the destruction began")
    told = [one.entry["given_on"] for one in of_kind(items, "INSTRUCTION_GIVEN") if one.entry["kind"] == "delete"]
    need(not began or min(told) <= min(began), f"{activity}: destroyed before deleting was instructed")
    _check_settled(items, activity, seen["DELETION_PREVIEWED"][-1], min(began, default=None))
    again = seen["DELETION_PREVIEWED"][-1].entry.get("restore_id")
    before = [one.index for one in of_kind(items, "REAPPEARANCE_FOUND") if one.entry["restore_id"] == again]
    inventory = seen["DELETION_PREVIEWED"][-1].index
    need(not again or (before and min(before) < inventory), f"{activity}: deleted again before anything had returned")
    need(inventory < intent.index < first, f"{activity}: destroyed before intent and approvals")
    permits = [one.index for one in seen["PERMIT_ISSUED"]]
    need(permits and intent.index < min(permits) < first, f"{activity}: destroyed without a permit")
    cancelled = [one for one in of_kind(items, "DELETION_CANCELLED") if one.entry["job_id"] == job]
    need(not cancelled, f"{activity}: destroyed after its cancellation")
    if activity != "C7":
        _check_handed_over(items, activity, intent.index, first)


def _check_handed_over(items: list[Item], activity: str, intent: int, first: int) -> None:
    """Before the destruction the last package was accepted, or deleting was instructed after it was handed over, or the
    instruction for silence was applied before the intent."""
    package = handed_over(items, first)
    need(package, f"{activity}: destroyed before anything was delivered")
    assert package
    told = [one.entry for one in of_kind(items, "INSTRUCTION_GIVEN") if one.index < first]
    after = any(one["kind"] == "delete" and one["given_on"] > package.entry["on"] for one in told)
    if after or receipt_for(items, package, first):
        return
    asked = [one for one in of_kind(items, "OPTIONS_CONFIRMED")[-1:] if one.entry["silence"] == AT_SILENCE]
    need(asked, f"{activity}: destroyed before the delivery was accepted or instructed")
    applied = [one.index for one in of_kind(items, "SILENCE_APPLIED") if one.entry["silence"] == AT_SILENCE]
    need(applied and applied[-1] < intent, f"{activity}: the instruction for silence was not applied before the intent")


def _check_settled(items: list[Item], activity: str, inventory: Item, began: str | None) -> None:
    """By the day of the destruction the archive had decided on each of its systems; the case index waits for the end of
    operations instead. By the day, for the log has no order between what different services tell."""
    if began is None:
        return
    if activity == "C7":
        stopped = [one.entry for one in of_kind(items, "ACCESS_ATTESTED") if one.entry["activity"] == "C6"]
        need(any(one["on"] <= began for one in stopped), f"{activity}: destroyed before operations ended")
        return
    decided = {one.entry["system"] for one in of_kind(items, "ARCHIVE_DECIDED") if one.entry["decided_on"] <= began}
    left = sorted({line["system"] for line in inventory.entry["places"]} - decided)
    need(not left, f"{activity}: destroyed before the archive had decided: {left[:3]}")


def handed_over(items: list[Item], before: int) -> Item | None:
    """Give the last package that was handed over before an entry."""
    sent = [one for one in of_kind(items, "PACKAGE_DELIVERED") if one.index < before]
    return sent[-1] if sent else None


def receipt_for(items: list[Item], package: Item, before: int) -> Item | None:
    """Give the receipt for just this package, given after it and before an entry."""
    for one in of_kind(items, "DELIVERY_ACCEPTED"):
        if package.index < one.index < before and one.entry["package_id"] == package.entry["package_id"]:
            return one
    return None


def _check_end(items: list[Item], activity: str, answer: Item) -> None:
    job = answer.entry["job_id"]
    destroyed = [one.index for one in items if one.kind in DESTRUCTION and one.entry["job_id"] == job]
    if destroyed:
        need(answer.index > max(destroyed), f"{activity}: rows were deleted after the verification")
        ends = [one.index for one in of_kind(items, "DELETION_EXECUTED") if one.entry["job_id"] == job]
        need(ends and ends[-1] < answer.index, f"{activity}: verified before the end")


def _check_records(items: list[Item], activity: str) -> None:
    """Commitments to single records were sealed, and the supplier's own destroyed, after the last batch with any."""
    mine = [one for one in items if one.entry.get("activity") == activity]
    rooted = [one for one in of_kind(mine, "DELETION_BATCH_CLOSED") if "records_root" in one.entry]
    gone, sealed = of_kind(mine, "RECORDS_DESTROYED"), of_kind(mine, "RECORDS_SEALED")
    if rooted:
        need(gone and gone[-1].index > rooted[-1].index, f"{activity}: commitments to records are not destroyed")
        before = {one.entry["file_digest"]: one.index for one in sealed}
        for one in gone:
            need(before.get(one.entry["file_digest"], one.index) < one.index, f"{activity}: destroyed before sealed")
        records = sum(one.entry["records"] for one in gone)
        need(records == sum(one.entry["deleted"] for one in rooted), f"{activity}: commitments and records differ")


def check_stage(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """15. "Permanent" only when every backup set is gone; nothing is open; 28.1 is not hidden; rehearsals say so."""
    stage, words = rules_stage(predicate), _words(predicate)
    without = _without_backups(predicate)
    if stage == "BACKUP-EXPIRED":
        need(predicate["follows"], "does not follow an ACTIVE-DELETED certificate")
        sets = _sets(predicate)
        need(sets or without, "no backup set")
        left = [one["set_id"] for one in sets if one["answer"] not in ENDED]
        need(not left, f"backup sets are not gone: {left[:3]}")
        _check_keys(predicate, items, sets)
        _check_final(predicate, items, without=without)
    if stage != "BACKUP-EXPIRED" or without:
        need(
            not any(re.search(r"\b(er|is) permanent", one) for one in words), '"permanent" before the backups are gone'
        )
    _check_series(predicate, words)
    _check_former(predicate, items)
    _check_found(predicate, items or [])
    if items is not None:
        _check_own_copies(predicate, items)
    _check_restores(predicate, items, words)
    kept = ("IKKE slettet", "NOT deleted") if predicate["scope"]["suspended"] else ()
    need(all(any(mark in one for one in words) for mark in kept), "suspended systems are not called not deleted")
    if items is not None:
        _check_open(predicate, items)
    _check_28_1(predicate, items)
    return str(stage)


def _check_own_copies(predicate: dict[str, Any], items: list[Item]) -> None:
    """The supplier's own copies of what was handed over are gone before live systems are certified as deleted."""
    stated, told = predicate.get("own_copies"), of_kind(items, "OWN_COPIES_LOOKED")
    delivered = of_kind(items, "PACKAGE_DELIVERED")
    if not delivered or {one["activity"] for one in predicate["scope"]["scopes"]} == {"C7"}:
        return
    need(told and told[-1].index > delivered[-1].index, "nobody looked for the supplier's own copies of the package")
    rows = told[-1].entry["rows"]
    left = [f"{one['kind']} {one['name']}" for one in rows if one["answer"] in ("PRESENT", "ERROR")]
    need(not left, f"own copies are not gone: {left[:3]}")
    packages = {one["name"] for one in rows if one["kind"] == "PACKAGE"}
    need(delivered[-1].entry["package_id"] in packages, "the last package was not looked for")
    days = (later(end_of(items), 15), told[-1].entry["on"])
    same = stated and (stated["rows"], stated["due"], stated["looked_on"]) == (rows, *days)
    need(same, "the stated copies differ")


def _check_keys(predicate: dict[str, Any], items: list[Item] | None, sets: list[dict[str, Any]]) -> None:
    """A set that ended with its key is never called gone, and the log has the key's whole way to its destruction."""
    ended = [one for one in sets if one["answer"] == KEY_DESTROYED]
    said = [one for one in _words(predicate) if "ikke slettet" in one or "not deleted" in one]
    need(not ended or len(said) >= 2, "sets that ended with their keys are not called not deleted")
    for one in ended if items is not None else ():
        _check_key(items or [], one)


def _check_key(items: list[Item], row: dict[str, Any]) -> None:
    where, said = f"{row['system']}/{row['set_id']}", row.get("key") or {}
    chain = _chain_of(items, where, set_of(row))
    planned, intent, last = chain[0].entry, chain[1].entry, chain[-1].entry
    people, roles = ({one[name] for one in intent["approvals"]} for name in ("actor", "role"))
    need(len(people) >= 2 and len(roles) >= 2, f"{where}: its key was not approved by two people in two roles")
    plan = next((one for one in planned["sets"] if set_of(one) == set_of(row)), None)
    need(plan is not None, f"{where}: the approved plan of keys does not name it")
    assert plan is not None
    need(plan["key_id"] == chain[-2].entry["key_id"] == last["key_id"], f"{where}: another key was destroyed")
    made, since, born = (instant_of(plan[name]) for name in ("made_at", "encrypted_at", "key_made_at"))
    need(since <= made and born <= made, f"{where}: not encrypted since it was made")
    _check_copies(where, plan["copies"], last)
    using = [one.entry for one in of_kind(items, "BACKUP_REGISTERED") if one.entry.get("key_id") == plan["key_id"]]
    need({set_of(one) for one in using} == {set_of(row)}, f"{where}: the key is not this set's alone")
    stated = (said.get("key_id"), said.get("key_destroyed_on"), said.get("copies"))
    need(stated == (plan["key_id"], last["on"], last["copies"]), f"{where}: the stated key differs")


def _chain_of(items: list[Item], where: str, key: tuple[str, str]) -> list[Item]:
    """Give plan, intent, permit, beginning, the holders' answers and the last look, in this order and of one plan."""
    asked, seen = (
        [one for one in of_kind(items, kind) if set_of(one.entry) == key]
        for kind in ("KEY_DESTRUCTION_ASKED", "KEY_OBSERVED")
    )
    need(asked and seen, f"{where}: no key was seen to be destroyed")
    job = asked[-1].entry["job_id"]
    steps = [[one for one in of_kind(items, kind) if one.entry["job_id"] == job] for kind in BEFORE_KEYS]
    need(all(steps), f"{where}: its key was destroyed without plan, approvals, permit or beginning")
    chain = [*(one[-1] for one in steps), asked[-1], seen[-1]]
    at = [one.index for one in chain]
    need(at == sorted(at), f"{where}: the key's steps are out of order")
    digests = {one.entry["plan_digest"] for one in chain if "plan_digest" in one.entry}
    same = len(digests) == 1 and seen[-1].entry["job_id"] == job
    need(same, f"{where}: another plan of keys than the approved one")
    return chain


def _check_copies(where: str, planned: list[dict[str, Any]], seen: dict[str, Any]) -> None:
    held = {(one["copy"], one["holder"]) for one in planned if one["holder"]}
    none = {one["copy"] for one in planned if not one["holder"]}
    kinds = {one[0] for one in held}
    need(kinds | none == KEY_COPIES and not kinds & none, f"{where}: a kind of copy of its key is not answered for")
    gone = {(one["copy"], one["holder"]) for one in seen["copies"] if one["state"] == "DESTROYED"}
    every = held and gone == held and len(seen["copies"]) == len(held) and seen["answer"] == "DESTROYED"
    need(every, f"{where}: not every copy of its key was seen to be destroyed")


def set_of(row: dict[str, Any]) -> tuple[str, str]:
    """Give what names a backup set."""
    return row["system"], row["set_id"]


def instant_of(text: str) -> datetime:
    """Read an instant with its zone."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    need(found.tzinfo is not None, f"{text}: an instant without a zone")
    return found


def _words(predicate: dict[str, Any]) -> list[str]:
    """Give every sentence of the wording, in both languages."""
    need(all(predicate["wording"][language] for language in ("da", "en")), "no wording")
    return [sentence for language in ("da", "en") for sentence in predicate["wording"][language]]


def _check_series(predicate: dict[str, Any], words: list[str]) -> None:
    """The number's series, the log's name and the wording fit the kind; a status letter has a series of its own."""
    kind, number = predicate["kind"], predicate["number"]
    need(re.fullmatch(r"(ØV|SB)-(ST-)?[0-9]{6,12}", number), "not a number of any series")
    named = predicate["log"]["origin"].startswith("ovelse-")
    need(predicate["simulated_dates"] is (kind == "rehearsal"), "simulated dates that are not called so, or true ones")
    need(number.startswith("ØV-") == named == (kind == "rehearsal"), "number series and log do not fit the kind")
    need(kind != "rehearsal" or any("ØVELSE" in one for one in words), "a rehearsal that does not say so")
    need(("-ST-" in number) == (predicate["stage"] == LETTER), "number series and stage do not fit")


def _versions(items: list[Item]) -> dict[str, list[Item]]:
    """Give what was issued under each number, by version."""
    found: dict[str, list[Item]] = {}
    for one in of_kind(items, "CERTIFICATE_ISSUED"):
        found.setdefault(one.entry["number"], []).append(one)
    return {number: sorted(all_, key=lambda one: one.entry.get("version", 1)) for number, all_ in found.items()}


def _counting(items: list[Item]) -> list[tuple[str, list[Item]]]:
    """Give stage and versions of every number whose last version is not revoked."""
    revoked = {one.entry["statement_digest"] for one in of_kind(items, "CERTIFICATE_REVOKED")}
    told = _versions(items).values()
    return [(all_[0].entry["stage"], all_) for all_ in told if all_[-1].entry["statement_digest"] not in revoked]


def _check_former(predicate: dict[str, Any], items: list[Item] | None) -> None:
    """A correction replaces the last version of its own number, which the log knows as issued and not revoked."""
    former = predicate.get("supersedes")
    if former is None:
        need(predicate["version"] == 1, "a later version that corrects nothing")
        return
    need(former["number"] == predicate["number"], "corrects another number than its own")
    need(predicate["version"] == former["version"] + 1, "not the version after the one it corrects")
    need(former["reason"] in CORRECTED_FOR, "corrected for a reason that is not on the closed list")
    need(former["changed"], "a correction that changes nothing")
    if items is None:
        return
    issued = _versions(items).get(former["number"], [])
    need(issued, "corrects a certificate that the log does not know")
    last = issued[-1].entry
    known = (last.get("version", 1), last["statement_digest"], issued[0].entry["stage"])
    need(known == (former["version"], former["statement_digest"], former["stage"]), "corrects not the last version")
    revoked = {one.entry["statement_digest"] for one in of_kind(items, "CERTIFICATE_REVOKED")}
    need(former["statement_digest"] not in revoked, "corrects a certificate that was revoked")


def _sets(predicate: dict[str, Any]) -> list[dict[str, Any]]:
    """Pick the backup sets of the systems that the certificate covers."""
    return [one for one in predicate["backups"] if one["system"] in predicate["scope"]["systems"]]


def _check_open(predicate: dict[str, Any], items: list[Item]) -> None:
    """Nothing waits: no cancellation, conflict, proposal, hold, rejection, or notice that the plan does not follow."""
    need(not of_kind(items, "EXIT_CANCELLED"), "the exit was cancelled")
    plan = plan_of(items)
    need(plan.entry["conflicts"] == 0, "the plan in force has conflicts")
    settled = {one.entry["proposal_id"] for one in of_kind(items, "PLAN_PROPOSED") if one.entry["state"] != "proposed"}
    waiting = {one.entry["proposal_id"] for one in of_kind(items, "PLAN_PROPOSED")} - settled
    need(not waiting, f"a proposed change waits for its answer: {sorted(waiting)[:3]}")
    lifted = {one.entry["hold_id"] for one in of_kind(items, "HOLD_LIFTED")}
    covered = {None, *predicate["scope"]["systems"]}
    placed = [one.entry for one in of_kind(items, "HOLD_PLACED") if one.entry["system"] in covered]
    held = [one["hold_id"] for one in placed if one["hold_id"] not in lifted]
    need(not held, f"held: {held[:3]}")
    package = of_kind(items, "PACKAGE_DELIVERED")[-1].entry["package_id"]
    rejected = [one for one in of_kind(items, "DELIVERY_REJECTED")[-1:] if one.entry["package_id"] == package]
    need(not rejected, "the customer rejected the delivery")
    ends = [
        (one.index, row["on"]) for one in accepted_notices(items) for row in one.entry["moved"] if row["anchor"] == "K"
    ]
    behind = ends and ends[-1][0] > plan.index and ends[-1][1] != end_of(items)
    need(not behind, "a notice moved the agreement's end, and the plan has not followed")


def _without_backups(predicate: dict[str, Any]) -> bool:
    """Tell whether a rehearsal says that it has no backups: then nothing may be said of them."""
    answers = [(one["line"], one["answer"]) for one in predicate["scope"]["answers"]]
    left_out = ("BACKUPS", "NOT_IN_REHEARSAL") in answers
    return predicate["kind"] == "rehearsal" and left_out and not predicate["backups"]


def _check_found(predicate: dict[str, Any], items: list[Item]) -> None:
    """No set found beside the catalogue, or dated otherwise, is left uncatalogued."""
    beside = [
        "/".join(set_of(one.entry)) for one in uncatalogued(items, {one["system"] for one in predicate["systems"]})
    ]
    need(not beside, f"{', '.join(beside[:3])}: found beside the catalogue")


def uncatalogued(items: list[Item], systems: set[str]) -> list[Item]:
    """List the sets of these systems that were found, and not registered since."""
    kept = {set_of(one.entry): one.index for one in of_kind(items, "BACKUP_REGISTERED")}
    found = [one for one in of_kind(items, "BACKUP_FOUND") if one.entry["system"] in systems]
    return [one for one in found if kept.get(set_of(one.entry), -1) <= one.index]


def certified_scopes(predicate: dict[str, Any]) -> list[str]:
    """Name the deletions that a certificate states."""
    return [one["activity"] for one in predicate["scope"]["scopes"]]


def returned_of(items: list[Item], scopes: list[str]) -> list[Item]:
    """List what returned of these deletions after it was deleted (T16)."""
    return [one for one in of_kind(items, "REAPPEARANCE_FOUND") if one.entry["activity"] in scopes]


def replay_of(items: list[Item], found: Item) -> Item | None:
    """Give the entry by which what returned is deleted again: of a job that was verified afterwards, or None."""
    for one in of_kind(items, "RESTORE_REPLAYED"):
        if one.entry["restore_id"] != found.entry["restore_id"]:
            continue
        answers = [each for each in of_kind(items, "DELETION_VERIFIED") if each.entry["job_id"] == one.entry["job_id"]]
        if answers and answers[-1].entry["result"] != "ERROR" and answers[-1].index > found.index:
            return one
    return None


def _check_restores(predicate: dict[str, Any], items: list[Item] | None, words: list[str]) -> None:
    """What returned stands there and was deleted again; a RE-DELETION is of nothing else, and nothing else hides it."""
    stage, said = rules_stage(predicate), predicate.get("restores") or {}
    returned = said.get("returned", [])
    need(stage != AGAIN or returned, "a re-deletion, and nothing returned")
    need(stage != "ACTIVE-DELETED" or not returned, "rows returned: that is certified as a RE-DELETION")
    open_ = [one["restore_id"] for one in returned if not one["replayed_on"]]
    need(not open_, f"rows returned and are not deleted again: {open_[:3]}")
    marks = ("SLETTET IGEN", "DELETED AGAIN") if returned else ()
    need(all(any(mark in one for one in words) for mark in marks), "the wording hides that rows returned")
    if items is None:
        return
    scopes = certified_scopes(predicate)
    found = returned_of(items, scopes)
    need(stage != "ACTIVE-DELETED" or not found, "rows returned: that is certified as a RE-DELETION")
    untouched = set(scopes) - {one.entry["activity"] for one in found}
    need(stage != AGAIN or not untouched, f"{sorted(untouched)[:3]}: nothing returned there by the log")
    for one in found:
        need(replay_of(items, one), f"{one.entry['activity']}: rows returned and are not deleted again by the log")
    need([_returned(items, one) for one in found] == [{**one} for one in returned], "what returned differs")
    _check_withdrawn(items, scopes, found, said)


def _returned(items: list[Item], found: Item) -> dict[str, Any]:
    """Write what returned as a statement has it."""
    told = [one for one in of_kind(items, "RESTORE_ANNOUNCED") if one.entry["restore_id"] == found.entry["restore_id"]]
    announced, replay = told[-1] if told else None, replay_of(items, found)
    row = {name: found.entry[name] for name in ("restore_id", "system", "activity", "cause", "after_job", "rows")}
    row |= {"set_id": announced.entry["set_id"] if announced else None}
    row |= {"announced_on": announced.entry["on"] if announced else None, "found_on": found.entry["on"]}
    names = {"job_id": "job_id", "deleted": "deleted", "replayed_on": "on"}
    row |= {name: replay.entry[of] if replay else None for name, of in names.items()}
    return row | {"evidence": [one.index for one in (announced, found, replay) if one]}


def _check_withdrawn(items: list[Item], scopes: list[str], found: list[Item], said: dict[str, Any]) -> None:
    """Every certificate of a deletion issued before its rows returned is withdrawn, and listed as withdrawn."""
    revoked = {one.entry["statement_digest"]: one for one in of_kind(items, "CERTIFICATE_REVOKED")}
    listed: dict[int, tuple[int, int]] = {}
    for versions in _versions(items).values():
        if versions[0].entry["stage"] not in DELETING:
            continue
        for one in versions:
            last = max((each.index for each in found if each.entry["activity"] in one.entry["activities"]), default=-1)
            told = revoked.get(one.entry["statement_digest"])
            gone = told is not None or one is not versions[-1]
            need(gone or one.index > last, f"{one.entry['number']}: issued before its rows returned, and not withdrawn")
            if told and set(one.entry["activities"]) & set(scopes):
                listed[one.index] = (one.index, told.index)
    stated = [tuple(one["evidence"]) for one in said.get("withdrawn", [])]
    need(not found or stated == [listed[index] for index in sorted(listed)], "the withdrawn certificates differ")


def _check_final(predicate: dict[str, Any], items: list[Item] | None, *, without: bool) -> None:
    if items is None:
        return
    issued = [versions[-1].entry for stage, versions in _counting(items) if stage in ("ACTIVE-DELETED", AGAIN)]
    certified = {activity for one in issued for activity in one["activities"]}
    for one in predicate["scope"]["scopes"]:
        need(one["activity"] in certified, f"{one['activity']}: the log knows of no ACTIVE-DELETED certificate")
    told = [one.entry for stage, all_ in _counting(items) if stage in ("ACTIVE-DELETED", AGAIN) for one in all_]
    before = [{name: one[name] for name in ("number", "statement_digest")} for one in told]
    need(predicate["follows"] in before, "follows no certificate of the deletion that the log knows")
    if without:
        return
    found = returned_of(items, certified_scopes(predicate))
    named = {one.entry["system"] for one in of_kind(items, "RESTORE_ANNOUNCED")}
    nowhere = [one.entry["system"] for one in found if one.entry["cause"] != "ANNOUNCED"]
    need(set(nowhere) <= named, f"rows returned from a copy that nobody named: {sorted(set(nowhere) - named)[:3]}")
    if len(predicate["scope"]["scopes"]) < len(scopes_of(items)):
        systems = {one["system"] for one in predicate["systems"] if one["activity"] != "C7"}
        bare = systems - {one["system"] for one in predicate["backups"]}
        need(not bare, f"no backup set is known of {sorted(bare)[:3]}")
        return
    last = max((one.index for one in [*of_kind(items, "BACKUP_REGISTERED"), *found]), default=-1)
    over = [one.index for one in of_kind(items, "BACKUPS_EXPIRED")]
    need(over and max(over) > last, "the log does not say that every system's backups expired")


def _check_28_1(predicate: dict[str, Any], items: list[Item] | None) -> None:
    row = next((one for one in predicate["obligations"] if one["id"] == "S2-28.1-d"), None)
    need(row is not None, "the obligation of S2 28.1 is missing")
    assert row is not None
    if not row["due"] or row["state"] == "breached":
        return
    open_backups = any(one["answer"] not in ENDED for one in _sets(predicate) if one["system"] not in _late_kept(items))
    last_day = later(row["due"], row.get("stood", 0))
    late = predicate["issued_on"] > last_day and not predicate["agreement"]["amendment"]
    need(not (late and open_backups), "28.1 is breached (backups after the due date, no amendment) and not shown so")
    if items is None:
        return
    told = [one for one in of_kind(items, "OBLIGATION_CHANGED") if one.entry["obligation"] == "S2-28.1-d"]
    last = max(told, key=lambda one: (one.entry["on"], one.index), default=None)
    need(last is None or last.entry["state"] != "breached", "28.1 was told to be breached and is not shown so")
    _check_stood(predicate, row, items)
    for activity, (_, answer) in jobs_of(predicate, items).items():
        due = row["due"]
        if activity == SCOPES[-1] and kept_until(items):
            due = line_of(items, activity)["due"] or due
        due = later(due, stood_still(items, due, predicate["issued_on"]))
        need(answer.entry["on"] <= due, f"28.1 is breached ({activity} deleted after {due}) and not shown so")
        for one in given_of(items, scopes_of(items)[activity]).values():
            need(one.entry["on"] <= due, f"28.1 is breached ({activity} attested after {due}) and not shown so")


def _check_stood(predicate: dict[str, Any], row: dict[str, Any], items: list[Item]) -> None:
    """As many Dage as the statement says a force majeure held 28.1 back, the log says it did (S2 23)."""
    stood = stood_still(items, row["due"], predicate["issued_on"])
    need(row.get("stood", 0) == stood, f"28.1 stood still for {stood} days of force majeure by the log")


def later(on: str, days: int) -> str:
    """Give the day so many days after `on`."""
    need(isinstance(days, int) and 0 <= days < 36_600, "days of force majeure are no number of days")
    return (_day(on) + timedelta(days=days)).isoformat()


def _day(on: str) -> date:
    """Read a day that days can be counted from."""
    need("1900" <= on < "9000", f"{on[:10]}: no day to count from")
    return date.fromisoformat(on)


def stood_still(items: list[Item], due: str, on: str) -> int:
    """Count the days on which force majeure held back a last day, until `on`: those of its clock (S2 23)."""
    kept = kept_until(items)
    at = _day(kept if kept and kept < due else end_of(items))
    left, stood = (_day(due) - at).days, 0
    stops = [(first, last or on) for first, last in force_majeures(items)]
    need(len(stops) <= 100, "more than 100 force majeures")
    need(all((_day(last) - _day(first)).days < 3_660 for first, last in stops), "a force majeure of ten years")
    while left > 0:
        at += timedelta(days=1)
        still = any(first <= at.isoformat() <= last for first, last in stops)
        left, stood = left - (not still), stood + still
    return stood


def force_majeures(items: list[Item]) -> list[tuple[str, str | None]]:
    """List first and last day of each told within 5 Arbejdsdage; an end closes every one that is open, in any order."""
    found: dict[str, str | None] = {}
    ends: list[str] = []
    for one in of_kind(items, "TRIGGER_RECORDED"):
        on = one.entry["on"]
        if one.entry["anchor"] == "force_majeure" and _day_of(one) <= _working_days_after(on, 5):
            found.setdefault(on, min((last for last in ends if last >= on), default=None))
        if one.entry["anchor"] == "force_majeure_end":
            ends.append(on)
            found |= {first: on for first, last in found.items() if last is None}
    return list(found.items())


def _working_days_after(on: str, count: int) -> str:
    """Give the Arbejdsdag that comes `count` after a day (S2 1)."""
    at = _day(on)
    while count:
        at += timedelta(days=1)
        count -= working_day(at)
    return at.isoformat()


def working_day(on: date) -> bool:
    """Tell whether a day is an Arbejdsdag (S2 1): no weekend, no Danish holiday, not 5/6, 24/12 or 31/12."""
    a, b, c = on.year % 19, on.year // 100, on.year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30  # Easter Sunday by the anonymous Gregorian rule
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    month, of_month = divmod(h + k - 7 * ((a + 11 * h + 22 * k) // 451) + 114, 31)
    since = (on - date(on.year, month, of_month + 1)).days
    free = since in (-3, -2, 0, 1, 39, 49, 50) or (since == 26 and on.year <= 2023)  # Store bededag went in 2024
    fixed = (on.month, on.day) in ((1, 1), (6, 5), (12, 24), (12, 25), (12, 26), (12, 31))
    return on.weekday() < 5 and not free and not fixed


def _late_kept(items: list[Item] | None) -> list[str]:
    """Name the systems whose last day an option has moved: theirs is the plan's own."""
    return scopes_of(items).get(SCOPES[-1], []) if items and kept_until(items) else []


def _check_users(predicate: dict[str, Any], items: list[Item] | None, report: Report) -> None:
    said = predicate["signers"].get("os_users")
    if said is None and any(one["code"] == "SEPARATE_OS_USERS" for one in predicate["not_done"]):
        report.add(21, NOT_DONE, "the statement says so itself")
    elif items is None:
        report.add(21, NOT_DONE, "needs the bundle")
    else:
        report.run(21, check_users, predicate, items)


def check_users(predicate: dict[str, Any], items: list[Item]) -> str:
    """21. Two OS users are named only as the log's last look at the signers says it, and for these very keys."""
    said, looks = predicate["signers"].get("os_users"), of_kind(items, "SIGNERS_CHECKED")
    missing = any(one["code"] == "SEPARATE_OS_USERS" for one in predicate["not_done"])
    need((said is None) == missing, "the signers' users: neither stated nor said to be missing, or both")
    assert said
    need(looks and said["evidence"] == looks[-1].index, "the signers' users are not in the log")
    entry = looks[-1].entry
    for name in ("seal_user", "sign_user", "own_files", "other_folder"):
        need(said[name] == entry[name], f"the signers' users differ: {name}")
    need(0 not in (entry["seal_user"], entry["sign_user"]), "a signer ran as root")
    need(entry["seal_user"] != entry["sign_user"], "the two signers ran as one user")
    need(entry["own_files"] == "PRIVATE" and entry["other_folder"] in ("DENIED", "NOT_MOUNTED"), "keys not kept apart")
    digests = [hashlib.sha256(one["key"].encode()).hexdigest() for one in predicate["signers"]["statement"]]
    need([entry["seal_key"], entry["sign_key"]] == digests, "the signers' users are another key's")
    return f"users {entry['seal_user']} and {entry['sign_user']}, as they found it themselves"


def _against(check: Any, predicate: dict[str, Any], items: list[Item], subject: Any) -> str:
    """16. The stage's own comparison with the log, and that of what every stage says."""
    said = str(check(predicate, items))
    check_said(predicate, items)
    need(subject == _subject(predicate, items), "the subject of the statement differs")
    return said


def _subject(predicate: dict[str, Any], items: list[Item]) -> list[dict[str, Any]]:
    """Name what a statement is about: approved inventories, package, withdrawn certificate, or the system map."""
    stage, exit_id = rules_stage(predicate), predicate["exit"]
    if stage == WITHDRAWN:
        told = predicate["revokes"]
        found = {told["number"]: told["statement_digest"]}
    elif stage == HANDED:
        package = _package(items).entry
        found = {package["package_id"]: package["package_digest"]}
    elif stage in (ACCESS, LETTER):
        found = {exit_id: order_of(items)["map_digest"]}
    else:
        jobs = jobs_of(predicate, items)
        found = {f"{exit_id}/{one}": jobs[one][0].entry["inventory_digest"] for one in sorted(jobs)}
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in found.items()]


def check_against_evidence(predicate: dict[str, Any], items: list[Item]) -> str:
    """16. What the statement says is what the log says."""
    jobs, order, scopes = jobs_of(predicate, items), order_of(items), scopes_of(items)
    where = {system: activity for activity in jobs for system in scopes[activity]}
    kinds = {one["system"]: one["kind"] for one in order["systems"]}
    stated = [(one["system"], one["activity"], one["kind"]) for one in predicate["systems"]]
    covered = [one["system"] for one in order["systems"] if one["system"] in where]
    need(stated == [(one, where[one], kinds[one]) for one in covered], "the systems differ")
    need(predicate["scope"]["systems"] == covered, "the systems of the scope differ")
    need(predicate["scope"]["answers"] == order["places"], "the answers to the places differ")
    for system in predicate["systems"]:
        answer = jobs[system["activity"]][1]
        places = [line for line in answer.entry["places"] if line["system"] == system["system"]]
        need(places == system["places"], f"{system['system']}: places differ from the verifier's answer")
        need(answer.index == system["verification"]["evidence"], f"{system['system']}: another verification")
        need(answer.entry["result"] == system["verification"]["result"], f"{system['system']}: another result")
        need(answer.entry["on"] == system["verification"]["on"], f"{system['system']}: another date")
        names = ("probes_drawn", "probes_found_before", "probes_found_after", "outside")
        seen = all(system["verification"][name] == answer.entry[name] for name in names)
        need(seen, f"{system['system']}: the verification differs")
        _check_job(system, answer.entry["job_id"], items)
        how = {line.get("method", "delete") for line in places if line["deleted"]}
        stated_how = {", ".join(sorted(how)) or "delete"}
        need(system["kind"] == "manual" or {system["method"]} == stated_how, f"{system['system']}: another method")
    _check_told(predicate, items, covered)
    _check_beside(predicate, items)
    need(_backups(items) == [_backup(one) for one in predicate["backups"]], "the backups differ")
    _check_people(predicate, items, jobs)
    last = of_kind(items, "PACKAGE_DELIVERED")[-1]
    for name in ("package_id", "package_digest", "rows", "package_bytes", "files", "on"):
        need(predicate["delivery"][name] == last.entry[name], f"the delivery differs: {name}")
    ways = [one.entry["recipient_digest"] for one in of_kind(items, "DISPATCH_SET")]
    need(predicate["delivery"]["recipient_digest"] in (ways[-1:] or [None]), "the delivery differs: recipient_digest")
    receipt, accepted = receipt_for(items, last, items[-1].index + 1), predicate["delivery"]["accepted"]
    by = accepted["by"] if accepted else {}
    said = (accepted["evidence"], accepted["on"], by["actor"], by["role"]) if accepted else None
    logged = (receipt.index, *(receipt.entry[one] for one in ("on", "actor", "role"))) if receipt else None
    need(said == logged, "the delivery differs: its receipt")
    need(order["customer_cvr"] == predicate["controller"]["cvr"], "another controller than in the order")
    _check_dates(predicate, items)
    need(
        _holds(items) == [(one["hold_id"], one["basis"], one["lifted_on"]) for one in predicate["holds"]],
        "holds differ",
    )
    return ""


def _check_job(system: dict[str, Any], job: str, items: list[Item]) -> None:
    """The job that is certified has its days, and every job before it that destroyed anything stands beside it."""
    name, activity = system["system"], system["activity"]
    days = [next((one.entry["on"] for one in reversed(of_kind(items, kind)) if one.entry["job_id"] == job), None)
            for kind in ("DELETION_BEGUN", "DELETION_EXECUTED")]  # fmt: skip
    same = (system["job_id"], system["begun_on"], system["executed_on"]) == (job, *days)
    need(same, f"{name}: another job, or other days")
    mine = [one for one in items if one.kind in DESTRUCTION and one.entry["activity"] == activity]
    deleted = {one.entry["job_id"]: 0 for one in mine if one.entry["job_id"] != job}
    for one in of_kind(mine, "DELETION_BATCH_CLOSED"):
        if one.entry["system"] == name and one.entry["job_id"] in deleted:
            deleted[one.entry["job_id"]] += one.entry["deleted"]
    stopped = {one.entry["job_id"]: one.entry["code"] for one in of_kind(items, "DELETION_STOPPED")}
    told = {one["job_id"]: (one["deleted"], one["stopped"]) for one in system["earlier_jobs"]}
    need(told == {one: (rows, stopped.get(one)) for one, rows in deleted.items()}, f"{name}: the earlier jobs differ")


def _check_beside(predicate: dict[str, Any], items: list[Item]) -> None:
    """What is kept, how access stands and what the archive decided are those of the places and of the log."""
    lines = [one for system in predicate["systems"] for one in system["places"]]
    kept = [(one["system"], one["place"], one["retained"], one["reason"]) for one in lines
            if one["disposition"] in ("excluded", "suspended")]  # fmt: skip
    stated = [(one["system"], one["place"], one["rows"], one["basis"]) for one in predicate["retained"]]
    need(sorted(stated) == sorted(kept), "what is retained differs from the places")
    last = _closed(items)
    for one in predicate["access"]["systems"]:
        known = last.get(one["system"])
        need(known and all(known[1][name] == one[name] for name in ("state", "grants", "verified")),
             f"{one['system']}: access differs")  # fmt: skip
    for row in predicate["scope"]["scopes"]:
        for system in row["systems"] if row["activity"] != "C7" else ():
            line = last[system][1] if system in last else {}
            shown = line.get("state") == "closed" and line.get("verified")
            need(shown, f"{system}: access is not shown to be closed")
    decided = {one.entry["system"]: one.entry for one in of_kind(items, "ARCHIVE_DECIDED")}
    for one in predicate["archive"]:
        told = decided.get(one["system"], {})
        same = all(told.get(name) == one[name] for name in ("decision", "decided_on", "digest"))
        need(same, f"{one['system']}: the archive's decision differs")


def _check_told(predicate: dict[str, Any], items: list[Item], covered: list[str]) -> None:
    """What people attested, what was tried and rolled back, and rows without a tenant stand there as in the log."""
    names = ("system", "place", "subprocessor", "through", "owner", "answer", "media_class", "digest", "done_on",
             "actor", "role")  # fmt: skip
    given = given_of(items, covered)
    logged = [
        {**{name: given[key].entry[name] for name in names}, "attested_on": given[key].entry["on"], "by": None,
         "evidence": given[key].index, "verified_by_us": False}
        for key in lines_of(items, covered)
    ]  # fmt: skip
    stated = [{**one, "by": None} for one in predicate.get("attestations", [])]
    need(stated == logged, "the attestations differ")
    people = [(one["by"]["actor"], one["by"]["role"]) for one in predicate.get("attestations", [])]
    need(people == [(one["actor"], one["role"]) for one in logged], "the attestations name others")
    theirs = {f"{one['system']}/{one['place']}" for one in logged if one["answer"] == STAYS}
    said = {one["subject"] for one in predicate["not_covered"] if one["code"] == "CUSTOMER_POSSESSION"}
    need(theirs <= said, "data left with the customer are not among what is not covered")
    scopes = [one["activity"] for one in predicate["scope"]["scopes"]]
    tried = [one for one in of_kind(items, "DELETION_BATCH_CLOSED") if one.entry.get("undone")]
    tried = [one for one in tried if one.entry["activity"] in scopes]
    attempts = predicate["outside"].get("attempts", [])
    told = sorted((one["evidence"], one["undone"], one["kept"]) for one in attempts)
    need(
        told == [(one.index, one.entry["undone"], one.entry["outside"]) for one in tried], "rolled-back attempts differ"
    )
    need(predicate["outside"].get("rolled_back", 0) == len(tried), "rolled-back attempts differ")
    rows = [line for one in predicate["systems"] for line in one["places"] if line.get("unowned")]
    left = sorted((one["system"], one["place"], one["rows"], one["reason"]) for one in predicate.get("unowned", []))
    found = sorted((one["system"], one["place"], one["unowned"], one["unowned_reason"]) for one in rows)
    need(left == found, "rows without a tenant differ")


def six_months(items: list[Item], activities: list[str]) -> str | None:
    """Give the last day for the backups of scopes: six months after their first actual deletion (T16)."""
    systems = {system for activity in activities for system in scopes_of(items)[activity]}
    sets = {one.entry["system"] for one in of_kind(items, "BACKUP_REGISTERED")} & systems
    seen: dict[str, set[str]] = {}
    for one in of_kind(items, "DELETION_PREVIEWED"):
        seen[one.entry["job_id"]] = {line["system"] for line in one.entry["places"]}
    begun = [one.entry for one in of_kind(items, "DELETION_BEGUN") if one.entry["activity"] in activities]
    bare = [one for one in begun if not sets and one["activity"] != "C7"]
    counted = [one["on"] for one in begun if one in bare or sets & seen.get(one["job_id"], set())]
    if not counted:
        return None
    first = date.fromisoformat(min(counted))
    year, month = divmod(first.year * 12 + first.month - 1 + 6, 12)
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1])).isoformat()


def _amendments(items: list[Item]) -> list[dict[str, Any]]:
    """Give the amendments on backups: the order's, and those signed afterwards."""
    names = ("digest", "signed_on", "signed_by")
    found = [one for one in order_of(items)["amendments"] if one["kind"] == "backups_six_months"]
    for one in of_kind(items, "ACCORD_SIGNED"):
        if (one.entry["kind"], one.entry["subject"]) == ("amendment", "backups_six_months"):
            found.append({"kind": "backups_six_months", **{name: one.entry[name] for name in names}})
    return found


def _holds(items: list[Item]) -> list[tuple[str, str, str | None]]:
    lifted = {one.entry["hold_id"]: one.entry["on"] for one in of_kind(items, "HOLD_LIFTED")}
    placed = {one.entry["hold_id"]: one.entry["basis"] for one in of_kind(items, "HOLD_PLACED")}
    return [(name, placed[name], lifted.get(name)) for name in sorted(placed)]


def _check_dates(predicate: dict[str, Any], items: list[Item]) -> None:
    """The agreement's end and 28.1's last day are those of the plan in force, whatever moved them."""
    dates = {one["name"]: one["date"] for one in predicate["dates"]}
    need(dates["agreement_end"] == end_of(items), "the agreement's end differs from the plan in force")
    due = {one["id"]: one["due"] for one in plan_of(items).entry["obligations"]}
    for row in predicate["scope"]["scopes"]:
        answer = jobs_of(predicate, items)[row["activity"]][1].entry["on"]
        need(row["deleted_on"] == answer, f"{row['activity']}: deleted on another day")
        need(
            row["backups_due"] == six_months(items, [row["activity"]]), f"{row['activity']}: backups due on another day"
        )
    for row in predicate["obligations"]:
        planned = due.get(row["id"], row["due"])
        need(row["due"] == planned, f"{row['id']}: the plan in force has another date")


def _backup(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("system", "set_id", "expires_on", "answer", "observed_on", "taken_on"))


def _backups(items: list[Item]) -> list[tuple[str, ...]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in items:
        row, key = item.entry, (item.entry.get("system", ""), item.entry.get("set_id", ""))
        if item.kind == "BACKUP_REGISTERED":
            found[key] = {"answer": "NOT_LOOKED", "observed_on": None} | found.get(key, {}) | row
        elif item.kind == "BACKUP_OBSERVED" and key in found:
            found[key] |= {"answer": row["answer"], "observed_on": row["on"]}
    return [_backup(found[key]) for key in sorted(found)]


def _check_people(predicate: dict[str, Any], items: list[Item], jobs: dict[str, tuple[Item, Item]]) -> None:
    for row in predicate["approvals"]:
        job = jobs[row["activity"]][1].entry["job_id"]
        intent = [one for one in of_kind(items, "DELETION_INTENT") if one.entry["job_id"] == job][-1].entry
        stated = [(one["actor"], one["role"], one["at"]) for one in row["by"]]
        logged = [(one["actor"], one["role"], one["at"]) for one in intent["approvals"]]
        same = (row["job_id"], row["plan_digest"]) == (job, intent["plan_digest"])
        need(stated == logged and same, f"{row['activity']}: approvals differ")
    need({row["activity"] for row in predicate["approvals"]} == set(jobs), "approvals are missing")
    given = of_kind(items, "INSTRUCTION_GIVEN")[-1].entry
    need(all(predicate["instruction"][name] == given[name] for name in given), "the instruction differs")


# ---------------------------------------------------------------------------------------------- what is said beside


def check_said(predicate: dict[str, Any], items: list[Item]) -> None:
    """Whatever a document of any stage says beside its own stage's matter is what the log says: no more, no other."""
    stage, order = rules_stage(predicate), of_kind(items, "ORDER_PLACED")
    need(order, "no final order among the evidence")
    agreement, ordered = predicate["agreement"], order[-1].entry
    same = (agreement["agreement_id"], agreement["profiles"]) == (ordered["agreement_id"], ordered["pinned"])
    need(same and agreement["evidence"] == order[-1].index, "the agreement differs from the order")
    both: list[Any] = [one for one in _amendments(items) if {"customer", "supplier"} <= set(one["signed_by"])]
    need(agreement["amendment"] in (both or [None]), "the amendment differs")
    scope = predicate.get("scope")
    if scope is not None:
        need(scope["map_digest"] == ordered["map_digest"], "another system map than in the order")
        need((scope["exit"], scope["answers"]) == (ordered["scope"], ordered["places"]), "the scope's answers differ")
    planned = bool(of_kind(items, "PLAN_MADE"))
    if stage in (ACCESS, LETTER) and scope is not None and planned:
        _check_said_scope(scope, ordered, items)
    if stage == LETTER and planned:
        _check_said_rest(predicate, items)
    need(predicate["follows"] is None or stage == "BACKUP-EXPIRED", "follows another, and is no last certificate")
    need(predicate["revokes"] is None or stage == WITHDRAWN, "revokes another, and is no revocation")
    _check_said_dates(predicate, items, planned=planned)
    if stage in DELETING or stage == LETTER:
        _check_said_beside(predicate, items)
        _check_said_duties(predicate, items, planned=planned)
    if "access" in predicate:
        names = ("activity", "kind", "digest", "role", "on")
        told = [{**{name: one.entry[name] for name in names}, "evidence": one.index}
                for one in of_kind(items, "ACCESS_ATTESTED")]  # fmt: skip
        need(predicate["access"]["attested"] == told, "what was attested of access differs")
    known = {one.index for one in items}
    need(set(_pointed(predicate)) <= known, "points to evidence that is none of this exit's")


def _pointed(value: Any) -> Iterator[int]:
    """Give every index that stands anywhere as evidence."""
    if isinstance(value, list):
        for inner in value:
            yield from _pointed(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "evidence":
                yield from inner if isinstance(inner, list) else [inner]
            else:
                yield from _pointed(inner)


def _check_said_scope(scope: dict[str, Any], ordered: dict[str, Any], items: list[Item]) -> None:
    """The scopes of a document that deletes nothing, each with its own days."""
    stated = {one["activity"]: one["systems"] for one in scope["scopes"]}
    mine = {system for systems in stated.values() for system in systems}
    known = scopes_of(items)
    need(all(known.get(name) == systems for name, systems in stated.items()), "the plan in force has other scopes")
    covered = [one["system"] for one in ordered["systems"] if one["system"] in mine]
    need(scope["systems"] == covered, "the systems of the scope differ")
    for row in scope["scopes"]:
        own = [row["activity"]]
        days = (gone_on(items, own), six_months(items, own))
        need((row["deleted_on"], row["backups_due"]) == days, f"{own[0]}: the days of the scope differ")


def _check_said_rest(predicate: dict[str, Any], items: list[Item]) -> None:
    """A letter speaks of every deletion that no option suspends that day, and names what one suspends."""
    scope, kept = predicate["scope"], suspended_of(items, predicate["issued_on"])
    open_ = [name for name in scopes_of(items) if not (kept and name == SCOPES[-1])]
    need(certified_scopes(predicate) == open_ and not scope["elsewhere"], "not every deletion of the plan is there")
    need([one for one in scope["suspended"] if one["place"] is None] == kept, "the suspended systems differ")
    whole = not scope["suspended"] and scope["exit"] == "whole"
    need(scope["whole"] is whole, "called whole and is not, or the other way round")


def gone_on(items: list[Item], activities: list[str]) -> str | None:
    """Give the day on which the last of these deletions was verified; None while one is not, or its rows returned."""
    days = []
    for activity in activities:
        previewed = [one for one in of_kind(items, "DELETION_PREVIEWED") if one.entry["activity"] == activity]
        job = previewed[-1].entry["job_id"] if previewed else ""
        last = [one.entry for one in of_kind(items, "DELETION_VERIFIED") if one.entry["job_id"] == job][-1:]
        back = [one for one in returned_of(items, [activity]) if replay_of(items, one) is None]
        if back or not last or last[0]["result"] not in ("DELETED", "ABSENT_VERIFIED"):
            return None
        days.append(str(last[0]["on"]))
    return max(days, default=None)


_DONE = {stage: ("deletion_done", "backups_gone") for stage in DELETING} | {HANDED: ("delivery_accepted",)}


def _check_said_dates(predicate: dict[str, Any], items: list[Item], *, planned: bool) -> None:
    """Every day of the list is the log's, and none is left out."""
    stage, order = rules_stage(predicate), order_of(items)
    scopes = certified_scopes(predicate) if "scopes" in predicate.get("scope", {}) else []
    confirmed = [one.entry for one in of_kind(items, "DATES_CONFIRMED")[-1:]] or [order]
    package = handed_over(items, items[-1].index + 1)
    receipt = receipt_for(items, package, items[-1].index + 1) if package else None
    days = {"operations_end": confirmed[0]["operations_end"]}
    days["agreement_end"] = end_of(items) if planned else order["agreement_end"]
    days["delivery_accepted"] = receipt.entry["on"] if receipt else None
    if stage in DELETING or stage == LETTER:
        owed = {one["id"]: one["due"] for one in plan_of(items).entry["obligations"]} if planned else {}
        days |= {"deletion_due": owed.get("S2-28.1-d"), "deletion_done": gone_on(items, scopes)}
        days["backups_due"] = six_months(items, scopes) if planned else None
        days["backups_gone"] = _sets_gone_on(items, scopes) if stage == "BACKUP-EXPIRED" else None
    stated = {one["name"]: one["date"] for one in predicate["dates"]}
    differs = sorted(name for name in {*days, *stated} if days.get(name) != stated.get(name))
    need(not differs, f"the dates differ: {', '.join(differs)}")
    need(len(stated) == len(predicate["dates"]), "a date twice")
    done = [days.get(name) or "" for name in _DONE.get(stage, ())]
    need(predicate["issued_on"] >= max(done, default=""), "issued before what it says was done")


def _sets_gone_on(items: list[Item], scopes: list[str]) -> str | None:
    """Give the day from which on every set of these deletions was seen to be gone; None while one is not."""
    systems = {system for activity in scopes for system in scopes_of(items)[activity]}
    registered = {set_of(one.entry) for one in of_kind(items, "BACKUP_REGISTERED")}
    days = []
    for key in registered:
        if key[0] in systems:
            seen = [one.entry for one in of_kind(items, "BACKUP_OBSERVED") if set_of(one.entry) == key]
            ended = 0
            while ended < len(seen) and seen[-1 - ended]["answer"] in ENDED:
                ended += 1
            days.append(str(seen[-ended]["on"]) if ended else "")
    return max(days) if days and "" not in days else None


def _check_said_beside(predicate: dict[str, Any], items: list[Item]) -> None:
    """Access, the archive's decisions and holds stand there whole, as they were last told."""
    manual = {one["system"] for one in order_of(items)["systems"] if one["kind"] == "manual"}
    closed = [{**row, "attested": system in manual, "evidence": one.index}
              for system, (one, row) in _closed(items).items()]  # fmt: skip
    need(predicate["access"]["systems"] == closed, "access differs")
    decided = {one.entry["system"]: {**one.entry, "evidence": one.index} for one in of_kind(items, "ARCHIVE_DECIDED")}
    need(predicate["archive"] == list(decided.values()), "the archive's decisions differ")
    lifted = {one.entry["hold_id"]: one for one in of_kind(items, "HOLD_LIFTED")}
    placed = {one.entry["hold_id"]: one for one in of_kind(items, "HOLD_PLACED")}
    names = ("hold_id", "system", "basis", "digest")
    rows = [{**{name: one.entry[name] for name in names}, "placed_on": one.entry["on"],
             "lifted_on": lifted[hold].entry["on"] if hold in lifted else None}
            for hold, one in sorted(placed.items())]  # fmt: skip
    stated = [{name: one[name] for name in (*names, "placed_on", "lifted_on")} for one in predicate["holds"]]
    need(stated == rows, "holds differ")


DUTIES = ["S2-28.1-b", "S2-28.1-c", "S2-28.1-d", "S2-28.1-d-backups"]


def _check_said_duties(predicate: dict[str, Any], items: list[Item], *, planned: bool) -> None:
    """No obligation is called met that the log does not show to be, and no breach that was told is hidden."""
    rows = {one["id"]: one for one in predicate["obligations"]}
    need([one["id"] for one in predicate["obligations"]] == DUTIES, "the obligations of S2 28.1 are not all there")
    due = {one["id"]: one["due"] for one in plan_of(items).entry["obligations"]} if planned else {}
    rejected = {one.entry["package_id"] for one in of_kind(items, "DELIVERY_REJECTED")}
    sent = [one.entry for one in of_kind(items, "PACKAGE_DELIVERED") if one.entry["package_id"] not in rejected]
    on = sent[0]["on"] if sent else None
    for name, row in rows.items():
        told = [one for one in of_kind(items, "OBLIGATION_CHANGED") if one.entry["obligation"] == name]
        last = max(told, key=lambda one: (one.entry["on"], one.index)).entry if told else {}
        known = [due[name]] if due.get(name) else [None, last.get("due")]
        need(row["due"] in known, f"{name}: the plan in force has another date")
        need(row["state"] in ("met", "suspended", "pending", "at_risk", "breached"), f"{name}: no such state")
        need(last.get("state") != "breached" or row["state"] == "breached", f"{name}: was told to be breached")
        if name in DUTIES[:2]:
            late = due.get(name) and (on or predicate["issued_on"]) > due[name]
            need(not late or row["state"] == "breached", f"{name}: is breached and not shown so")
            need(row["state"] != "met" or on, f"{name}: called met, and nothing was handed over")
    shown = _deletions_shown(items) if planned else False
    gone = _backups_shown(items) if planned else False
    need(rows[DUTIES[3]]["state"] != "met" or gone, f"{DUTIES[3]}: called met, and backups are not shown to be gone")
    whole = shown and (gone or predicate["agreement"]["amendment"])
    need(rows[DUTIES[2]]["state"] != "met" or whole, f"{DUTIES[2]}: called met, and not all is shown to be deleted")


def _deletions_shown(items: list[Item]) -> bool:
    """Every deletion of the plan was verified and is not undone, and every line that people attest is answered."""
    scopes = scopes_of(items)
    systems = [system for mine in scopes.values() for system in mine]
    return gone_on(items, list(scopes)) is not None and not lines_of(items, systems).keys() - given_of(items, systems)


def _backups_shown(items: list[Item]) -> bool:
    """Every set is gone; where a system has none, deletion has told that none is missing; none is uncatalogued."""
    scopes = scopes_of(items)
    systems = {system for activity, mine in scopes.items() if activity != "C7" for system in mine}
    registered = {set_of(one.entry): one.index for one in of_kind(items, "BACKUP_REGISTERED")}
    if uncatalogued(items, systems):
        return False
    last = max([*registered.values(), *(one.index for one in of_kind(items, "REAPPEARANCE_FOUND"))], default=-1)
    told = any(one.index > last for one in of_kind(items, "BACKUPS_EXPIRED"))
    bare = systems - {system for system, _ in registered}
    return (told or not bare) and _sets_gone_on(items, list(scopes)) is not None


# ---------------------------------------------------------------------------------------------- below the rows


def check_below(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """22. Each place that lost rows has one answer of what was done below them, which is the log's and claims no more.

    Nothing below the rows is called gone: an answer that something was cleaned names where bytes may still lie, and a
    NIST SP 800-88 class stands only where people attested that media were sanitised.
    """
    count: dict[str, int] = {}
    for system in predicate["systems"]:
        rows, name = system.get("physical", []), system["system"]
        for row in rows:
            _check_below_row(row, system)
            count[row["answer"]] = count.get(row["answer"], 0) + 1
        places = [one["place"] for one in rows]
        need(len(set(places)) == len(places), f"{name}: a place answered twice below the rows")
        _check_media_class(predicate, system)
        if items is None and "physical" in system:
            _check_all_below(name, places, {one["place"] for one in system["places"] if one["deleted"]})
        elif items is not None:
            _check_below_logged(items, system, jobs_of(predicate, items)[system["activity"]][1])
    return ", ".join(f"{count[one]} {one}" for one in BELOW if one in count) or "no place lost rows"


def _check_below_row(row: dict[str, Any], system: dict[str, Any]) -> None:
    """One answer says no more than its kind may (ADR 0011): figures and remains only where somebody looked."""
    where = "/".join(place_of(row))
    need(set(row) == BELOW_FIELDS, f"{where}: the answer below the rows has other fields")
    need(row["system"] == system["system"], f"{where}: stands below the rows of {system['system']}")
    need(row["place"] in {one["place"] for one in system["places"]}, f"{where}: cleaned, and no place of the inventory")
    known = row["asked"] in ASKED_BELOW and row["answer"] in BELOW and row["unit"] in UNITS
    need(known and set(row["remains"]) <= REMAINS, f"{where}: the answer below the rows is not on the closed list")
    figures = [row["before"], row["after"]]
    need(all(one is None or (type(one) is int and one >= 0) for one in figures), f"{where}: not an engine's figure")
    seen = None not in (*figures, row["unit"]) and row["remains"]
    if row["answer"] in SEEN_BELOW:
        need(seen, f"{where}: called cleaned without figures, or without where bytes may still lie")
        held = row["answer"] == "HELD"
        need(held == bool(row["reason"]), f"{where}: versions held without a reason, or a reason and not held")
        over = row["answer"] == "CLEANED" and system["kind"] in NEVER_CLEANED
        need(not over, f"{where}: called cleaned, which {system['kind']} can never promise")
    need(row["answer"] != "ERROR" or row["reason"], f"{where}: not cleaned, and no reason for it")
    asked = row["answer"] == "NOT_ASKED"
    need(asked == (row["asked"] == "none"), f"{where}: done below the rows, and not asked for, or the other way round")
    looked = row["answer"] in (*SEEN_BELOW, "ERROR")
    need(looked or row["after"] is None, f"{where}: figures of what nobody looked at")


def _check_media_class(predicate: dict[str, Any], system: dict[str, Any]) -> None:
    """A NIST SP 800-88 class is the attested media's and nothing else's."""
    mine = [one for one in predicate.get("attestations", []) if one["system"] == system["system"]]
    classes = sorted({one["media_class"] for one in mine if one["media_class"]})
    none = "none (attested)" if system["kind"] == "manual" else "none (logical deletion)"
    stated = f"{', '.join(classes)} (attested)" if classes else none
    need(system["nist_800_88"] == stated, f"{system['system']}: a NIST SP 800-88 class that nobody attested")


def _check_all_below(name: str, told: list[str], lost: set[str]) -> None:
    missing = sorted(lost - set(told))
    need(not missing, f"{name}: rows were deleted in {missing[:3]}, and nothing is said of what lies below them")


def _check_below_logged(items: list[Item], system: dict[str, Any], answer: Item) -> None:
    """The rows are those of the verifier's answer in the log; entries from before there were any have none."""
    name, rows = system["system"], system.get("physical", [])
    told = answer.entry.get("physical", [])
    need(("physical" in system) == ("physical" in answer.entry), f"{name}: the answers below the rows are left out")
    owned = {one["system"] for one in answer.entry["places"]}
    need(all(one["system"] in owned for one in told), f"{name}: the log answers below the rows of another system")
    logged = {one["place"]: one for one in told if one["system"] == name}
    for row in rows:
        where = "/".join(place_of(row))
        need(row["place"] in logged, f"{where}: the log knows nothing of what was done below its rows")
        differs = sorted(key for key in BELOW_FIELDS if row[key] != logged[row["place"]][key])
        need(not differs, f"{where}: below the rows the log says another {', '.join(differs)}")
    dropped = sorted(set(logged) - {one["place"] for one in rows})
    need(not dropped, f"{name}: what was done below the rows of {dropped[:3]} is left out")
    if "physical" in answer.entry:
        _check_all_below(name, list(logged), _lost_rows(items, system))
    need(len(rows) == sum(one["system"] == name for one in told), f"{name}: the log answers a place twice")


def _lost_rows(items: list[Item], system: dict[str, Any]) -> set[str]:
    """Name a system's places that lost rows: to this job, or to an earlier one and looked at again by this."""
    batches = [one.entry for one in of_kind(items, "DELETION_BATCH_CLOSED") if one.entry["deleted"]]
    mine = (system["system"], system["activity"])
    emptied = {one["place"] for one in batches if (one["system"], one["activity"]) == mine}
    there = {one["place"] for one in system["places"] if one["disposition"] == "deleted"}
    return {one["place"] for one in system["places"] if one["deleted"]} | (emptied & there)


# ---------------------------------------------------------------------------------------------- the other stages


def _check_other(predicate: dict[str, Any], items: list[Item] | None, report: Report) -> None:
    """Run 12–16 by the rules of a stage that deletes nothing; what needs the log is NOT DONE without the bundle."""
    checks = _OTHER[rules_stage(predicate)]
    for n, check in zip(range(12, 17), checks, strict=True):
        if n in (14, 16) and items is None:
            report.add(n, NOT_DONE, "needs the bundle")
        elif n == 16:
            report.run(n, _against, check, predicate, items, report.subject)
        else:
            report.run(n, check, predicate, items)


def _check_plain(predicate: dict[str, Any], items: list[Item] | None) -> list[str]:
    words = _words(predicate)
    _check_series(predicate, words)
    _check_former(predicate, items)
    claims = [one for one in words if re.search(r"\b(er|is|are) (permanent|slettet|deleted)", one)]
    need(not claims, "says that something is deleted, and is no certificate of that")
    return words


def _none(_predicate: dict[str, Any], _items: list[Item] | None) -> str:
    return "nothing of the kind in this stage"


def _package(items: list[Item]) -> Item:
    packages = of_kind(items, "PACKAGE_DELIVERED")
    need(packages, "the log knows of no package")
    return packages[-1]


def _receipt(items: list[Item]) -> Item:
    package = _package(items).entry
    given = [one for one in of_kind(items, "DELIVERY_ACCEPTED") if one.entry["package_id"] == package["package_id"]]
    need(given, "the receiver has given no receipt for the last package")
    return given[-1]


def _delivery_whole(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """12. Every place of the package is stated, and each is of a system of the order."""
    places = predicate["delivery"]["places"]
    need(
        sorted({one["system"] for one in places}) == predicate["scope"]["systems"], "the systems differ from the places"
    )
    if items is not None:
        need(places == _package(items).entry["places"], "the places differ from the package's")
        known = {one["system"] for one in order_of(items)["systems"]}
        need(set(predicate["scope"]["systems"]) <= known, "a system was delivered that the order does not have")
    return f"{len(places)} places"


def _delivery_sums(predicate: dict[str, Any], _items: list[Item] | None) -> str:
    """13. The places' rows add up to the package's."""
    rows = sum(one["rows"] for one in predicate["delivery"]["places"])
    need(rows == predicate["delivery"]["rows"], f"{rows} rows by place, {predicate['delivery']['rows']} in the package")
    return f"{rows} rows delivered"


def _delivery_order(_predicate: dict[str, Any], items: list[Item]) -> str:
    """14. It is said how and to whom; the receipt came after the delivery; no rejection stands."""
    package, receipt = _package(items), _receipt(items)
    ways = of_kind(items, "DISPATCH_SET")
    need(ways, "the log does not say how and to whom it was delivered")
    way = ways[-1].entry
    need(way["to"] != "successor" or way["transfer_instruction_digest"], "to a successor without the instruction")
    need(package.index < receipt.index, "the receipt is older than the delivery")
    rejected = [one.entry["package_id"] for one in of_kind(items, "DELIVERY_REJECTED")]
    need(package.entry["package_id"] not in rejected[-1:], "the customer rejected the delivery")
    return "1 delivery"


def _delivery_stage(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """15. A receipt stands there, and nothing is said to be deleted."""
    need(predicate["delivery"]["accepted"], "a certificate of delivery without a receipt")
    _check_plain(predicate, items)
    need(items is None or not of_kind(items, "EXIT_CANCELLED"), "the exit was cancelled")
    return HANDED


def _delivery_evidence(predicate: dict[str, Any], items: list[Item]) -> str:
    """16. Package, way and receipt are what the log says."""
    told, package, receipt = predicate["delivery"], _package(items), _receipt(items)
    for name in ("package_id", "package_digest", "package_bytes", "files", "rows", "on"):
        need(told[name] == package.entry[name], f"the delivery differs: {name}")
    need(receipt.entry["package_digest"] == told["package_digest"], "the receipt is for another digest")
    given = told["accepted"]
    stated = (given["on"], given["by"]["actor"], given["by"]["role"], given["evidence"], told["evidence"])
    logged = (*(receipt.entry[name] for name in ("on", "actor", "role")), receipt.index, package.index)
    need(stated == logged, "the receipt differs")
    way = of_kind(items, "DISPATCH_SET")[-1].entry
    for name in ("to", "recipient_digest", "transfer_instruction_digest"):
        need(told[name] == way[name], f"the delivery differs: {name}")
    return _check_party(predicate, items)


def _check_party(predicate: dict[str, Any], items: list[Item]) -> str:
    need(order_of(items)["customer_cvr"] == predicate["controller"]["cvr"], "another controller than in the order")
    return ""


def _closed(items: list[Item]) -> dict[str, tuple[Item, dict[str, Any]]]:
    """Give what was last told of each system's access."""
    told = [one for one in items if one.kind in ("ACCESS_FROZEN", "ACCESS_CLOSED")]
    return {row["system"]: (one, row) for one in told for row in one.entry["systems"]}


def _access_whole(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """12. Every system of the stated scopes has its line, but the case index's."""
    lines = [one["system"] for one in predicate["access"]["systems"]]
    scopes = predicate["scope"]["scopes"]
    wanted = {system for one in scopes if one["activity"] != SCOPES[0] for system in one["systems"]}
    need(wanted, "no system with access of its own")
    need(len(lines) == len(set(lines)) and set(lines) == wanted, f"unanswered: {sorted(wanted ^ set(lines))[:3]}")
    if items is not None:
        _check_scopes(predicate, items)
    return f"{len(lines)} systems"


def _access_sums(predicate: dict[str, Any], _items: list[Item] | None) -> str:
    """13. The counts are those of the lines, and no grant is left."""
    lines, counts = predicate["access"]["systems"], predicate["access"]["counts"]
    people = sum(1 for one in lines if one["attested"])
    left = sum(one["grants"] for one in lines)
    found = {"systems": len(lines), "seen": len(lines) - people, "attested": people, "grants_left": left}
    need(counts == found, "the counts do not add up")
    need(left == 0, f"{left} grants are left")
    return f"{len(lines)} systems, 0 grants left"


def _access_order(predicate: dict[str, Any], items: list[Item]) -> str:
    """14. Nothing was opened or frozen again after it was closed."""
    last = _closed(items)
    for one in predicate["access"]["systems"]:
        need(one["system"] in last, f"{one['system']}: the log knows nothing of its access")
        need(last[one["system"]][1]["state"] == "closed", f"{one['system']}: was not closed, or opened again")
    return f"{len(predicate['access']['systems'])} systems"


def _access_stage(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """15. Every line is closed and looked at; nothing is said to be deleted."""
    for one in predicate["access"]["systems"]:
        need(one["state"] == "closed" and one["verified"], f"{one['system']}: access is not shown to be closed")
    _check_plain(predicate, items)
    need(items is None or not of_kind(items, "EXIT_CANCELLED"), "the exit was cancelled")
    return ACCESS


def _access_evidence(predicate: dict[str, Any], items: list[Item]) -> str:
    """16. Each line is what the log says, and manual systems are called attested."""
    last = _closed(items)
    manual = {one["system"] for one in order_of(items)["systems"] if one["kind"] == "manual"}
    for one in predicate["access"]["systems"]:
        item, row = last[one["system"]]
        need(all(one[name] == row[name] for name in row), f"{one['system']}: differs from what the log says")
        need(one["evidence"] == item.index, f"{one['system']}: another entry")
        need(one["attested"] == (one["system"] in manual), f"{one['system']}: called attested, or not")
    return _check_party(predicate, items)


def _revocation_whole(predicate: dict[str, Any], _items: list[Item] | None) -> str:
    """12. It names number, version, stage, digest, reason and day of what it withdraws."""
    told = predicate["revokes"]
    names = ("number", "version", "stage", "statement_digest", "reason", "on", "by")
    need(isinstance(told, dict) and all(told.get(name) for name in names), "does not say what is revoked, and why")
    return str(told["number"])


def _revocation_order(predicate: dict[str, Any], items: list[Item]) -> str:
    """14. The certificate was issued before it was withdrawn."""
    issued, withdrawn = _withdrawn(predicate, items)
    need(issued.index < withdrawn.index, "withdrawn before it was issued")
    return "1 certificate"


def _withdrawn(predicate: dict[str, Any], items: list[Item]) -> tuple[Item, Item]:
    digest = predicate["revokes"]["statement_digest"]
    issued, withdrawn = (
        [one for one in of_kind(items, kind) if one.entry["statement_digest"] == digest]
        for kind in ("CERTIFICATE_ISSUED", "CERTIFICATE_REVOKED")
    )
    need(issued, "revokes a certificate that the log does not know")
    need(withdrawn, "the log does not know of the withdrawal")
    return issued[0], withdrawn[0]


def _revocation_stage(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """15. A certificate is revoked, not another revocation; for a listed reason; and the wording says so."""
    told, words = predicate["revokes"], _check_plain(predicate, items)
    need(told["stage"] in (*CORRECTABLE, "CORRECTION"), f"a {told['stage']} cannot be revoked")
    need(told["reason"] in REVOKED_FOR, "revoked for a reason that is not on the closed list")
    need(told["number"] != predicate["number"], "revokes itself")
    for mark in ("TILBAGEKALDT", "REVOKED"):
        need(any(mark in one and told["number"] in one for one in words), "a revocation that does not say so")
    return WITHDRAWN


def _revocation_evidence(predicate: dict[str, Any], items: list[Item]) -> str:
    """16. What was withdrawn, why, when and by whom is what the log says."""
    told = predicate["revokes"]
    issued, withdrawn = _withdrawn(predicate, items)
    entry = withdrawn.entry
    need(all(told[name] == entry[name] for name in ("number", "version", "stage", "reason", "on")), "the log differs")
    need(told["number"] == issued.entry["number"], "another number than was issued")
    need((told["by"]["actor"], told["by"]["role"]) == (entry["actor"], entry["role"]), "revoked by others")
    need(told["evidence"] == [issued.index, withdrawn.index], "other entries")
    return _check_party(predicate, items)


def _letter_whole(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """12. What the log shows to be unmet is among the gates."""
    gates = [(one["code"], one["detail"]) for one in predicate["gates"]]

    def told(word: str, why: str) -> None:
        need(any(re.search(rf"(^|\W){re.escape(word)}(\W|$)", f"{code} {detail}") for code, detail in gates), why)

    if items is not None:
        kept = suspended_of(items, predicate["issued_on"]) if of_kind(items, "PLAN_MADE") else []
        _check_gates(items, {one["system"] for one in kept}, told)
        for found in of_kind(items, "REAPPEARANCE_FOUND"):
            if replay_of(items, found) is None:
                told(found.entry["restore_id"], "rows returned and are not deleted again, and no gate says so")
        for one in kept:
            told(one["system"], f"{one['system']}: is suspended, and no gate says so")
    return f"{len(gates)} gates"


def _check_gates(items: list[Item], kept: set[str], told: Any) -> None:
    """What an option keeps, or no plan has yet, is named as that, and has no gates of its own meanwhile."""
    if not of_kind(items, "PACKAGE_DELIVERED"):
        told("DELIVERY_MISSING", "nothing was delivered, and no gate says so")
    plans = of_kind(items, "PLAN_MADE")
    scopes = {name: mine for name, mine in scopes_of(items).items() if not kept & {*mine}} if plans else {}
    systems: set[str | None] = {system for mine in scopes.values() for system in mine} | ({None} if plans else set())
    for row in _backups(items):
        if row[3] not in ENDED and row[0] in systems:
            told(row[1], f"backup set {row[1]} is not gone, and no gate says so")
    on = {one.entry["hold_id"]: one.entry["system"] for one in of_kind(items, "HOLD_PLACED")}
    for hold_id, _, lifted in _holds(items):
        if lifted is None and on[hold_id] in systems:
            told(hold_id, f"hold {hold_id} is open, and no gate says so")
    for activity in scopes:
        jobs = [
            one.entry["job_id"] for one in of_kind(items, "DELETION_PREVIEWED") if one.entry["activity"] == activity
        ]
        seen = [one.entry for one in of_kind(items, "DELETION_VERIFIED") if one.entry["job_id"] in jobs[-1:]]
        if not seen or seen[-1]["result"] == "ERROR":
            told(activity, f"{activity}: is not verified, and no gate says so")
    if not plans:
        told("PLAN_MISSING", "there is no plan, and no gate says so")


def _letter_stage(predicate: dict[str, Any], items: list[Item] | None) -> str:
    """15. It says that it is not final, and "not permanent" while S2 28.1 is open; a breach is not hidden."""
    words = _words(predicate)
    _check_series(predicate, words)
    need(predicate["version"] == 1, "a later version that corrects nothing")
    need(
        any("IKKE endelig" in one for one in words) and any("not final" in one for one in words), "not called not final"
    )
    need(not any(re.search(r"\b(er|is) permanent", one) for one in words), 'a status letter that says "permanent"')
    row = next((one for one in predicate["obligations"] if one["id"] == "S2-28.1-d"), None)
    need(row is not None, "the obligation of S2 28.1 is missing")
    assert row is not None
    if row["state"] != "met":
        said = any("ikke permanent" in one for one in words) and any("not permanent" in one for one in words)
        need(said, '28.1 is open, and "not permanent" is not said')
    told = [one for one in of_kind(items or [], "OBLIGATION_CHANGED") if one.entry["obligation"] == "S2-28.1-d"]
    last = max(told, key=lambda one: (one.entry["on"], one.index), default=None)
    breached = last is not None and last.entry["state"] == "breached"
    need(not breached or row["state"] == "breached", "28.1 was told to be breached and is not shown so")
    if items is not None and row["due"] and row["state"] != "breached":
        _check_stood(predicate, row, items)
    return LETTER


def _letter_evidence(predicate: dict[str, Any], items: list[Item]) -> str:
    """16. Certificates, backups, holds and the log's head are what the log says."""
    log = predicate["log"]
    head = read_head(predicate["checkpoint"], note_key(log["key"]))
    need((head.origin, head.size, head.root) == (log["origin"], log["size"], unbase64(log["root"], "root")),
         "the letter carries another head")  # fmt: skip
    revoked = {one.entry["statement_digest"]: one.entry["reason"] for one in of_kind(items, "CERTIFICATE_REVOKED")}
    logged = []
    for all_ in _versions(items).values():
        for one in all_:
            digest = one.entry["statement_digest"]
            reason = revoked.get(digest) or (None if one is all_[-1] else "SUPERSEDED")
            what = (all_[0].entry["stage"], tuple(one.entry["activities"]))
            logged.append((one.index, one.entry["number"], one.entry.get("version", 1), digest, reason, *what))
    stated = [(one["evidence"], one["number"], one["version"], one["statement_digest"], one["revoked"], one["stage"],
               tuple(one["activities"]))
              for one in predicate["certificates"]]  # fmt: skip
    need(stated == sorted(logged), "the certificates differ from the log's")
    need(_backups(items) == [_backup(one) for one in predicate["backups"]], "the backups differ")
    need(
        _holds(items) == [(one["hold_id"], one["basis"], one["lifted_on"]) for one in predicate["holds"]],
        "holds differ",
    )
    return _check_party(predicate, items)


_OTHER: dict[str, tuple[Any, ...]] = {
    HANDED: (_delivery_whole, _delivery_sums, _delivery_order, _delivery_stage, _delivery_evidence),
    ACCESS: (_access_whole, _access_sums, _access_order, _access_stage, _access_evidence),
    WITHDRAWN: (_revocation_whole, _none, _revocation_order, _revocation_stage, _revocation_evidence),
    LETTER: (_letter_whole, _none, _none, _letter_stage, _letter_evidence),
}


REVOCATIONS = re.compile(
    r"(([^\n]+)/revocations\n(0|[1-9][0-9]{0,6})\n((?:[^\s]{1,40} [0-9a-f]{64} \d{4}-\d\d-\d\d [A-Z][A-Z_]{1,39}\n)*))"
    r"\n— ([^\s]{1,200}) ([A-Za-z0-9+/=]{1,200})\n\Z"
)


def check_revocations(predicate: dict[str, Any], text: str, digest: str, rotations: list[Rotation]) -> str:
    """17. A list signed by the log's key, one before it or one after it, names neither the number nor the statement."""
    found = REVOCATIONS.fullmatch(text)
    need(found, "not a signed list of revocations")
    assert found
    body, origin, count, lines, name, encoded = found.groups()
    rows = [line.split(" ") for line in lines.split("\n")[:-1]]
    need(origin == predicate["log"]["origin"] and int(count) == len(rows), "a list of another log, or cut off")
    raw, keys = unbase64(encoded, "signature on the list"), {str(predicate["log"]["key"])}
    for _ in rotations:
        keys |= {key for one in rotations if keys & {one.old, one.new} for key in (one.old, one.new)}
    signers = [key for key in (note_key(one) for one in keys) if (key.name, key.id) == (name, raw[:4])]
    need(any(key.verifies(raw[4:], body.encode()) for key in signers), "the log's key did not sign this list")
    for number, revoked, on, code in rows:
        need(revoked != digest, f"revoked on {on}: {code}")
        need(number != predicate["number"] or code == SUPERSEDED, f"{number} was revoked on {on}: {code}")
    return f"not among the {len(rows)} revoked; only the list's issuer knows whether it is the newest"


def _check_policy(
    predicate: dict[str, Any], options: Options, report: Report, digest: str, rotations: list[Rotation]
) -> None:
    if options.revocations is None:
        report.add(17, NOT_DONE, "no --revocations: not known from this file")
    else:
        report.run(17, check_revocations, predicate, options.revocations, digest, rotations)
    rehearsal = predicate.get("kind") == "rehearsal"
    if rehearsal and not options.rehearsal:
        report.add(18, POLICY, "ØVELSE – IKKE BEVIS FOR SLETNING (--rehearsal)")
    else:
        report.add(18, OK, "ØVELSE – IKKE BEVIS FOR SLETNING" if rehearsal else "production")


def _check_witness(
    members: dict[str, bytes] | None,
    predicate: dict[str, Any],
    options: Options,
    report: Report,
    rotations: list[Rotation],
) -> None:
    """19. A witness given from outside cosigned the certificate's own checkpoint, in the bundle or on a head given."""
    if not options.witnesses or members is None:
        report.add(19, NOT_DONE, "needs the bundle" if options.witnesses else "no --witness of another legal person")
        return
    try:
        times = _cosigned(members, predicate, options, rotations)
    except (Failed, Malformed, KeyError, TypeError, ValueError) as error:
        report.add(19, FAILED, str(error))
        return
    said = ", ".join(f"{name} at {_instant(time)}" for name, time in sorted(times.items()))
    missing = "no cosignature on the certificate's checkpoint by a witness given"
    report.add(19, OK if times else POLICY, f"{said}; whose key it is, you must know" if times else missing)


def _cosigned(
    members: dict[str, bytes], predicate: dict[str, Any], options: Options, rotations: list[Rotation]
) -> dict[str, int]:
    """Give the time of each witness's cosignature on the stated head; no key that signs otherwise is a witness."""
    log = predicate["log"]
    signers = {note_key(log["key"]).public} | {note_key(one["key"]).public for one in predicate["signers"]["statement"]}
    texts = [members[f"checkpoints/{log['size']:012d}.txt"].decode("utf-8"), *options.heads]
    heads = [(text, read_log_head(text, log["key"], rotations)) for text in texts]
    root = unbase64(log["root"], "root")
    stated = [text for text, head in heads if (head.origin, head.size, head.root) == (log["origin"], log["size"], root)]
    found = {}
    for key in (note_key(one, 4) for one in options.witnesses):
        need(key.public not in signers, f"{key.name} signs the log or the statement itself: no witness")
        times = [time for time in (cosigned_at(text, key) for text in stated) if time is not None]
        if times:
            found[key.name] = min(times)
    return found


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---------------------------------------------------------------------------------------------- for people


LADDER = ("SELF-CONSISTENT", "SIGNED", "WITNESSED", "TIMESTAMPED")
ANSWERS = {
    VERIFIED: ("EFTERPRØVET", "VERIFIED"),
    EXIT_FAILED: ("FEJLET", "FAILED"),
    MALFORMED: ("UGYLDIG FIL", "MALFORMED"),
    EXIT_POLICY: ("KRAV IKKE OPFYLDT", "POLICY NOT MET"),
}
MARKS = {
    OK: ("OK", "OK"),
    FAILED: ("FEJL", "FAILED"),
    NOT_DONE: ("IKKE UDFØRT", "NOT DONE"),
    POLICY: ("KRAV", "POLICY"),
}


def as_dict(report: Report) -> dict[str, Any]:
    """Give the report as JSON primitives."""
    predicate = report.predicate
    return {
        "result": ANSWERS[report.code][1],
        "exit_code": report.code,
        "level": report.level,
        "malformed": report.malformed or None,
        "kind": predicate.get("kind"),
        "stage": predicate.get("stage"),
        "number": predicate.get("number"),
        "statement_digest": report.statement_digest or None,
        "checks": [
            {"n": one.n, "name": NAMES[one.n][1], "name_da": NAMES[one.n][0], "result": one.result,
             "detail": one.detail, "detail_da": danish(one.detail)}
            for one in sorted(report.checks, key=lambda check: check.n)
        ],
        "wording": {language: wording_of(report, language) for language in ("da", "en")},
        "cannot_prove": {language: unproven(report, language) for language in ("da", "en")},
    }  # fmt: skip


def wording_of(report: Report, language: str) -> list[str]:
    """Give the statement's own sentences; none where it has none that can be read."""
    wording = report.predicate.get("wording")
    said = wording.get(language) if isinstance(wording, dict) else None
    return [one for one in said if isinstance(one, str)] if isinstance(said, list) else []


UNPROVEN = {
    3: ("PDF'en er ikke efterset: kun udsagnet.", "The PDF was not looked at: the statement only."),
    6: ("Hvem der har underskrevet: der er ikke givet nok nøgler udefra.",
        "Who signed: not enough keys were given from outside."),
    8: ("At loggen siger det samme som udsagnet: det kræver bevismaterialet (ZIP).",
        "That the log says what the statement says: that needs the bundle (ZIP)."),
    11: ("At loggen er den samme, som andre har set: der er ikke givet et hoved udefra (--head).",
         "That the log is the one others have seen: no head was given from outside (--head)."),
    17: ("At beviset ikke er trukket tilbage: der er ikke givet en liste (--revocations).",
         "That the certificate was not revoked: no list was given (--revocations)."),
    19: ("At en anden juridisk person har set loggen: intet vidne er givet (--witness).",
         "That another legal person has seen the log: no witness was given (--witness)."),
    20: ("Hvornår det er underskrevet, efter andres ur: intet tidsstempel er efterprøvet (--tsa-chain).",
         "When it was signed by another's clock: no time stamp was verified (--tsa-chain)."),
}  # fmt: skip
ALWAYS = (
    ("Hvem nøglerne tilhører; de skal komme fra ordrebekræftelsen, ikke fra filen.",
     "Whose the keys are; they must come from the order confirmation, not from the file."),
)  # fmt: skip


def unproven(report: Report, language: str) -> list[str]:
    """Say what the answer does not show: checks that were not done, and the statement's own limits."""
    side = 0 if language == "da" else 1
    open_ = {one.n for one in report.checks if one.result in (NOT_DONE, POLICY)}
    said = [text[side] for n, text in UNPROVEN.items() if n in open_] + [one[side] for one in ALWAYS]
    limits, not_done = report.predicate.get("limits"), report.predicate.get("not_done")
    own = [limits, *(not_done if isinstance(not_done, list) else [])]
    return said + [one[language] for one in own if isinstance(one, dict) and isinstance(one.get(language), str)]


DANISH = (
    (r"needs the bundle", "kræver bevismaterialet (ZIP)"),
    *((rf"PAdES {level}, (\S+){again} by {whose}", rf"PAdES {da}, \1{igen}{af}")
      for level, da in (("B-LTA", "B-LTA"), ("B-T, no revocation lists", "B-T, ingen spærrelister"))
      for again, igen, n in (("", "", 2), (r", renewed (\S+)", r", fornyet \2", 3))
      for whose, af in (("an authority not judged: .*", ", tidsstempelmyndigheden ikke bedømt: intet --tsa-chain"),
                        ("(.*)", rf" af \{n}"))),
    (r"no PDF given", "ingen PDF givet"),
    (r"no key given: .*", "ingen nøgle givet: filen passer med sig selv, og det er alt"),
    (r"no --head(: .*)?", "intet --head: loggen kan være en anden, end andre har set"),
    (r"no --revocations: .*", "intet --revocations: fremgår ikke af filen"),
    (r"no --witness .*", "intet --witness fra en anden juridisk person"),
    (r"no RFC 3161 time stamp", "intet tidsstempel (RFC 3161)"),
    (r"bundle, (\d+) members", r"bevismateriale, \1 filer"),
    (r"(\d+) members", r"\1 filer"),
    (r"(\d+) of (\d+)", r"\1 af \2"),
    (r"(\d+) of (\d+) signatures by keys given", r"\1 af \2 underskrifter med de givne nøgler"),
    (r"(\d+) of (\d+) signatures by keys given; .*",
     r"\1 af \2 underskrifter med de givne nøgler; loggens nøgle er ikke imellem"),
    (r"(\d+) entries", r"\1 poster"),
    (r"(\d+) of (\d+) heads", r"\1 af \2 hoveder"),
    (r"(\d+) places", r"\1 steder"),
    (r"(\d+) places of the statement .*", r"\1 steder i udsagnet (selve opgørelsen kræver bevismaterialet)"),
    (r"(\d+) rows deleted, 0 left, 0 changes outside",
     r"\1 rækker slettet, 0 tilbage, 0 ændringer uden for omfanget"),
    (r"(\d+) scopes, (\d+) destructions", r"\1 omfang, \2 sletninger"),
    (r"not among the (\d+) revoked; .*",
     r"ikke blandt de \1 tilbagekaldte; kun udstederen ved, om listen er den nyeste"),
    (r"the statement says so itself", "udsagnet siger det selv"),
    (r"no place lost rows", "intet sted mistede rækker"),
    (r"production", "drift"),
)  # fmt: skip
BELOW_DANISH = {"CLEANED": "renset", "HELD": "renset (versioner holdes fast)", "ERROR": "ikke renset",
                "NOT_OFFERED": "kan ikke renses", "NOT_ASKED": "ikke bestilt renset"}  # fmt: skip


def danish(detail: str) -> str:
    """Say a check's detail in Danish where it has Danish words; what failed keeps its exact English reason."""
    for pattern, said in DANISH:
        found = re.fullmatch(pattern, detail)
        if found:
            return found.expand(said)
    if re.fullmatch(r"\d+ [A-Z_]+(, \d+ [A-Z_]+)*", detail):
        return re.sub(r"[A-Z_]+", lambda one: BELOW_DANISH.get(one[0], one[0]), detail)
    return detail


def clean(text: str) -> str:
    """Show what a terminal would obey, or would write backwards, as a question mark."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def as_text(report: Report, name: str, english: bool) -> str:
    """Write the report for a person; Danish unless `english`."""
    side = 1 if english else 0
    language = "en" if english else "da"
    lines = [f"Ophør · {('efterprøvning af', 'verification of')[side]} {name}", ""]
    for one in sorted(report.checks, key=lambda check: check.n):
        told = one.detail if english else danish(one.detail)
        detail = f" – {told}" if told else ""
        lines.append(f"{one.n:>3} {MARKS[one.result][side]:<11} {NAMES[one.n][side]}{detail}")
    said = wording_of(report, language)
    if report.code != EXIT_FAILED and said:
        lines += [
            "",
            ("Det underskrevne udsagn gælder, ikke siden:", "The signed statement counts, not the page:")[side],
        ]
        lines += [f"  {sentence}" for sentence in said]
    if report.predicate:
        lines += ["", ("Det viser svaret ikke:", "What the answer does not show:")[side]]
        lines += [f"  {sentence}" for sentence in unproven(report, language)]
    lines += ["", ("Stigen: ", "The ladder: ")[side] + " < ".join(LADDER)]
    lines += [f"{ANSWERS[report.code][side]} · {report.level} · {report.predicate.get('number', '–')}"]
    return "\n".join(clean(line) for line in lines)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ophor_verify.py", description="Verify an Ophør certificate offline.")
    parser.add_argument("file", help="certificate.pdf, certificate.dsse.json or the bundle (zip)")
    parser.add_argument("--key", action="append", default=[], help="a verifier key or x509-sha256:HEX; repeatable")
    parser.add_argument("--head", action="append", default=[], help="a checkpoint received earlier (file); repeatable")
    parser.add_argument("--witness", action="append", default=[], help="a witness's verifier key; repeatable")
    parser.add_argument("--tsa-chain", help="certificates of the time-stamp authority, its root among them (PEM file)")
    return _parsed(parser, argv)


def _parsed(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    """Add the options that both ways of asking have, and read the words."""
    parser.add_argument("--rotation", action="append", default=[], help="a rotation of keys (file); repeatable")
    parser.add_argument("--revocations", help="the signed list of revoked certificates (file)")
    parser.add_argument("--rehearsal", action="store_true", help="accept a certificate of a rehearsal")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    parser.add_argument("--english", action="store_true", help="answer in English")
    return parser.parse_args(argv)


def _text(path: str) -> str:
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


# ---------------------------------------------------------------------------------------------- one record


RECORDS_FORM = b"ophor-record-proof/v1"
PROVED, NOT_AMONG, CANNOT_TELL = 0, 1, 2
RECORD_ANSWERS = {
    PROVED: ("SLETTET", "DELETED"),
    NOT_AMONG: ("IKKE BLANDT DET SLETTEDE", "NOT AMONG WHAT WAS DELETED"),
    CANNOT_TELL: ("KAN IKKE AFGØRES", "CANNOT TELL"),
}
RECORD_REASONS = {
    "BUNDLE": ("Bevismaterialet kan ikke efterprøves: {}", "The bundle does not verify: {}"),
    "NO_BUNDLE": ("Kræver bevismaterialet (ZIP), ikke PDF alene.", "Needs the bundle (zip), not the PDF alone."),
    "FILE": ("Filen med poster er ikke, hvad den udgiver sig for: {}", "The file of records is not what it says: {}"),
    "OTHER_EXIT": ("Filen med poster er fra et andet ophør.", "The file of records is of another exit."),
    "PLACE_UNKNOWN": ("Stedet kendes ikke; der er: {}", "There is no such place; there are: {}"),
    "COLUMNS": ("En post navngives her af: {} (en --key for hver).", "A record is named here by: {} (--key for each)."),
    "ADDRESS": (
        "Rækker her har ingen nøgle af deres egne kolonner: de blev navngivet af databasens egen adresse.",
        "Rows here have no key of columns of their own: they were named by the engine's own address.",
    ),
    "WHOLE": (
        "Stedet gik som en helhed i én sætning ({}): der er ingen bevis for den enkelte post.",
        "The place went as a whole in one statement ({}): there is no proof for a single record.",
    ),
    "NO_COMMITMENTS": (
        "Portion {} blev slettet uden bevis for den enkelte post.",
        "Batch {} was deleted without proof for single records.",
    ),
    "FILE_MISSING": (
        "Posterne i portion {} er ikke i de givne filer.", "The records of batch {} are not in the files given."
    ),
    "ATTESTED": ("Stedet er erklæret af mennesker, ikke slettet af os.",
                 "The place was attested by people, not deleted by us."),
    "NOT_ENDED": ("Sletningen af stedet er ikke efterprøvet i dette bevismateriale.",
                  "The deletion of the place is not verified in this bundle."),
}  # fmt: skip


class Undecided(Exception):
    """Nothing can be said of the record; the code is of `RECORD_REASONS`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass
class Records:
    """What the opened files say: the keys by job and system, the batches by job and number."""

    keys: dict[tuple[str, str], bytes] = field(default_factory=dict)
    batches: dict[tuple[str, int], tuple[dict[str, Any], bytes]] = field(default_factory=dict)


def read_records(files: list[bytes], exit_id: str) -> Records:
    """Read opened files of records: form, a line of JSON, then 32 bytes a commitment."""
    found = Records()
    for data in files:
        form_, _, rest = data.partition(b"\n")
        if form_ != RECORDS_FORM:
            raise Undecided("FILE", "not an opened file of records (open it with the customer's age key first)")
        line, _, leaves = rest.partition(b"\n")
        try:
            _take_file(found, parse(line, "head"), leaves, exit_id)
        except (Failed, Malformed, KeyError, TypeError, ValueError) as error:
            raise Undecided("FILE", f"{type(error).__name__} {error}"[:120]) from None
    return found


def _take_file(found: Records, head: dict[str, Any], leaves: bytes, exit_id: str) -> None:
    if head["exit_id"] != exit_id:
        raise Undecided("OTHER_EXIT")
    for row in head["keys"]:
        key = unbase64(row["key"], "key")
        need(len(key) == 32, "a key of another length")
        found.keys[row["job_id"], row["system"]] = key
    at = 0
    for row in head["batches"]:
        size = 32 * int(row["records"])
        need(size > 0 and at + size <= len(leaves), "cut off")
        found.batches[row["job_id"], row["number"]] = (row, leaves[at : at + size])
        at += size
    need(at == len(leaves), "more than its head says")


def commitment(key: bytes, system: str, place: str, columns: tuple[str, ...]) -> bytes:
    """Commit to one record: HMAC-SHA-256 over form, system, place, number of columns, columns; each with its length."""
    return _keyed(key, system, place, struct.pack(">I", len(columns)) + b"".join(map(_lengthened, columns)))


def batch_root(key: bytes, system: str, place: str, leaves: list[bytes]) -> str:
    """Give a batch's root: over a check of the key (no number of columns), and behind it the commitments."""
    return root_of(_hashed(key, system, place, leaves)).hex()


def _hashed(key: bytes, system: str, place: str, leaves: list[bytes]) -> list[bytes]:
    check = _keyed(key, system, place, b"\xff\xff\xff\xff")
    return [leaf_hash(leaf) for leaf in (check, *leaves)]


def path_of(level: list[bytes], index: int) -> list[bytes]:
    """Prove that the leaf hash `index` is under the root (RFC 9162 §2.1.3.1): to show one record and no other."""
    path = []
    while len(level) > 1:
        if (index ^ 1) < len(level):
            path.append(level[index ^ 1])
        above = [node_hash(*pair) for pair in zip(level[::2], level[1::2], strict=False)]
        level, index = above + level[len(above) * 2 :], index // 2
    return path


def _keyed(key: bytes, system: str, place: str, message: bytes) -> bytes:
    shared = b"".join(_lengthened(one) for one in ("ophor-record/v1", system, place))
    return hmac.digest(key, shared + message, "sha256")


def _lengthened(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return struct.pack(">I", len(data)) + data


def spellings(text: str, kind: str) -> list[str]:
    """Give the texts by which an engine of this kind may have named what a person writes as `text`."""
    found = [text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)]
    plain = text.replace("-", "")
    if re.fullmatch(r"[0-9A-Fa-f]{32}", plain):
        low = plain.lower()
        found += [f"{low[:8]}-{low[8:12]}-{low[12:16]}-{low[16:20]}-{low[20:]}"]
    if kind == "mariadb" and re.fullmatch(r"([0-9A-Fa-f]{2})+", plain):
        found += [plain.upper()]
    if kind == "sqlite":
        found += ["'" + one.replace("'", "''") + "'" for one in found[:3]]
    if kind == "mongodb":
        found += [json.dumps(one) for one in found[:3]] + _of_mongo(text)
    return list(dict.fromkeys(found))


def _of_mongo(text: str) -> list[str]:
    """Spell an ObjectId, a number and a UUID as canonical extended JSON does."""
    found, plain = [], text.replace("-", "")
    if re.fullmatch(r"[0-9A-Fa-f]{24}", text):
        found.append(json.dumps({"$oid": text.lower()}))
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", text):
        found += [json.dumps({name: text}) for name in ("$numberInt", "$numberLong")]
        found.append(json.dumps({"$numberDouble": f"{text}.0"}))
    if re.fullmatch(r"[0-9A-Fa-f]{32}", plain):
        for kind in ("04", "03"):
            value = {"base64": base64.b64encode(bytes.fromhex(plain)).decode(), "subType": kind}
            found.append(json.dumps({"$binary": value}))
    return found


def prove(data: bytes, files: list[bytes], place: str, columns: list[str], options: Options) -> dict[str, Any]:
    """Tell whether one record is among what was deleted.

    1. The bundle verifies. 2. The place is in its evidence. 3. Every batch of the place is in the files, under the root
    in the log. 4. The record's commitment is looked for in each of them.
    """
    report = verify(data, options)
    answer: dict[str, Any] = {"level": report.level, "kind": report.predicate.get("kind"), "place": place, "found": []}
    try:
        items = _proved_items(data, report)  # 1.
        system, name = _record_place(items, place)  # 2.
        records = read_records(files, str(report.predicate["exit"]))
        logged = [one for one in of_kind(items, "DELETION_BATCH_CLOSED")
                  if place_of(one.entry) == (system, name) and one.entry["deleted"]]  # fmt: skip
        found, open_ = _looked_for(logged, records, columns)  # 3. 4.
        if not found:
            _require_whole(items, (system, name), open_)
    except Undecided as error:
        said = [one.format(clean(error.detail)) for one in RECORD_REASONS[error.code]]
        return answer | {"result": CANNOT_TELL, "exit_code": CANNOT_TELL, "code": error.code, "reason": said}
    result = PROVED if found else NOT_AMONG
    code = EXIT_POLICY if report.code == EXIT_POLICY else result
    return answer | {"result": result, "exit_code": code, "code": None, "reason": ["", ""], "found": found}


def _proved_items(data: bytes, report: Report) -> list[Item]:
    if report.code in (MALFORMED, EXIT_FAILED):
        wrong = [f"{one.n} {NAMES[one.n][1]}" for one in report.checks if one.result == FAILED]
        raise Undecided("BUNDLE", report.malformed or ", ".join(wrong))
    if data[:4] != b"PK\x03\x04" or "exit" not in report.predicate:
        raise Undecided("NO_BUNDLE")
    return check_inclusion(read_zip(data), report.predicate)


def _record_place(items: list[Item], place: str) -> tuple[str, str]:
    lines = [line for one in of_kind(items, "DELETION_PREVIEWED") for line in one.entry["places"]]
    known = sorted({place_of(line) for line in lines})
    mine = [one for one in known if place in (f"{one[0]}/{one[1]}", one[1])]
    if len(mine) != 1:
        raise Undecided("PLACE_UNKNOWN", ", ".join("/".join(one) for one in known)[:500])
    return mine[0]


def _looked_for(
    logged: list[Item], records: Records, columns: list[str]
) -> tuple[list[dict[str, Any]], list[Undecided]]:
    """Look in each batch of a place; give where the record was found, and why a batch could not be looked into."""
    found, open_ = list[dict[str, Any]](), list[Undecided]()
    for one in logged:
        try:
            found += _found_in(one, records, columns)
        except Undecided as error:
            open_.append(error)
    return found, open_


def _found_in(one: Item, records: Records, columns: list[str]) -> list[dict[str, Any]]:
    entry, number = one.entry, str(one.entry["batch"])
    if "method" in entry:
        raise Undecided("WHOLE", entry["method"])
    if "records_root" not in entry:
        raise Undecided("NO_COMMITMENTS", number)
    row, raw = records.batches.get((entry["job_id"], entry["batch"]), ({}, b""))
    key = records.keys.get((entry["job_id"], entry["system"]))
    if not row or key is None:
        raise Undecided("FILE_MISSING", number)
    leaves = [raw[at : at + 32] for at in range(0, len(raw), 32)]
    root = batch_root(key, entry["system"], entry["place"], leaves)
    if len(leaves) != entry["deleted"] or root != entry["records_root"]:
        raise Undecided("FILE", f"batch {number} or its key is not the one in the log")
    return _hits(one, row, key, leaves, columns)


def _hits(one: Item, row: dict[str, Any], key: bytes, leaves: list[bytes], columns: list[str]) -> list[dict[str, Any]]:
    entry = one.entry
    if not row.get("columns"):
        raise Undecided("ADDRESS")
    if len(row["columns"]) != len(columns):
        raise Undecided("COLUMNS", ", ".join(map(str, row["columns"])))
    named = product(*(spellings(text, str(row.get("kind"))) for text in columns))
    wanted = {commitment(key, entry["system"], entry["place"], each) for each in named}
    level = _hashed(key, entry["system"], entry["place"], leaves)
    about = {name: entry[name] for name in ("batch", "job_id", "activity")} | {"at": one.event["at"]}
    about |= {"entry": one.index, "root": entry["records_root"], "records": len(leaves)}
    return [
        about | {"record": number, "commitment": leaf.hex(), "path": [each.hex() for each in path_of(level, number)]}
        for number, leaf in enumerate(leaves, 1) if leaf in wanted
    ]  # fmt: skip


def _require_whole(items: list[Item], place: tuple[str, str], open_: list[Undecided]) -> None:
    """Refuse to say "not among" where a batch could not be looked into, or the deletion is not verified."""
    if open_:
        raise open_[0]
    answers = [line for one in of_kind(items, "DELETION_VERIFIED") for line in one.entry["places"]]
    mine = [line for line in answers if place_of(line) == place]
    if not mine:
        raise Undecided("NOT_ENDED")
    if mine[-1]["disposition"] == "attested":
        raise Undecided("ATTESTED")


def proved_text(answer: dict[str, Any], english: bool) -> str:
    """Write the answer about a record for a person; the key that was asked for is never in it."""
    side = 1 if english else 0
    told = (
        "{place}: portion {batch} af job {job_id}, lukket {at} (post {entry} i loggen, nr. {record} af {records})",
        "{place}: batch {batch} of job {job_id}, closed {at} (entry {entry} of the log, no. {record} of {records})",
    )
    lines = [told[side].format(**one, place=answer["place"]) for one in answer["found"]]
    lines += [answer["reason"][side]] if answer["reason"][side] else []
    if answer["kind"] == "rehearsal":
        lines.append(("ØVELSE – IKKE BEVIS FOR SLETNING", "REHEARSAL – NO PROOF OF DELETION")[side])
    if answer["level"] == LADDER[0]:
        lines.append(
            (
                "Ingen nøgle, du stoler på (--trust): bevismaterialet passer kun med sig selv.",
                "No key that you trust (--trust): the bundle agrees with itself, and that is all.",
            )[side]
        )
    last = f"{RECORD_ANSWERS[answer['result']][side]} · {answer['level']}"
    if answer["exit_code"] == EXIT_POLICY:
        last += f" · {ANSWERS[EXIT_POLICY][side]}"
    return "\n".join(clean(line) for line in [*lines, last])


def _record_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ophor_verify.py prove-record", description="Was this record deleted?")
    parser.add_argument("file", help="the bundle (zip)")
    parser.add_argument("records", nargs="+", help="opened files of records (age -d -i KEY …)")
    parser.add_argument("--place", required=True, help="SYSTEM/PLACE as the certificate has it")
    parser.add_argument("--key", action="append", required=True, help="the record's key, one a column; - reads stdin")
    parser.add_argument("--trust", action="append", default=[], help="a verifier key or x509-sha256:HEX; repeatable")
    parser.add_argument("--head", action="append", default=[], help="a checkpoint received earlier (file); repeatable")
    return _parsed(parser, argv)


def prove_record(argv: list[str]) -> int:
    """Prove from the command line what became of one record; give the exit code (0 deleted, 1 not among, 2, 3)."""
    asked = _record_arguments(argv)
    try:
        data, *files = (_bytes(path) for path in (asked.file, *asked.records))
        options = Options(asked.trust, [_text(path) for path in asked.head], rehearsal=asked.rehearsal)
        options.rotations = [_text(path) for path in asked.rotation]
        options.revocations = _text(asked.revocations) if asked.revocations else None
    except (OSError, ValueError) as error:
        print(f"{asked.file}: {error}", file=sys.stderr)  # noqa: T201
        return CANNOT_TELL
    columns = sys.stdin.read().splitlines() if asked.key == ["-"] else asked.key
    answer = prove(data, files, asked.place, columns, options)
    if asked.json:
        named = {
            "result": RECORD_ANSWERS[answer["result"]][1],
            "reason": dict(zip(("da", "en"), answer["reason"], strict=True)),
        }
        print(json.dumps(answer | named, indent=1))  # noqa: T201
    else:
        print(proved_text(answer, asked.english))  # noqa: T201
    return int(answer["exit_code"])


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(LIMIT + 1)


def main(argv: list[str] | None = None) -> int:
    """Verify a file from the command line; give the exit code."""
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["prove-record"]:
        return prove_record(given[1:])
    asked = _arguments(given)
    try:
        with open(asked.file, "rb") as file:
            data = file.read(LIMIT + 1)
        heads = [_text(path) for path in asked.head]
        rotations = [_text(path) for path in asked.rotation]
        chain = _text(asked.tsa_chain).encode() if asked.tsa_chain else None
        revocations = _text(asked.revocations) if asked.revocations else None
    except (OSError, ValueError) as error:
        print(f"{asked.file}: {error}", file=sys.stderr)  # noqa: T201
        return MALFORMED
    report = verify(data, Options(asked.key, heads, revocations, asked.rehearsal, asked.witness, chain, rotations))
    text = json.dumps(as_dict(report), indent=1) if asked.json else None
    print(text or as_text(report, asked.file, asked.english))  # noqa: T201
    return report.code


if __name__ == "__main__":
    sys.exit(main())
