"""The package: reproducible, validated, sealed to the receiver, handed over whole or not at all."""

import hashlib
import io
import tarfile
from datetime import date

import pyrage
import pytest

from contracts.errors import Rejected, Unavailable
from services.delivery.package import hand_over, make_bag, payload, probe, seal
from shared.runtime.drops import digest_of, recipient_key

DAY = date(2026, 6, 1)
INFO = {"Bagging-Date": DAY.isoformat(), "Bag-Software-Agent": "test"}


@pytest.fixture
def identity():
    return pyrage.x25519.Identity.generate()


def _bag(folder):
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "børn.csv").write_text("id\r\n1\r\n")
    (folder / "counts.json").write_text("{}")
    return make_bag(folder, dict(INFO))


def _open(path, identity):
    return pyrage.decrypt(path.read_bytes(), [identity])


def test_the_same_payload_gives_the_same_tar_byte_for_byte(tmp_path, identity):
    tars = []
    for run in ("one", "two"):
        folder = tmp_path / run / "x.bag"
        assert _bag(folder) == 2
        sealed = seal(folder, str(identity.to_public()), tmp_path / run / "sealed", DAY)
        assert sealed.digest == digest_of(tmp_path / run / "sealed") and sealed.files == 2
        assert sealed.size == (tmp_path / run / "sealed").stat().st_size
        tars.append(_open(tmp_path / run / "sealed", identity))
    assert tars[0] == tars[1]
    with tarfile.open(fileobj=io.BytesIO(tars[0])) as tar:
        assert {entry.uid for entry in tar} == {0}
        assert "x.bag/data/tables/børn.csv" in tar.getnames()


def test_a_file_that_vanishes_while_it_is_packed_is_an_error_not_a_short_package(tmp_path, identity, monkeypatch):
    folder = tmp_path / "x.bag"
    _bag(folder)
    vanish = tarfile.TarFile.add

    def add(self, name, *more, **others):
        if str(name).endswith("counts.json"):
            name.unlink()
        return vanish(self, name, *more, **others)

    monkeypatch.setattr(tarfile.TarFile, "add", add)
    with pytest.raises(FileNotFoundError):
        seal(folder, str(identity.to_public()), tmp_path / "sealed", DAY)
    assert not (tmp_path / "sealed").exists()


def test_a_package_is_handed_over_once_whole_and_again_after_a_crash(tmp_path):
    sealed, drop = tmp_path / "sealed", tmp_path / "drop"
    drop.mkdir()
    sealed.write_bytes(b"ciphertext" * 1000)
    digest = hashlib.sha256(sealed.read_bytes()).hexdigest()
    (drop / "pakke").write_bytes(b"half of an earlier try")
    for _ in range(2):
        hand_over(sealed, digest, drop / "pakke")
    assert digest_of(drop / "pakke") == digest and [path.name for path in drop.iterdir()] == ["pakke"]
    sealed.unlink()
    hand_over(sealed, digest, drop / "pakke")


def test_a_lost_or_changed_sealed_file_is_never_handed_over(tmp_path):
    with pytest.raises(Unavailable) as caught:
        hand_over(tmp_path / "none", "0" * 64, tmp_path / "pakke")
    assert caught.value.code == "SEALED_LOST"
    (tmp_path / "changed").write_bytes(b"x")
    with pytest.raises(Unavailable):
        hand_over(tmp_path / "changed", "0" * 64, tmp_path / "pakke")
    assert not (tmp_path / "pakke").exists()


def test_a_drop_that_is_gone_is_named(tmp_path):
    sealed = tmp_path / "sealed"
    sealed.write_bytes(b"x")
    with pytest.raises(Unavailable) as caught:
        hand_over(sealed, digest_of(sealed), tmp_path / "gone" / "pakke")
    assert (caught.value.code, caught.value.field) == ("DROP_UNREACHABLE", "drop")


def test_the_connection_test_leaves_nothing_and_says_what_failed(tmp_path, identity):
    recipient = str(identity.to_public())
    assert probe(tmp_path, recipient) == "OK"
    assert list(tmp_path.iterdir()) == []
    assert probe(tmp_path / "none", recipient) == "DROP_MISSING"
    assert probe(tmp_path, "age1nonsense") == "RECIPIENT_INVALID"


@pytest.mark.parametrize("text", ["", "age1nonsense", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQQ"])
def test_only_an_age_public_key_is_a_recipient(text):
    with pytest.raises(Rejected) as caught:
        recipient_key(text)
    assert (caught.value.code, caught.value.field) == ("RECIPIENT_INVALID", "recipient") and caught.value.remedy


def test_the_payload_is_what_lies_below_data(tmp_path):
    folder = tmp_path / "x.bag"
    _bag(folder)
    assert {path.name for path in payload(folder)} == {"børn.csv", "counts.json"}
