"""The system map: what is accepted, and that every mistake is named with its field and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import system_map
from contracts.errors import Rejected
from contracts.system_map import SystemMap, check_live

PLACES = {
    "barn": {"tenant_key": "kommunekode"},
    "note": {"tenant_path": ["barn_id", "kommunekode"]},
    "log": {"tenant_key": "kommunekode", "deliver": False, "reason": "log"},
    "kode": {"shared": "SHARED_CODE"},
    "version": {"excluded": "NOT_CUSTOMER_DATA"},
}
LIVE = {
    "barn": ("barn_id", "kommunekode"), "note": ("barn_id",), "log": ("kommunekode",), "kode": ("kode",),
    "version": ("version",),
}  # fmt: skip


def body() -> dict[str, Any]:
    system = {
        "title": "Pladsanvisning", "kind": "postgresql", "deletion": "2", "tenant": "{tenant}",
        "connection": {"host": "127.0.0.1", "port": 5432, "database": "plads"},
        "credentials": {
            "delete": {"user": "d", "password_file": "secrets/d"},
            "verify": {"user": "v", "password_env": "OPHOR_TEST_SECRET"},
        },
        "places": {name: dict(rule) for name, rule in PLACES.items()},
        "access": {"roles": ["app"]}, "backups": {"folder": "backups"},
    }  # fmt: skip
    return {"version": 1, "systems": {"plads": system}}


def parse(content: Any, home: Path = Path("/hjemme")) -> SystemMap:
    return system_map.parse(yaml.safe_dump(content).encode(), "systems.yaml", home)


def test_a_map_gives_every_system_with_its_rules_and_paths_from_its_home() -> None:
    system = parse(body()).system("plads")
    assert system.owned() == ["barn", "log", "note"]
    assert system.rules["note"].tenant_path == ("barn_id", "kommunekode")
    assert (system.backups, system.roles) == ("/hjemme/backups", ("app",))


def test_numbers_where_a_text_is_meant_are_taken_as_written() -> None:
    content = body()
    content["systems"]["plads"] |= {"deletion": 2, "tenant": 101}
    system = parse(content).system("plads")
    assert (system.deletion, system.tenant_value("x", "y")) == ("2", "101")


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(content: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for part in above:
            content = content[part]
        if value is None:
            del content[last]
        else:
            content[last] = value

    return apply


PLADS = "systems.plads"


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        (f"{PLADS}.places.barn.farve", "rød", "MAP_UNKNOWN_FIELD", f"{PLADS}.places.barn.farve"),
        (f"{PLADS}.connection.password", "x", "MAP_UNKNOWN_FIELD", f"{PLADS}.connection.password"),
        (f"{PLADS}.places.barn", {}, "MAP_TENANT_KEY_MISSING", f"{PLADS}.places.barn"),
        (f"{PLADS}.places.barn.shared", "SHARED_CODE", "MAP_PLACE_AMBIGUOUS", f"{PLADS}.places.barn.shared"),
        (f"{PLADS}.places.kode.shared", "NICE_TO_HAVE", "MAP_FIELD_INVALID", f"{PLADS}.places.kode.shared"),
        (f"{PLADS}.places.version.excluded", "NEEDED", "MAP_FIELD_INVALID", f"{PLADS}.places.version.excluded"),
        (f"{PLADS}.places.log.reason", None, "MAP_FIELD_MISSING", f"{PLADS}.places.log.reason"),
        (f"{PLADS}.places.note.tenant_path", ["alene"], "MAP_FIELD_INVALID", f"{PLADS}.places.note.tenant_path"),
        (f"{PLADS}.kind", "regneark", "MAP_FIELD_INVALID", f"{PLADS}.kind"),
        (f"{PLADS}.kind", None, "MAP_FIELD_MISSING", f"{PLADS}.kind"),
        (f"{PLADS}.deletion", "3", "MAP_FIELD_INVALID", f"{PLADS}.deletion"),
        (f"{PLADS}.connection.host", None, "MAP_FIELD_MISSING", f"{PLADS}.connection.host"),
        (f"{PLADS}.credentials.verify", None, "MAP_CREDENTIAL_MISSING", f"{PLADS}.credentials.verify"),
        (f"{PLADS}.credentials.verify.user", "d", "MAP_CREDENTIAL_SHARED", f"{PLADS}.credentials.verify"),
        (f"{PLADS}.credentials.delete", {"user": "d"}, "MAP_SECRET_MISSING", f"{PLADS}.credentials.delete"),
        (f"{PLADS}.credentials.ejer", {"user": "d"}, "MAP_FIELD_INVALID", f"{PLADS}.credentials.ejer"),
        ("version", 2, "MAP_FIELD_INVALID", "version"),
        ("systems", {}, "MAP_FIELD_INVALID", "systems"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_field_and_remedy(path: str, value: Any, code: str, field: str) -> None:
    content = body()
    change(path, value)(content)
    with pytest.raises(Rejected) as caught:
        parse(content)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.remedy and caught.value.da and "systems.yaml" in caught.value.message


@pytest.mark.parametrize(
    "raw", [b"", b"[1, 2]", b"systems: {a: 1, a: 2}", b"\xff\xfe", b"a: [", b"!!python/object:os.system x"]
)
def test_what_is_no_map_is_refused(raw: bytes) -> None:
    with pytest.raises(Rejected, match=r"MAP_"):
        system_map.parse(raw, "systems.yaml", Path("."))


@pytest.mark.parametrize(
    "reason",
    [
        "OPTION(S1-8.3)",
        f"INSTRUCTION({'a' * 64})",
        "LAW(BKG-128,2031-12-31)",
        "CONTINUING_AGREEMENT",
        "NOT_IN_REHEARSAL",
    ],
)
def test_every_reason_of_the_closed_list_is_taken(reason: str) -> None:
    content = body()
    change(f"{PLADS}.places.version.excluded", reason)(content)
    assert parse(content).system("plads").rules["version"].excluded == reason


def test_a_live_system_that_is_as_mapped_passes_and_the_marker_needs_no_line() -> None:
    check_live(parse(body()).system("plads"), LIVE | {"ophor_rehearsal_copy": ("id",)})


@pytest.mark.parametrize(
    ("live", "code", "field"),
    [
        (LIVE | {"ny": ()}, "PLACE_NOT_MAPPED", "places.ny"),
        ({name: LIVE[name] for name in LIVE if name != "kode"}, "MAP_UNKNOWN_PLACE", "places.kode"),
        (LIVE | {"barn": ("barn_id",)}, "MAP_UNKNOWN_COLUMN", "places.barn.tenant_key"),
        (LIVE | {"note": ("andet",)}, "MAP_UNKNOWN_COLUMN", "places.note.tenant_path"),
    ],
)
def test_a_difference_to_the_live_system_is_named(live: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_live(parse(body()).system("plads"), live)
    assert (caught.value.code, caught.value.field) == (code, f"{PLADS}.{field}")


@pytest.mark.parametrize("tenant", ["", ".", "..", "a/b", "a\\b", "a\x00"])
def test_a_tenant_that_is_no_folder_name_is_refused_for_files(tenant: str) -> None:
    content = body()
    content["systems"]["plads"] |= {"kind": "files", "connection": {"folder": "arkiv"}, "places": {"bilag": {}}}
    with pytest.raises(Rejected, match="TENANT_INVALID"):
        parse(content).system("plads").tenant_value(tenant, "11111111")


def test_a_registered_map_is_found_by_its_digest_and_only_with_its_own_bytes(tmp_path: Path) -> None:
    home, maps = tmp_path / "hjem", tmp_path / "maps"
    home.mkdir(), maps.mkdir()
    (home / "systems.yaml").write_text(yaml.safe_dump(body()))
    registered = system_map.register(home / "systems.yaml", maps)
    assert system_map.register(home / "systems.yaml", maps).digest == registered.digest
    found = system_map.load_registered(maps, registered.digest)
    assert found.system("plads").backups == str(home / "backups")
    (maps / f"{registered.digest}.yaml").write_text(yaml.safe_dump(body()) + "\n# ændret\n")
    with pytest.raises(Rejected, match="MAP_DIGEST_DIFFERS"):
        system_map.load_registered(maps, registered.digest)
    with pytest.raises(Rejected, match="MAP_UNREADABLE"):
        system_map.load_registered(maps, "0" * 64)


def test_secrets_come_from_the_file_or_the_environment_that_the_map_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "d").write_text("hemmelig\n")
    monkeypatch.setenv("OPHOR_TEST_SECRET", "også")
    system = parse(body(), tmp_path).system("plads")
    assert system.secret("delete") == ("d", "hemmelig")
    assert system.secret("verify") == ("v", "også")
    monkeypatch.delenv("OPHOR_TEST_SECRET")
    with pytest.raises(Rejected) as caught:
        system.secret("verify")
    assert (caught.value.code, caught.value.field) == (
        "MAP_SECRET_MISSING", f"{PLADS}.credentials.verify.password_env",
    )  # fmt: skip
    with pytest.raises(Rejected, match="MAP_CREDENTIAL_MISSING"):
        system.secret("access")
