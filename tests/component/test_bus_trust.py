"""The trust file, keys and signatures of services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Rejected
from shared.bus import trust
from shared.bus.envelope import encode, make_event, parse
from shared.bus.trust import SIGNATURE_HEADER, Signer, Trust
from tests.unit.bus_parts import KEYS, ORDERS, TRUST

EVENT = make_event("orders.window_confirmed", {"exit_id": "x"}, id="e", subject="x", aggregate="orders:x", seq=1)


def test_a_signature_holds_for_its_envelope_and_survives_a_rewriting_of_the_same() -> None:
    signature = ORDERS.headers(EVENT, encode(EVENT))[SIGNATURE_HEADER]
    rewritten = encode(json.loads(encode(EVENT)))
    assert TRUST.verifies("orders", signature, parse(json.loads(rewritten)), rewritten)


@pytest.mark.parametrize("change", [{"id": "f"}, {"type": "orders.order_placed"}, {"subject": "y"}, {"seq": 2}])
def test_a_signature_covers_id_type_subject_and_seq(change: dict[str, Any]) -> None:
    signature = ORDERS.headers(EVENT, encode(EVENT))[SIGNATURE_HEADER]
    assert not TRUST.verifies("orders", signature, EVENT | change, encode(EVENT))


def test_a_signature_covers_the_body_and_belongs_to_its_signer() -> None:
    signature = ORDERS.headers(EVENT, encode(EVENT))[SIGNATURE_HEADER]
    assert not TRUST.verifies("orders", signature, EVENT, encode(EVENT) + b" ")
    assert not TRUST.verifies("deletion", signature, EVENT, encode(EVENT))
    assert not TRUST.verifies("nobody", signature, EVENT, encode(EVENT))


def test_an_old_key_counts_until_the_trust_file_drops_it() -> None:
    both = {"keys": [trust.public_text(KEYS["deletion"]), trust.public_text(KEYS["orders"])]}
    signature = ORDERS.headers(EVENT, encode(EVENT))[SIGNATURE_HEADER]
    assert Trust.of({"orders": both}, {}).verifies("orders", signature, EVENT, encode(EVENT))


def test_keys_and_trust_file_are_written_and_read_again(tmp_path: Path) -> None:
    public = trust.make_key(tmp_path, "orders")
    assert trust.make_key(tmp_path, "orders") == public
    assert (tmp_path / "orders.pem").stat().st_mode & 0o777 == 0o600
    trust.write(tmp_path / "trust.json", {"orders": public}, {"console": (public, {"kommune_dpo"})})
    read = Trust.load(tmp_path / "trust.json")
    headers = Signer.load(tmp_path, "orders").headers(EVENT, encode(EVENT))
    assert read.verifies("orders", headers[SIGNATURE_HEADER], EVENT, encode(EVENT))
    assert read.roles_of("console") == {"kommune_dpo"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2, "services": {}, "issuers": {}}',
     '{"version": 1, "services": {"orders": {"keys": ["x"]}}, "issuers": {}}',
     '{"version": 1, "services": {}, "issuers": {"console": {"keys": ["AA=="], "roles": ["king"]}}}'],
)  # fmt: skip
def test_a_wrong_trust_file_is_refused_naming_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "trust.json").write_text(text)
    with pytest.raises(Rejected) as refused:
        Trust.load(tmp_path / "trust.json")
    assert (refused.value.code, refused.value.field) == ("TRUST_INVALID", "OPHOR_TRUST")


def test_a_missing_or_wrong_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deletion.pem").write_text("no key")
    for name in ("orders", "deletion"):
        with pytest.raises(Rejected, match="KEY_INVALID"):
            trust.load_key(tmp_path, name)
