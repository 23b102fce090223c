"""Holders of set keys sit the same exam: files, a key service over HTTP that waits, and a real PKCS#11 token."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Rejected
from shared.connectors.protocol import Marker
from shared.keystore import FileKeys, KeyState, Keystore, ServiceKeys, TokenKeys
from tests.integration.compliance_holders import MODULE
from tests.integration.key_service import KeyService, serving

NOW = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def service() -> Iterator[KeyService]:
    with serving() as server:
        yield server


def exam(keys: Keystore, *, wait: Any = lambda: None) -> None:
    """The exam that every holder sits; `wait` lets its waiting time end."""
    about = keys.make("11111111", "plads", "s1", NOW)
    other = keys.make("22222222", "plads", "s1", NOW)
    assert about.key_id != other.key_id
    with pytest.raises(Rejected, match="KEY_EXISTS"):
        keys.make("11111111", "plads", "s1", NOW)
    sealed = keys.seal(about.key_id, b"a set")
    assert b"a set" not in sealed
    assert keys.unseal(about.key_id, sealed) == b"a set"
    assert keys.state("set-unknown") is KeyState.ERROR
    assert keys.destroy("set-unknown") is KeyState.ERROR
    first = keys.destroy(about.key_id)
    assert first is (KeyState.PENDING if keys.waits_days else KeyState.DESTROYED)
    wait()
    assert keys.state(about.key_id) is KeyState.DESTROYED
    assert keys.destroy(about.key_id) is KeyState.DESTROYED
    with pytest.raises(Rejected, match="KEY_NOT_USABLE"):
        keys.unseal(about.key_id, sealed)
    with pytest.raises(Rejected, match="KEY_EXISTS"):
        keys.make("11111111", "plads", "s1", NOW)
    assert keys.state(other.key_id) is KeyState.ACTIVE


def marked(keys: FileKeys | TokenKeys) -> None:
    """A holder that its owner marks for rehearsals carries the newest mark, and a token or folder no other."""
    assert keys.marker() is None
    for mark in (Marker("a", 1.0), Marker("b", 2.5)):
        keys.write_marker(mark)
        assert keys.marker() == mark


def test_keys_in_files(tmp_path: Path) -> None:
    exam(FileKeys(tmp_path))
    marked(FileKeys(tmp_path))
    shutil.rmtree(tmp_path)
    assert FileKeys(tmp_path).state("set-1") is KeyState.ERROR


def test_keys_in_a_service_are_pending_until_its_wait_is_over(service: KeyService) -> None:
    keys = ServiceKeys(f"http://127.0.0.1:{service.server_port}", "hemmelig", waits_days=7)
    exam(keys, wait=lambda: (service.pass_days(6), service.pass_days(1)))
    key = keys.make("11111111", "plads", "s2", NOW)
    assert keys.destroy(key.key_id) is KeyState.PENDING
    service.pass_days(6)
    assert keys.destroy(key.key_id) is KeyState.PENDING  # asking again does not begin the wait anew
    service.pass_days(1)
    assert keys.state(key.key_id) is KeyState.DESTROYED
    keys.close()
    gone = ServiceKeys("http://127.0.0.1:9", "hemmelig")
    assert gone.state(key.key_id) is KeyState.ERROR
    gone.close()


def test_keys_in_a_token(tmp_path: Path) -> None:
    """In a process of its own: the token's library reads its settings once a process."""
    if not MODULE.exists():
        pytest.skip("SoftHSM is not installed (Debian package softhsm2)")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = os.environ | {"SOFTHSM2_CONF": str(conf)}
    argv = ["softhsm2-util", "--init-token", "--free", "--label", "sets", "--pin", "314159", "--so-pin", "271828"]
    subprocess.run(argv, check=True, capture_output=True, env=env)
    program = (
        "from tests.integration.test_keystore import exam, marked; from shared.keystore import TokenKeys;"
        f"keys = TokenKeys({str(MODULE)!r}, 'sets', '314159'); exam(keys); marked(keys)"
    )
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
