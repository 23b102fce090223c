"""Mutations that know what a bundle is made of: zip, DSSE, statement, log, notes, PDF, CMS and what is given beside it.

Whatever is signed is signed again with the true keys where that is cheap, so that a mutation gets past the signatures
to the checks behind them. The same dice give the same case.
"""

from __future__ import annotations

import copy
import json
import random
import zlib
from collections.abc import Callable
from typing import Any

from services.compliance.documents import bundle
from services.compliance.signing.envelope import STATEMENT_TYPE, envelope, pae
from services.compliance.signing.keys import SEAL, SIGN, load_note, load_seal
from tests.unit import evidence_forge as forging
from tests.unit.evidence_world import Certificate, keys

Case = tuple[str, bytes, dict[str, Any]]
RAW = ("NaN", "Infinity", "-0", "1e999", "0.5", "9" * 400, "1" + "0" * 30, '{"a":1,"a":1}', "[" * 5000 + "]" * 5000,
       "9007199254740993", "00", "nul", '"\\ud800"', '"\\u0000"', "")  # fmt: skip
WEIRD: tuple[Any, ...] = (
    None, True, False, "", [], {}, [[]], {"": {}}, 0, -1, 1, 2**53 - 1, -(2**53) + 1, 2**31, "x" * 5000, "ØV-\u202e1",
    "\x1b[2Jx", "\0", "../..", "9999-99-99", "2026-02-30", "0001-01-01", "9999-12-31", "-" * 50, "A" * 43 + "=", "+++",
    ["x"] * 300, list(range(300)), "OPTION(", "LAW(a,b)", "\u2028", "— x y", "NaN", "%s{}",
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List every place in a tree of JSON but its root."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for step, one in inner:
        found += [(*path, step), *places(one, (*path, step))]
    return found


def spoil(dice: random.Random, tree: Any) -> Any:
    """Change one to three places of a tree: another value, kind or name, left out, doubled, exchanged."""
    tree = copy.deepcopy(tree)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        all_places = places(tree)
        if not all_places:
            return dice.choice(WEIRD)
        path = dice.choice(all_places)
        holder = tree
        for step in path[:-1]:
            holder = holder[step]
        _spoil_one(dice, tree, holder, path[-1], all_places)
    return tree


def _spoil_one(dice: random.Random, tree: Any, holder: Any, step: Any, all_places: list[tuple[Any, ...]]) -> None:
    how = dice.randrange(8)
    if how < 3:
        holder[step] = copy.deepcopy(dice.choice(WEIRD))
    elif how == 3:
        del holder[step]
    elif how == 4 and isinstance(holder, list):
        holder.insert(dice.randrange(len(holder) + 1), copy.deepcopy(holder[step]))
    elif how == 5 and isinstance(holder, dict):
        holder[dice.choice(("x", "", "kind", "evidence", "\u202e"))] = holder.pop(step)
    elif how == 6:
        other: Any = tree
        for one in dice.choice(all_places):
            other = other[one]
        holder[step] = copy.deepcopy(other)
    else:
        holder[step] = _near(dice, holder[step])


def _near(dice: random.Random, value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + dice.choice((-1, 1, 2**20))
    if isinstance(value, str) and value:
        at = dice.randrange(len(value))
        return value[:at] + dice.choice("0aZ=/ ø") + value[at + 1 :]
    return [value, value]


def written(dice: random.Random, tree: Any) -> bytes:
    """Write a tree as canonical JSON, at times with something in it that JSON readers disagree on."""
    raw = dice.random() < 0.15 and places(tree)
    if raw:
        tree, path = copy.deepcopy(tree), dice.choice(raw)
        holder = tree
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = "@raw@"
    text = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace('"@raw@"', dice.choice(RAW)).encode("utf-8", "surrogatepass")


def scratch(dice: random.Random, data: bytes) -> bytes:
    """Flip, put in, take out, cut off, double or exchange bytes."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        at, size = dice.randrange(len(out) + 1), dice.choice((1, 1, 2, 4, 32))
        how = dice.randrange(6)
        if how == 0 and at < len(out):
            out[at] ^= 1 << dice.randrange(8)
        elif how == 1:
            out[at:at] = dice.randbytes(size)
        elif how == 2:
            del out[at : at + size]
        elif how == 3:
            out[at : at + size] = dice.choice((b"\0", b"\xff", b"9", b"/", b"\n")) * size
        elif how == 4:
            begin = dice.randrange(len(out) + 1)
            out[at:at] = out[begin : begin + 4 * size]
        elif dice.random() < 0.2:
            del out[at:]
    return bytes(out)


class Source:
    """What is mutated: one true certificate, its keys, and the options that accept it."""

    def __init__(self, certificate: Certificate) -> None:
        self.true = certificate
        folder = certificate.world.folder
        self._pair = [load_note(folder / "seal", SEAL), load_note(folder / "sign", SIGN)]
        self._seal = load_seal(folder / "render")
        self._kinds: tuple[Callable[[random.Random], Case], ...] = (
            self.any_bytes, self.a_member, self.a_member, self.the_zip, self.the_envelope, self.the_statement,
            self.the_statement, self.the_statement, self.the_history, self.the_history, self.the_pdf, self.the_pdf,
            self.what_is_given,
        )  # fmt: skip

    def case(self, dice: random.Random) -> Case:
        """Give the next case: a name, a file, options."""
        return dice.choice(self._kinds)(dice)

    def options(self) -> dict[str, Any]:
        """Give the options with which the true file verifies."""
        world = self.true.world
        return {"keys": keys(world), "rehearsal": True, "heads": list(world.log.heads.values())}

    def any_bytes(self, dice: random.Random) -> Case:
        form = dice.choice(("bundle", "pdf", "dsse"))
        return f"bytes of the {form}", scratch(dice, getattr(self.true, form)), self.options()

    def a_member(self, dice: random.Random) -> Case:
        name = dice.choice(sorted(self.true.members))
        data = self.true.members[name]
        if name.endswith(".json") and dice.random() < 0.8:
            data = written(dice, spoil(dice, json.loads(data)))
        else:
            data = scratch(dice, data)
        return f"member {name}", self._bundle(dice, {name: data}), self.options()

    def _bundle(self, dice: random.Random, changed: dict[str, bytes]) -> bytes:
        members = self.true.members | changed
        if dice.random() < 0.1:
            del members[dice.choice(sorted(members))]
        if dice.random() < 0.8:
            return bundle.build(members, self.true.statement["predicate"]["number"], self._seal)
        return bundle.write_zip(members)

    def the_zip(self, dice: random.Random) -> Case:
        data = bytearray(self.true.bundle)
        marks = [at for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06") for at in _found(data, mark)]
        for _ in range(dice.choice((1, 2, 4))):
            at = dice.choice(marks) + dice.randrange(46)
            value = dice.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", dice.randbytes(4), b"\x08\0", b"../"))
            data[at : at + len(value)] = value
        return "fields of the zip", bytes(data), self.options()

    def the_envelope(self, dice: random.Random) -> Case:
        data = written(dice, spoil(dice, json.loads(self.true.dsse)))
        return "the envelope", data, self.options()

    def the_statement(self, dice: random.Random) -> Case:
        dsse = self._signed(written(dice, spoil(dice, self.true.statement)))
        form = dice.choice(("dsse", "dsse", "bundle", "bundle", "bundle", "pdf"))
        if form == "pdf":
            return "a statement in a PDF", unsealed(dice, dsse), self.options()
        data = dsse if form == "dsse" else self._bundle(dice, {"certificate.dsse.json": dsse})
        return f"a statement in a {form}", data, self.options()

    def _signed(self, payload: bytes) -> bytes:
        message = pae(STATEMENT_TYPE, payload)
        return envelope(STATEMENT_TYPE, payload, [(key.short, key.sign(message)) for key in self._pair])

    def the_history(self, dice: random.Random) -> Case:
        def change(events: forging.History) -> None:
            at = dice.randrange(len(events))
            ref = events[at]["ref"]
            spoilt = spoil(dice, events[at]["entry"])
            events[at] = {**events[at], "entry": spoilt, "ref": ref}
            if dice.random() < 0.3:
                events.insert(dice.randrange(len(events)), events.pop(at))

        log, moved = forging.rewritten(self.true, change)
        made = copy.deepcopy(self.true.statement)
        forging.at_log(made["predicate"], log, moved)
        dsse = self._signed(written(dice, made))
        proven = bundle.Proven(log.size, log.nodes, {index: log.leaves[index] for index in log.mine}, log.heads)
        documents = {"certificate.pdf": self.true.pdf, "certificate.dsse.json": dsse}
        members = bundle.members(documents, proven, self.true.world.public)
        options = self.options() | ({} if dice.random() < 0.2 else {"heads": list(log.heads.values())})
        return "a rewritten history", bundle.build(members, made["predicate"]["number"], self._seal), options

    def the_pdf(self, dice: random.Random) -> Case:
        data, how = self.true.pdf, dice.randrange(4)
        if how == 0:
            return "an unsealed PDF", unsealed(dice, scratch(dice, self.true.dsse)), self.options()
        start = data.index(b"/Contents <") + len(b"/Contents <")
        end = data.index(b">", start)
        cms = bytearray.fromhex(data[start:end].decode())
        used = len(cms.rstrip(b"\0"))
        if how == 1:
            for _ in range(dice.choice((1, 1, 3))):
                cms[dice.randrange(used)] = dice.choice((0, 0x30, 0x80, 0x84, 0xFF, dice.randrange(256)))
        elif how == 2:
            at, size = dice.randrange(used), dice.choice((1, 2, 8))
            cms[at : at + size] = cms[dice.randrange(used) :][:size].ljust(size, b"\0")
        else:
            return "fields of the PDF", _pdf_fields(dice, data), self.options()
        return "the seal", data[:start] + cms.hex().upper().encode()[: end - start] + data[end:], self.options()

    def what_is_given(self, dice: random.Random) -> Case:
        options = self.options()
        note, key = dice.choice(options["heads"]), dice.choice(options["keys"])
        origin = self.true.world.public.origin
        bad = [scratch(dice, one.encode()).decode("utf-8", "replace") for one in (note, key)]
        options |= dice.choice((
            {"heads": [bad[0]]}, {"keys": [*options["keys"], bad[1]]}, {"keys": [bad[1]]}, {"witnesses": [bad[1]]},
            {"witnesses": [key]}, {"revocations": bad[0]}, {"heads": [note] * 500},
            {"revocations": note.replace(origin, f"{origin}/revocations")}, {"revocations": "\n" * 5000},
        ))  # fmt: skip
        return "what is given from outside", getattr(self.true, dice.choice(("bundle", "pdf", "dsse"))), options


def unsealed(dice: random.Random, dsse: bytes) -> bytes:
    """Write what the verifier's reader takes for a PDF with a seal: this envelope, packed, and a seal of nonsense."""
    packed = zlib.compress(dsse * dice.choice((1, 1, 1, 2000)), 9)
    size = len(packed) + dice.choice((0, 0, 0, -1, 1, 10**6))
    head = b"%%PDF-1.7\n1 0 obj <</Type /EmbeddedFile /Filter /FlateDecode /Length %d>> stream\n" % max(size, 0)
    body = head + packed + b"\nendstream endobj\n"
    cms = dice.choice(
        (b"3000", b"30820000", b"3080", b"30" * 40, b"A0" * 2000, dice.randbytes(60).hex().upper().encode())
    )
    template = b"<</Sig /ByteRange [0 %010d %010d %010d]/Contents "
    first = len(body) + len(template % (0, 0, 0))
    return body + template % (first, first + len(cms) + 2, 2) + b"<" + cms + b">>>"


def _pdf_fields(dice: random.Random, data: bytes) -> bytes:
    old, new = dice.choice((
        (b"/ByteRange [0 ", b"/ByteRange [1 "), (b"/ByteRange", b"/ByteRangE"), (b"/Length ", b"/Length 9"),
        (b"/FlateDecode", b"/LZWDecode"), (b"/Type /EmbeddedFile", b"/Type /EmbeddedFilE"),
        (b"stream\n", b"stream\r\n"),
        (b"/Contents <", b"/Contents<"), (b"%%EOF", b"%%EOF /ByteRange [0 1 2 3]"), (b"endobj", b"endstream"),
    ))  # fmt: skip
    hits = _found(bytearray(data), old)
    if not hits:
        return scratch(dice, data)
    at = dice.choice(hits)
    return data[:at] + new + data[at + len(old) :]


def _found(data: bytearray, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found
