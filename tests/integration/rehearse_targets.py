"""Targets that a user could have, described only from docs/system-map.md: awkward names, keys and cycles on purpose.

Tenant 7 leaves, tenant 8 stays. `write_map` writes a map of the given systems with its secrets beside it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import yaml
from psycopg import conninfo, sql

LEAVING, STAYING, EMPTY = "7", "8", "9"
PURPOSES = ("extract", "delete", "verify", "access", "prepare")
ROWS = {
    "kunde": 1, "Børn & Forældre": 40, "hold": 3, "medarbejder": 6, "ordre": 20, "ordrelinje": 60, "hændelse": 30,
    "måling": 24, "hemmelig_cache": 5,
}  # fmt: skip

SCHEMA = """
CREATE TABLE landekode (kode text PRIMARY KEY, navn text NOT NULL);
CREATE TABLE skema_version (version int PRIMARY KEY);
CREATE TABLE kunde (kunde_nr int PRIMARY KEY, navn text NOT NULL, land text REFERENCES landekode);
CREATE TABLE "Børn & Forældre" (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), kunde_nr int NOT NULL REFERENCES kunde, nr int NOT NULL,
    "navn:fuldt" text, forælder uuid REFERENCES "Børn & Forældre", foto bytea, data jsonb, mærker text[],
    oprettet timestamptz NOT NULL DEFAULT '2026-01-02 03:04:05+00', pris numeric(12, 2), UNIQUE (kunde_nr, nr));
CREATE TABLE hold (id bigint PRIMARY KEY, kunde_nr int NOT NULL REFERENCES kunde, leder bigint);
CREATE TABLE medarbejder (id bigint PRIMARY KEY, kunde_nr int NOT NULL REFERENCES kunde,
    hold bigint NOT NULL REFERENCES hold);
ALTER TABLE hold ADD FOREIGN KEY (leder) REFERENCES medarbejder;
CREATE TABLE ordre (ordre_nr bigint PRIMARY KEY, kunde_nr int NOT NULL REFERENCES kunde, hovedlinje int NOT NULL);
CREATE TABLE ordrelinje (ordre_nr bigint REFERENCES ordre DEFERRABLE, linje_nr int, tekst text,
    PRIMARY KEY (ordre_nr, linje_nr));
ALTER TABLE ordre ADD FOREIGN KEY (ordre_nr, hovedlinje) REFERENCES ordrelinje DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE hændelse (kunde_nr int NOT NULL, tekst text, tid timestamp);
CREATE TABLE måling (kunde_nr int NOT NULL REFERENCES kunde, dag date NOT NULL, nr int, "værdi %" double precision,
    PRIMARY KEY (kunde_nr, dag, nr)) PARTITION BY RANGE (dag);
CREATE TABLE måling_2025 PARTITION OF måling FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE måling_2026 PARTITION OF måling FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE hemmelig_cache (kunde_nr int NOT NULL, nøgle uuid DEFAULT gen_random_uuid(),
    PRIMARY KEY (kunde_nr, nøgle));
CREATE VIEW aktive_børn AS SELECT * FROM "Børn & Forældre" WHERE data IS NOT NULL;
INSERT INTO landekode VALUES ('DK', 'Danmark'), ('SE', 'Sverige');
INSERT INTO skema_version VALUES (42);
INSERT INTO kunde VALUES (7, 'Forladerne "A/S"', 'DK'), (8, 'Bliverne', 'SE');
"""
TENANT = """
INSERT INTO "Børn & Forældre" (kunde_nr, nr, "navn:fuldt", foto, data, mærker, pris)
  SELECT {t}, n, E'Ærø, "Ømhed"\\nlinje ' || n, decode(lpad(to_hex(n), 4, '0'), 'hex'), '{{"ø": [1, null]}}',
         ARRAY['a,b', NULL, 'c"d'], n * 1.10 FROM generate_series(1, 40) n;
UPDATE "Børn & Forældre" b SET forælder = (SELECT f.id FROM "Børn & Forældre" f WHERE f.kunde_nr = {t} AND f.nr = 1)
  WHERE kunde_nr = {t} AND nr > 1;
INSERT INTO hold SELECT {t} * 1000 + n, {t} FROM generate_series(1, 3) n;
INSERT INTO medarbejder SELECT {t} * 1000 + n, {t}, {t} * 1000 + 1 + n % 3 FROM generate_series(1, 6) n;
UPDATE hold SET leder = id WHERE kunde_nr = {t};
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO ordre SELECT {t} * 1000 + n, {t}, 2 FROM generate_series(1, 20) n;
INSERT INTO ordrelinje SELECT {t} * 1000 + n, l, 'linje' FROM generate_series(1, 20) n, generate_series(1, 3) l;
COMMIT;
INSERT INTO hændelse SELECT {t}, 'det samme', '2026-03-01 12:00' FROM generate_series(1, 30) n;
INSERT INTO måling SELECT {t}, '2025-12-20'::date + n, n, 'NaN' FROM generate_series(1, 24) n;
INSERT INTO hemmelig_cache (kunde_nr) SELECT {t} FROM generate_series(1, 5) n;
"""
PLACES: dict[str, dict[str, Any]] = {
    "kunde": {"tenant_key": "kunde_nr"},
    "Børn & Forældre": {"tenant_key": "kunde_nr"},
    "hold": {"tenant_key": "kunde_nr"},
    "medarbejder": {"tenant_key": "kunde_nr"},
    "ordre": {"tenant_key": "kunde_nr"},
    "ordrelinje": {"tenant_path": ["ordre_nr", "kunde_nr"]},
    "hændelse": {"tenant_key": "kunde_nr"},
    "måling": {"tenant_key": "kunde_nr"},
    "hemmelig_cache": {"tenant_key": "kunde_nr", "deliver": False, "reason": "cache"},
    "landekode": {"shared": "SHARED_CODE"},
    "skema_version": {"excluded": "NOT_CUSTOMER_DATA"},
}
RIGHTS = """
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO {extract}, {delete}, {verify}, {access}, {prepare};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {extract}, {delete}, {verify};
GRANT DELETE ON kunde, "Børn & Forældre", hold, medarbejder, ordre, ordrelinje, hændelse, måling, hemmelig_cache
    TO {delete};
GRANT UPDATE (forælder) ON "Børn & Forældre" TO {delete};
GRANT UPDATE (leder) ON hold TO {delete};
GRANT CREATE ON SCHEMA public TO {prepare};
"""
Content = dict[str, Any]


@contextmanager
def shop(admin: str, folder: Path, *, access: bool = False) -> Iterator[tuple[str, Content]]:
    """Make the PostgreSQL target with its users; give the administrator's address of it and its part of a map."""
    name = f"øvelse_{secrets.token_hex(4)}"
    users = {purpose: f"{name}_{purpose}" for purpose in PURPOSES}
    uri = conninfo.make_conninfo(admin, dbname=name)
    with psycopg.connect(admin, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        for user in users.values():
            server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'hemme:lig@'").format(sql.Identifier(user)))
    try:
        with psycopg.connect(uri, autocommit=True) as owner:
            for text in (SCHEMA, TENANT.format(t=LEAVING), TENANT.format(t=STAYING)):
                owner.execute(text.encode())
            names = {key: sql.Identifier(value) for key, value in ({"database": name} | users).items()}
            owner.execute(sql.SQL(RIGHTS).format(**names))
        yield uri, _content(folder, admin, name, users, access)
    finally:
        with psycopg.connect(admin, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            for user in users.values():
                server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))


def _content(folder: Path, admin: str, name: str, users: dict[str, str], access: bool) -> Content:
    where = conninfo.conninfo_to_dict(admin)
    kept = [purpose for purpose in PURPOSES if access or purpose != "access"]
    return {
        "title": "Butikken", "kind": "postgresql", "deletion": 2, "tenant": "{tenant}",
        "connection": {"host": str(where["host"]), "port": int(str(where["port"])), "database": name},
        "credentials": {purpose: secret(folder, users[purpose], "hemme:lig@") for purpose in kept},
        "places": {place: dict(rule) for place, rule in PLACES.items()},
    }  # fmt: skip


def secret(folder: Path, user: str, password: str) -> dict[str, str]:
    """Write a user's password beside the map; give the map's reference to it."""
    (folder / "secrets").mkdir(parents=True, exist_ok=True)
    path = folder / "secrets" / user
    path.write_text(password + "\n", encoding="utf-8")
    path.chmod(0o600)
    return {"user": user, "password_file": f"secrets/{user}"}


def archive(folder: Path) -> Content:
    """Make the folder target: three files of the leaving tenant, two of the other, and shared templates."""
    for place, tenant, number in (("aftaler", LEAVING, 3), ("aftaler", STAYING, 2), ("skabeloner", "", 1)):
        home = folder / "arkiv" / place / tenant
        home.mkdir(parents=True)
        for n in range(number):
            (home / f"blåbærgrød {n}.txt").write_text(f"{place} {tenant} {n}")
    return {
        "title": "Arkivet", "kind": "files", "deletion": 1, "tenant": "{tenant}", "connection": {"folder": "arkiv"},
        "places": {"aftaler": {"tenant_key": "folder"}, "skabeloner": {"shared": "SHARED_CODE"}},
    }  # fmt: skip


def machines(folder: Path) -> Content:
    """Make the manual target: the customer's machine, the supplier's, and two sub-processors in a chain."""
    for place in ("skole-pc", "server"):
        (folder / "maskiner" / place).mkdir(parents=True)
    return {
        "title": "Extens (øvelse)", "kind": "manual", "deletion": 1, "tenant": "{tenant}",
        "connection": {"folder": "maskiner"}, "subprocessors": {"drift": {}, "hotel": {"through": "drift"}},
        "places": {
            "skole-pc": {"attested": "customer", "owner": "customer"}, "server": {"attested": "supplier"},
        },
    }  # fmt: skip


def write_map(folder: Path, **systems: Content) -> Path:
    """Write a map of these systems."""
    path = folder / "kort.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "systems": systems}, allow_unicode=True, sort_keys=False), "utf-8")
    return path


def address(uri: str, database: str) -> str:
    """Give the address of another database of the same server."""
    return uri.rpartition("/")[0] + "/" + quote(database)
