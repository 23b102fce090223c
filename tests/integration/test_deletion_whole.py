"""Places that are one tenant's alone go as a whole: proved under a lock, counted once, refused on doubt (ADR 0010)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import Rejected, Unavailable
from services.console import coverage
from services.deletion import domain
from services.deletion.worker import transaction
from shared.connectors.files.whole import FilesWhole
from shared.connectors.mongodb import whole as mongodb_whole
from shared.connectors.mongodb.whole import MongoWhole
from shared.connectors.protocol import DropsWhole
from shared.connectors.sql import whole_postgresql
from shared.connectors.sql.whole import SqlWhole
from shared.connectors.sql.whole_mariadb import MariaWhole
from shared.connectors.sql.whole_postgresql import PostgresWhole
from shared.connectors.sql.whole_sqlite import SqliteWhole
from tests.integration.connectors_targets import CVR, LEAVING, STAYING, Target
from tests.integration.deletion_house import Killed
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.integration.whole_targets import KINDS, ROWS, TABLE, Alone, alone
from tests.parts import Parts

WHOLES: dict[str, type[Any]] = {
    "postgresql": PostgresWhole, "mariadb": MariaWhole, "sqlite": SqliteWhole, "mongodb": MongoWhole,
    "files": FilesWhole,
}  # fmt: skip


@dataclass
class Case:
    """One exit with a place that goes as a whole."""

    world: World
    hand: Alone
    kind: str
    way: str

    def preview(self) -> None:
        """Draw the plan up."""
        preview(self.world)

    def finish(self) -> None:
        """Permit what was previewed and carry it to its end."""
        self.world.house.permit()
        self.world.house.carry()

    def closed(self) -> list[tuple[int, int]]:
        """Give (planned, deleted) of the place's batches, and see that they are told as a whole."""
        told = self.world.house.events("deletion.deletion_batch_closed")
        mine = [row for row in told if row["place"] == "alene"]
        assert {row["method"] for row in mine} <= {self.way}
        return [(row["planned"], row["deleted"]) for row in mine]

    def answer(self) -> tuple[str, dict[str, Any]]:
        """Give the verifier's last answer and its row of the place."""
        told = self.world.house.events("deletion.deletion_verified")[-1]
        return told["result"], next(row for row in told["places"] if row["place"] == "alene")

    def see_deleted(self, closed: list[tuple[int, int]]) -> None:
        """See that all of it went once, was counted so, and that nothing of anybody else's did."""
        result, row = self.answer()
        counts = {name: row[name] for name in ("before", "arrived", "deleted", "residual")}
        assert (result, row["method"]) == ("DELETED", self.way)
        assert counts == {"before": ROWS, "arrived": 0, "deleted": ROWS, "residual": 0}
        assert self.closed() == closed
        kept = 1 if (self.kind, self.way) == ("files", "part") else 0
        assert self.hand.left() == (None if self.way == "drop" else kept)
        assert (self.world.rows(), self.world.target.neighbours()) == (0, 8 + kept)

    def certified(self) -> bool:
        """Tell whether the verifier answered anything but an error."""
        told = self.world.house.events("deletion.deletion_verified")
        return any(each["result"] != "ERROR" for each in told)


@pytest.fixture
def case(
    request: pytest.FixtureRequest, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Case]:
    kind, way = getattr(request, "param", ("postgresql", "drop"))
    with ExitStack() as stack:
        target, hand = stack.enter_context(alone(kind, way, parts, tmp_path))
        world = stack.enter_context(a_world(target, parts.mongo_uri, tmp_path, monkeypatch))
        yield Case(world, hand, kind, way)


def each(*ways: tuple[str, str]) -> Any:
    """Run a test for each (kind, way)."""
    return pytest.mark.parametrize("case", ways, indirect=True, ids="-".join)


@pytest.fixture(params=[(kind, "drop") for kind in KINDS], ids=list(KINDS))
def place(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> Iterator[tuple[Target, Alone]]:
    kind, way = request.param
    with alone(kind, way, parts, tmp_path) as found:
        yield found


# The way from the preview to the answer.


@each(("postgresql", "part"), ("mariadb", "truncate"), ("sqlite", "truncate"), ("files", "part"))
def test_a_place_of_one_tenant_goes_in_one_statement_and_the_rest_row_by_row(case: Case) -> None:
    case.preview()
    (step,) = [row for row in case.world.house.ask("read_job", {"activity": "D7a"})["work"] if row["place"] == "alene"]
    assert (step["method"], step["rows"], step["statements"]) == (case.way, ROWS, 1)
    job = case.world.house.store.db.jobs.find_one() or {}
    (planned,) = [row for row in job["plan"]["systems"][0]["places"] if row["place"] == "alene"]
    assert (planned["whole"], domain.canonical_digest(job["plan"])) == (case.way, job["plan_digest"])
    case.finish()
    case.see_deleted([(ROWS, ROWS)])


@each(("sqlite", "drop"))
def test_what_went_with_an_earlier_job_is_absent_verified_and_what_comes_again_is_new(case: Case) -> None:
    case.preview()
    case.finish()
    case.preview()
    case.finish()
    result, row = case.answer()
    assert (result, row["disposition"], row["deleted"]) == ("ABSENT_VERIFIED", "absent_verified", 0)
    case.preview()
    case.world.execute(TABLE)
    case.finish()
    assert stopped(case.world) == ("SCHEMA_CHANGED", "systems.maal.places.alene")


def test_a_place_that_somebody_else_drops_is_a_changed_schema_and_not_our_deletion(case: Case) -> None:
    case.preview()
    case.hand.vanish()
    case.finish()
    assert stopped(case.world) == ("SCHEMA_CHANGED", "systems.maal.places.alene")
    assert (case.closed(), case.certified()) == ([], False)


# Who writes meanwhile.


@each(("mariadb", "drop"), ("mongodb", "drop"))
def test_a_neighbours_row_that_comes_after_the_intent_is_found_under_the_lock(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.preview()
    after_the_intent(monkeypatch, lambda: case.hand.put(STAYING, 100))
    case.finish()
    assert stopped(case.world) == ("PLACE_NOT_WHOLE", "systems.maal.places.alene.whole")
    assert (case.hand.left(), case.closed(), case.certified()) == (ROWS + 1, [(ROWS, 0)], False)


@each(("files", "drop"))
def test_the_tenants_own_row_that_comes_after_the_intent_puts_it_off_and_is_counted(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.preview()
    after_the_intent(monkeypatch, lambda: case.hand.put(LEAVING, 100))
    case.finish()
    assert case.closed() == [(ROWS, 0), (ROWS + 1, ROWS + 1)]
    result, row = case.answer()
    assert (result, row["deleted"], row["arrived"], case.hand.left()) == ("DELETED", ROWS + 1, 1, None)


@each(("postgresql", "drop"), ("mongodb", "drop"))
def test_a_deleter_that_proves_nothing_is_stopped_by_the_count_of_what_would_go(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.preview()
    monkeypatch.setattr(SqlWhole, "prove", lambda self: None)
    monkeypatch.setattr(mongodb_whole, "prove", lambda *args: None)
    after_the_intent(monkeypatch, lambda: case.hand.put(STAYING, 100))
    case.finish()
    assert stopped(case.world) == ("ROWS_NOT_DELETABLE", "systems.maal.places.alene")
    assert (case.hand.left(), {deleted for _, deleted in case.closed()}, case.certified()) == (ROWS + 1, {0}, False)


def test_a_deleter_that_says_dropped_and_drops_nothing_is_not_believed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.preview()
    monkeypatch.setattr(PostgresWhole, "commit", lambda self: None)
    case.finish()
    assert stopped(case.world)[0] == "ROWS_NOT_DELETABLE"
    assert (case.hand.left(), {deleted for _, deleted in case.closed()}, case.certified()) == (ROWS, {0}, False)


@each(("mongodb", "drop"))
def test_a_target_that_drops_and_answers_with_an_error_is_counted_by_looking(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.preview()
    real = MongoWhole.commit

    def failing(self: MongoWhole) -> None:
        real(self)
        raise Rejected("TARGET_ERROR", "maal: error 1")

    monkeypatch.setattr(MongoWhole, "commit", failing)
    case.finish()
    assert stopped(case.world)[0] == "TARGET_ERROR"
    assert (case.hand.left(), case.closed(), case.certified()) == (None, [(ROWS, ROWS)], False)


def after_the_intent(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], Any]) -> None:
    """Have something happen once, right after the place's first intent was committed."""
    real = transaction.open_
    done: list[bool] = []

    def opened(unit: Any, job: Any, target: Any, intents: Any) -> Any:
        fenced = real(unit, job, target, intents)
        if intents[0].whole and not done:
            done.append(True)
            happen()
        return fenced

    monkeypatch.setattr(transaction, "open_", opened)


# A kill at each moment.

MOMENTS = ("intent", "proved", "decided", "committed")


@each(*((kind, "drop") for kind in KINDS if kind != "sqlite"))
def test_a_kill_at_each_moment_is_counted_as_what_happened_and_the_next_worker_finishes(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "STALLED_AT_MOST", len(MOMENTS) + 1)
    case.preview()
    case.world.house.permit()
    for moment in MOMENTS:
        with monkeypatch.context() as patch:
            kill(patch, case.kind, moment)
            with pytest.raises(Killed):
                case.world.house.carry()
    case.world.house.carry()
    case.see_deleted([(ROWS, 0), (ROWS, 0), (ROWS, 0), (ROWS, ROWS)])


def kill(patch: pytest.MonkeyPatch, kind: str, moment: str) -> None:
    """Die at a moment: nothing that the process would do afterwards happens."""
    owner, name, before = {
        "intent": (WHOLES[kind], "taken", True), "proved": (transaction, "keep", True),
        "decided": (WHOLES[kind], "commit", True), "committed": (WHOLES[kind], "commit", False),
    }[moment]  # fmt: skip
    real = getattr(owner, name)

    def dying(*args: Any) -> Any:
        if not before:
            real(*args)
        raise Killed

    patch.setattr(owner, name, dying)


def test_a_process_killed_while_it_holds_the_place_leaves_all_of_it_to_the_next(place: tuple[Target, Alone]) -> None:
    target, hand = place
    path = target.folder / "kort.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "systems": {"maal": target.content}}, allow_unicode=True))
    done = subprocess.run([sys.executable, "-c", DOOMED, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    connector = target.open("delete")
    connector.discover()
    assert isinstance(connector, DropsWhole)
    assert (hand.left(), connector.left_whole("alene")) == (ROWS, ROWS)
    with connector.whole("alene") as whole:
        assert (whole.rows, whole.effects()) == (ROWS, {})
        whole.commit()
    assert (hand.left(), connector.left_whole("alene")) == (None, None)


DOOMED = """
import os, signal, sys
from pathlib import Path
from contracts import system_map
from shared.connectors import open_connector
connector = open_connector(system_map.load(Path(sys.argv[1])), "maal", "delete", "101", "11111111")
connector.discover()
with connector.whole("alene"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


# What is refused, and changes nothing.


def test_one_row_of_a_neighbour_or_one_reference_from_outside_forbids_it(place: tuple[Target, Alone]) -> None:
    target, hand = place
    hand.put(STAYING, 100)
    for purpose in ("verify", "delete"):
        assert refused(target, purpose).code == "PLACE_NOT_WHOLE"
    hand.remove(STAYING, 100)
    hand.refer()
    if target.kind != "files":
        assert {refused(target, purpose).code for purpose in ("verify", "delete")} == {"PLACE_REFERENCED"}
    assert hand.left() == ROWS


def refused(target: Target, purpose: str) -> Rejected:
    """Look, or go as far as `whole` does, and give the refusal."""
    connector = target.open(purpose)
    connector.discover()
    assert isinstance(connector, DropsWhole)
    with pytest.raises(Rejected) as error:
        if purpose == "verify":
            connector.look_whole("alene", [])
        with connector.whole("alene"):
            pass
    return error.value


@pytest.mark.parametrize("place", [("postgresql", "drop")], indirect=True, ids=["postgresql"])
def test_a_view_a_policy_or_somebody_who_reads_forbids_it(
    place: tuple[Target, Alone], parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, hand = place
    target.execute("CREATE VIEW visning AS SELECT * FROM alene")
    assert refused(target, "delete").code == "PLACE_REFERENCED"
    target.execute("DROP VIEW visning")
    monkeypatch.setattr(whole_postgresql, "LOCK_WAIT_S", 1)
    connector = target.open("delete")
    connector.discover()
    assert isinstance(connector, DropsWhole)
    target.execute("BEGIN")
    target.execute("SELECT count(*) FROM alene")
    with pytest.raises(Unavailable) as busy, connector.whole("alene"):
        pass
    target.execute("ROLLBACK")
    assert (busy.value.code, hand.left()) == ("TARGET_BUSY", ROWS)
    target.execute("ALTER TABLE alene ENABLE ROW LEVEL SECURITY; ALTER TABLE alene FORCE ROW LEVEL SECURITY;")
    target.execute("CREATE POLICY egne ON alene USING (lejer = 101)")
    assert refused(target, "delete").code == "PLACE_NOT_WHOLE"


@pytest.mark.parametrize("place", [("postgresql", "part")], indirect=True, ids=["postgresql"])
def test_a_partition_of_more_than_one_tenant_is_not_the_tenants(place: tuple[Target, Alone]) -> None:
    target, _ = place
    target.execute(f"ALTER TABLE alene DETACH PARTITION alene_{LEAVING}")
    target.execute(f"ALTER TABLE alene ATTACH PARTITION alene_{LEAVING} FOR VALUES IN ({LEAVING}, 103)")
    assert refused(target, "delete").code == "PLACE_NOT_WHOLE"


@pytest.mark.parametrize(
    "place", [("postgresql", "drop"), ("mariadb", "drop"), ("sqlite", "drop")], indirect=True, ids=str
)
def test_a_child_that_is_the_tenants_by_its_path_goes_before_its_parent(place: tuple[Target, Alone]) -> None:
    target, hand = place
    hand.refer(ours=True)
    connector = target.open("delete")
    assert isinstance(connector, DropsWhole)
    order = connector.order(connector.discover())
    assert order.index("udefra") < order.index("alene")
    connector.look_whole("alene", ["udefra"])
    assert refused(target, "verify").code == "PLACE_REFERENCED"
    for name in ("udefra", "alene"):
        connector.discover()
        with connector.whole(name) as whole:
            assert whole.rows == ROWS
            whole.commit()
    assert (hand.left(), connector.left_whole("udefra")) == (None, None)


@pytest.mark.parametrize("place", [("sqlite", "drop"), ("files", "drop")], indirect=True, ids=str)
def test_the_coverage_report_says_which_place_may_not_go_and_takes_one_that_went_for_done(
    place: tuple[Target, Alone],
) -> None:
    target, hand = place
    hand.put(STAYING, 100)
    found = {line.place: line for line in coverage.check(target.map(), LEAVING, CVR)}
    assert (found["alene"].code, found["alene"].disposition) == ("PLACE_NOT_WHOLE", "undecided")
    hand.vanish()
    found = {line.place: line for line in coverage.check(target.map(), LEAVING, CVR)}
    assert (found["alene"].code, found["alene"].disposition, found["alene"].total) == ("", "deleted", 0)
