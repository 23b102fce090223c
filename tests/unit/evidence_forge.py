"""A dishonest supplier with every key: rewrites the log itself, draws the head again and signs what follows from it.

Each forgery is consistent in everything but the one thing that it is about, so that it reaches the check of that thing.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from services.compliance.documents import bundle, document
from services.compliance.evidence import GENESIS, leaf
from services.compliance.log import checkpoint, tree
from services.compliance.signing.envelope import canonical
from services.compliance.signing.keys import LOG, load_note, load_seal
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Certificate, sign

History = list[dict[str, Any]]
Change = Callable[[History], Any]
Lie = Callable[[dict[str, Any]], Any]


def history(certificate: Certificate) -> History:
    """Give the exit's logged events, each with its index."""
    leaves = certificate.world.log.leaves
    return [json.loads(leaves[index])["event"] for index in certificate.world.log.mine]


def rewritten(certificate: Certificate, change: Change) -> tuple[given.Log, dict[int, int]]:
    """Write the log anew with the changed history of the exit, chained, with others' entries between.

    Gives with it where each entry of the true log is now.
    """
    events = history(certificate)
    change(events)
    log, where = given.Log(certificate.world.log.origin), {}
    previous = GENESIS
    for number, event in enumerate(events):
        data = leaf({**event, "n": number, "prev": previous}, given.sha(f"salt-{number}"))
        previous = tree.leaf_hash(data).hex()
        where[event["ref"]] = log.size
        log.mine.append(log.size)
        for each in (data, leaf({"other": number}, given.sha(f"other-{number}"))):
            log.nodes |= tree.appended(log.nodes, log.size, tree.leaf_hash(each))
            log.leaves.append(each)
    key = load_note(certificate.world.folder / "ledger", LOG)
    log.heads[log.size] = checkpoint.sign(log.origin, log.size, tree.root(log.nodes, log.size), key)
    old = zip(certificate.world.log.mine, history(certificate), strict=True)
    return log, {index: where[event["ref"]] for index, event in old if event["ref"] in where}


def at_log(predicate: dict[str, Any], log: given.Log, moved: dict[int, int]) -> None:
    """Say in a statement that it stands on this log; what it tells by index moves with its entry."""
    head = log.head()
    predicate["log"] |= {
        "size": head.size, "root": base64.b64encode(head.root).decode(), "entries": list(log.mine),
        "chain": {"count": head.chain[0], "head": head.chain[1]},
    }  # fmt: skip
    _move(predicate, moved)


def _move(value: Any, moved: dict[int, int]) -> None:
    if isinstance(value, dict):
        told = value.get("evidence")
        if isinstance(told, int):
            value["evidence"] = moved.get(told, told)
        if isinstance(told, list):
            value["evidence"] = [moved.get(one, one) for one in told]
        for name, inner in value.items():
            if name != "log":
                _move(inner, moved)
    elif isinstance(value, list):
        for inner in value:
            _move(inner, moved)


def forge(certificate: Certificate, change: Change = lambda _: None, lie: Lie = lambda _: None) -> bytes:
    """Write a bundle over the changed history whose statement also lies as asked; all keys are the true ones."""
    (log, moved), made = rewritten(certificate, change), copy.deepcopy(certificate.statement)
    at_log(made["predicate"], log, moved)
    lie(made["predicate"])
    return bundle_of(certificate, canonical(made), log)


def bundle_of(certificate: Certificate, payload: bytes, log: given.Log) -> bytes:
    """Seal, collect and sign a bundle of these bytes as a statement."""
    dsse, seal_key = sign(certificate.world, payload), load_seal(certificate.world.folder / "render")
    number = str(certificate.statement["predicate"]["number"])
    pdf = document.seal(blank(dsse, document.digest_of(payload)), seal_key, number)
    proven = bundle.Proven(log.size, log.nodes, {index: log.leaves[index] for index in log.mine}, log.heads)
    found = bundle.members({"certificate.pdf": pdf, "certificate.dsse.json": dsse}, proven, certificate.world.public)
    return bundle.build(found, number, seal_key)


@cache
def blank(dsse: bytes, digest: str) -> bytes:
    """Write an empty page with the envelope embedded."""
    return document.print_page("<html lang='da'><title>Slettebevis</title>", dsse, digest, "2026-10-06")


def first(events: History, kind: str, **fields: Any) -> dict[str, Any]:
    """Find the first event of a kind whose entry has these values."""
    for one in events:
        if one["kind"] == kind and fields.items() <= one["entry"].items():
            return one
    raise LookupError(kind)


def shift(events: History, moved: dict[str, Any], before: dict[str, Any]) -> None:
    """Move an event before another."""
    events.remove(moved)
    events.insert(events.index(before), moved)
