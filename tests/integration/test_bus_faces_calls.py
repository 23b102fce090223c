"""Calls to a face over the real broker: answers, idempotency, deadlines, tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.errors import Rejected, Unavailable
from shared.bus.envelope import new_id
from shared.bus.tokens import Actor
from tests.integration.bus_faces_parts import AGREEMENT, Bed, Caller, FaceProcess, bed
from tests.parts import Parts


@pytest.fixture(scope="module")
def parts(parts: Parts) -> Iterator[Bed]:
    with bed(parts) as made:
        made.fresh()
        yield made


@pytest.fixture(scope="module")
def face(parts: Bed) -> Iterator[FaceProcess]:
    with parts.face("orders") as running:
        yield running
        print(running.errors)


@pytest.fixture
def caller(parts: Bed, face: FaceProcess) -> Caller:
    return Caller(parts)


def agreement(reference: str) -> dict[str, object]:
    return {**AGREEMENT, "reference": reference}


def test_a_call_is_answered(parts: Bed, face: FaceProcess) -> None:
    answer = parts.client().call("orders.register_agreement", agreement("plain-1"))
    assert answer["agreement_id"].startswith("agr-")


def test_a_repeated_command_gets_the_first_answer_and_runs_once(parts: Bed, face: FaceProcess) -> None:
    client, command_id = parts.client(), new_id()
    first = client.call("orders.register_agreement", agreement("plain-2"), command_id=command_id)
    client.call("orders.register_agreement", agreement("plain-3"))
    assert client.call("orders.register_agreement", agreement("plain-2"), command_id=command_id) == first
    assert parts.runs("orders", "plain-2") == 1


@pytest.mark.parametrize("reference", ["plain-5", "plain-4"])
def test_a_used_command_id_is_refused_for_another_body_or_actor(parts: Bed, face: FaceProcess, reference: str) -> None:
    client, command_id = parts.client(), new_id()
    client.call("orders.register_agreement", agreement("plain-4"), command_id=command_id)
    other = parts.client("usr-2") if reference == "plain-4" else client
    with pytest.raises(Rejected, match="COMMAND_ID_REUSED"):
        other.call("orders.register_agreement", agreement(reference), command_id=command_id)


def test_errors_are_not_remembered(parts: Bed, face: FaceProcess) -> None:
    client, command_id = parts.client(), new_id()
    for _ in range(2):
        with pytest.raises(Unavailable, match="SAMPLE_UNAVAILABLE"):
            client.call("orders.register_agreement", agreement("unavailable-1"), command_id=command_id)
    assert parts.runs("orders", "unavailable-1") == 2


def test_a_rejection_reaches_the_caller_with_code_and_field(parts: Bed, face: FaceProcess) -> None:
    with pytest.raises(Rejected) as refused:
        parts.client().call("orders.register_agreement", agreement("rejected-1"))
    assert (refused.value.code, refused.value.field) == ("SAMPLE_REJECTED", "reference")


def test_a_bug_is_answered_without_details_and_logged_without_its_text(parts: Bed, face: FaceProcess) -> None:
    with pytest.raises(Unavailable, match="INTERNAL") as failed:
        parts.client().call("orders.register_agreement", agreement("bug-1"))
    assert "secret" not in str(failed.value)
    assert "secret" not in face.errors
    (line,) = [line for line in face.lines if line.get("outcome") == "bug RuntimeError"]
    assert "bus_faces_sample.py" in line["at"][-1]


def test_an_answer_outside_the_contract_is_a_bug_and_rolls_back(parts: Bed, face: FaceProcess) -> None:
    with pytest.raises(Unavailable, match="INTERNAL"):
        parts.client().call("orders.confirm_window", {"exit_id": "x-1"})
    assert parts.db("orders").outbox.count_documents({}) == 0


def test_the_canonical_line_names_the_call_and_nothing_of_its_body(parts: Bed, face: FaceProcess) -> None:
    command_id = new_id()
    parts.client().call("orders.register_agreement", agreement("plain-6"), command_id, correlation_id="corr-6")
    (line,) = [line for line in face.lines if line.get("id") == command_id]
    assert (line["wire"], line["outcome"], line["correlation_id"]) == ("orders.register_agreement", "ok", "corr-6")
    assert {"duration_ms", "attempts", "consumer", "kind"} <= line.keys()
    assert "Korsbæk" not in face.errors and "11111111" not in face.errors


def test_a_call_that_outlives_its_deadline_changes_nothing(parts: Bed, face: FaceProcess) -> None:
    command_id = new_id()
    parts.client().call("orders.list_exits", {})  # from here on it is connected
    with pytest.raises(Unavailable, match="NO_ANSWER") as late:
        parts.client().call("orders.register_agreement", agreement("slow-9"), command_id=command_id, timeout=1.5)
    assert late.value.field == command_id
    parts.go("orders", "slow-9")
    answer = parts.client().call("orders.register_agreement", agreement("slow-9"), command_id=command_id)
    assert answer["agreement_id"]
    assert parts.db("orders").agreements.count_documents({"_id": command_id}) == 1


def test_bad_data_is_answered_naming_the_field(caller: Caller) -> None:
    envelope = {"data": {**AGREEMENT, "customer": {"cvr": "12", "name": "x"}}}
    error = caller.error(envelope=envelope)
    assert (error["code"], error["field"]) == ("MESSAGE_INVALID", "customer.cvr")


def test_a_wrong_role_is_refused(caller: Caller, parts: Bed) -> None:
    token = parts.issuer().acting("usr-1", ["kommune_dpo"])("orders")
    assert caller.error(token=token)["code"] == "ROLE_MISSING"


def test_a_customer_out_of_scope_is_refused(caller: Caller, parts: Bed) -> None:
    token = parts.issuer().acting("usr-1", ["ist_projektleder"], ["99999999"])("orders")
    assert caller.error(token=token)["code"] == "CUSTOMER_NOT_IN_SCOPE"


def test_a_token_for_another_service_is_refused(caller: Caller) -> None:
    error = caller.error(audience="deletion")
    assert (error["code"], "token-audience" in error["message"]) == ("TOKEN_REFUSED", True)


def test_an_expired_token_is_refused(caller: Caller, parts: Bed) -> None:
    token = parts.issuer().mint(Actor("usr-1", frozenset({"ist_projektleder"}), frozenset({"*"})), "orders", -60)
    assert "token-expired" in caller.error(token=token)["message"]


def test_a_role_that_the_issuer_may_not_grant_is_refused(caller: Caller, parts: Bed) -> None:
    token = parts.issuer("watcher").acting("usr-1", ["ist_projektleder"])("orders")
    assert "token-roles" in caller.error(token=token)["message"]


def test_a_forged_token_is_refused_and_dead_lettered(caller: Caller, parts: Bed) -> None:
    from shared.bus import trust
    from shared.bus.tokens import Issuer

    forged = Issuer("console", trust.load_key(parts.keys, "stranger")).acting("usr-1", ["ist_projektleder"])("orders")
    error = caller.error(token=forged)
    assert (error["family"], error["code"]) == ("Rejected", "MESSAGE_REFUSED")
    assert len(parts.dead("orders", "token-forged")) == 1


def test_what_no_face_serves_is_unavailable(parts: Bed, face: FaceProcess) -> None:
    with pytest.raises(Unavailable, match="NOT_SERVED"):
        parts.client(roles=("kommune_projektleder",)).call("orders.place_final_order", {"exit_id": "x-1"})


def test_status_accounts_for_the_service(parts: Bed, face: FaceProcess) -> None:
    status = parts.client(roles=("overvågning",)).call("orders.status", {})
    assert (status["service"], status["in_flight"]) == ("orders", 0)


def test_health_tells_live_ready_and_metrics(face: FaceProcess) -> None:
    assert face.get("/live")[0] == 200
    assert face.get("/ready")[0] == 200
    assert "ophor_entrypoints_total" in face.get("/metrics")[1]
