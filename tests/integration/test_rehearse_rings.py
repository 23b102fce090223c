"""Rows that hold one another over deferrable references go in one transaction, and nothing escapes its accounting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from contracts import system_map
from contracts.errors import Rejected
from contracts.system_map import SystemMap
from shared.connectors import open_connector
from shared.connectors.protocol import Connector
from tests.integration import rehearse_targets as targets
from tests.parts import Parts


@pytest.fixture
def shop(parts: Parts, tmp_path: Path) -> Iterator[tuple[str, SystemMap]]:
    with targets.shop(parts.postgres_uri, tmp_path) as (uri, content):
        yield uri, system_map.load(targets.write_map(tmp_path, butik=content))


def deleter(mapped: SystemMap) -> Connector:
    connector = open_connector(mapped, "butik", "delete", targets.LEAVING, "11111111")
    connector.discover()
    return connector


def test_all_that_hangs_together_is_named_and_goes_at_once(shop: tuple[str, SystemMap]) -> None:
    with closing(deleter(shop[1])) as connector:
        rows = connector.together("ordre", connector.keys("ordre", 4))
        assert [(place, len(keys)) for place, keys in rows] == [("ordrelinje", 12), ("ordre", 4)]
        with connector.batch() as batch:
            before = batch.neighbours()
            assert [batch.delete(place, keys) for place, keys in rows] == [12, 4]
            assert batch.effects() == batch.planned() == {"ordrelinje": 12, "ordre": 4}
            assert batch.neighbours() == before
            batch.commit()
        assert (connector.count("ordre"), connector.count("ordrelinje")) == (16, 48)


def test_half_of_a_ring_is_undone(shop: tuple[str, SystemMap]) -> None:
    with closing(deleter(shop[1])) as connector:
        keys = connector.keys("ordrelinje", 6)
        with pytest.raises(Rejected, match="ROW_STILL_REFERENCED"), connector.batch() as batch:
            batch.delete("ordrelinje", keys)
            batch.effects()
        assert connector.present("ordrelinje", keys) == 6


def test_what_a_trigger_puts_off_to_the_commit_is_counted_before_it(shop: tuple[str, SystemMap]) -> None:
    with psycopg.connect(shop[0], autocommit=True) as owner:
        owner.execute("""
            CREATE FUNCTION tag_nabo() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
              $$BEGIN DELETE FROM public.hændelse WHERE kunde_nr = 8; RETURN NULL; END$$;
            CREATE CONSTRAINT TRIGGER til_sidst AFTER DELETE ON hemmelig_cache DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION tag_nabo()""")
    with closing(deleter(shop[1])) as connector, connector.batch() as batch:
        batch.delete("hemmelig_cache", connector.keys("hemmelig_cache", 1))
        assert batch.effects() == {"hemmelig_cache": 1, "hændelse": 30}
        assert batch.planned() == {"hemmelig_cache": 1}
    with psycopg.connect(shop[0]) as owner:
        assert owner.execute("SELECT count(*) FROM hændelse").fetchone() == (60,)


@pytest.mark.parametrize(("purpose", "may"), [("verify", False), ("extract", False), ("delete", True)])
def test_the_engine_says_who_can_write(shop: tuple[str, SystemMap], purpose: str, may: bool) -> None:
    with closing(open_connector(shop[1], "butik", purpose, targets.LEAVING, "11111111")) as connector:
        assert connector.can_write() is may
