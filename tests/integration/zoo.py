"""The schema zoo: small awkward schemas for every SQL engine, what a map says of them, and what must come of each.

Tenant 101 leaves, 102 stays. Every cell states its outcome: GONE (nothing of 101 left, everything of 102 and of nobody
as before, seen by a second connection), OUTSIDE (the accounting differs from the plan, nothing kept), KEPT (fewer rows
went than were named, nothing kept), IMPOSSIBLE (the engine cannot have such a schema), or the code of the refusal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

GONE, OUTSIDE, KEPT, IMPOSSIBLE = "GONE", "OUTSIDE", "KEPT", "IMPOSSIBLE"
ENGINES = ("postgresql", "mariadb", "sqlite")
KEY: dict[str, Any] = {"tenant_key": "lejer"}


@dataclass(frozen=True)
class Animal:
    """A schema: statements for all engines (`~` quotes a name) or for one; its places; what comes of it on each.

    `left`: how many rows must be there afterwards, counted without any map.
    """

    places: dict[str, dict[str, Any]]
    outcome: tuple[str, str, str]
    statements: tuple[str, ...]
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def made_for(self, engine: str) -> Iterator[str]:
        """Give the statements for an engine."""
        quote = "`" if engine == "mariadb" else '"'
        yield from (statement.replace("~", quote) for statement in (*self.statements, *self.only.get(engine, ())))


def chains(table: str, columns: str, *rows: str) -> tuple[str, ...]:
    """Make a table and its rows."""
    return f"CREATE TABLE {table} ({columns})", *(f"INSERT INTO {table} VALUES ({row})" for row in rows)


RING = (
    "CREATE TABLE a (id INT PRIMARY KEY, lejer INT, b INT NOT NULL)",
    "CREATE TABLE b (id INT PRIMARY KEY, lejer INT, a INT NOT NULL, FOREIGN KEY (a) REFERENCES a (id))",
)
RING_IN_FILE = (
    "PRAGMA foreign_keys = OFF",
    "CREATE TABLE a (id INTEGER PRIMARY KEY, lejer INT, b INT NOT NULL REFERENCES b (id))",
    "CREATE TABLE b (id INTEGER PRIMARY KEY, lejer INT, a INT NOT NULL REFERENCES a (id))",
    "INSERT INTO a VALUES (1, 101, 1), (2, 101, 2), (3, 102, 3)",
    "INSERT INTO b VALUES (1, 101, 2), (2, 101, 1), (3, 102, 3)",
)
CHILD = "id INT PRIMARY KEY, lejer INT, p INT, FOREIGN KEY (p) REFERENCES p (id)"
PARENTS = chains("p", "id INT PRIMARY KEY, lejer INT", "1, 101", "2, 101", "3, 102")
FIRE = "AFTER DELETE ON p FOR EACH ROW"

ZOO: dict[str, Animal] = {
    "a ring of two with a nullable reference": Animal(
        {"a": KEY, "b": KEY}, (GONE, GONE, GONE),
        (
            "CREATE TABLE a (id INT PRIMARY KEY, lejer INT, b INT)",
            "CREATE TABLE b (id INT PRIMARY KEY, lejer INT, a INT NOT NULL, FOREIGN KEY (a) REFERENCES a (id))",
            "INSERT INTO a VALUES (1, 101, NULL), (2, 101, NULL), (3, 102, NULL)",
            "INSERT INTO b VALUES (1, 101, 2), (2, 101, 1), (3, 102, 3)",
        ),
        {
            "postgresql": ("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id)", "UPDATE a SET b = id"),
            "mariadb": ("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id)", "UPDATE a SET b = id"),
        },
    ),
    "a ring of two that nothing may leave": Animal(
        {"a": KEY, "b": KEY}, ("CYCLE_NOT_BREAKABLE", "CYCLE_NOT_BREAKABLE", GONE), (),
        {
            "postgresql": (*RING, "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id)"),
            "mariadb": (*RING, "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id)"),
            "sqlite": RING_IN_FILE,
        },
    ),
    "a deferrable ring of three": Animal(
        {"a": KEY, "b": KEY, "c": KEY}, (GONE, "CYCLE_NOT_BREAKABLE", GONE),
        (),
        {
            "postgresql": (
                "CREATE TABLE a (id int PRIMARY KEY, lejer int, b int NOT NULL)",
                "CREATE TABLE c (id int PRIMARY KEY, lejer int, a int NOT NULL REFERENCES a (id))",
                "CREATE TABLE b (id int PRIMARY KEY, lejer int, c int NOT NULL REFERENCES c (id))",
                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id) DEFERRABLE",
                "BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO a VALUES (1, 101, 1), (2, 101, 2), (3, 102, 3);"
                "INSERT INTO c VALUES (1, 101, 2), (2, 101, 1), (3, 102, 3);"
                "INSERT INTO b VALUES (1, 101, 1), (2, 101, 2), (3, 102, 3); COMMIT",
            ),
            "mariadb": (
                *RING,
                "CREATE TABLE c (id INT PRIMARY KEY, lejer INT, b INT NOT NULL, FOREIGN KEY (b) REFERENCES b (id))",
                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (id)",
            ),
            "sqlite": (
                "PRAGMA foreign_keys = OFF",
                "CREATE TABLE a (id INTEGER PRIMARY KEY, lejer INT, b INT NOT NULL REFERENCES b (id))",
                "CREATE TABLE b (id INTEGER PRIMARY KEY, lejer INT, c INT NOT NULL REFERENCES c (id))",
                "CREATE TABLE c (id INTEGER PRIMARY KEY, lejer INT, a INT NOT NULL REFERENCES a (id))",
                "INSERT INTO a VALUES (1, 101, 1), (2, 101, 2), (3, 102, 3)",
                "INSERT INTO b VALUES (1, 101, 2), (2, 101, 1), (3, 102, 3)",
                "INSERT INTO c VALUES (1, 101, 1), (2, 101, 2), (3, 102, 3)",
            ),
        },
    ),
    "a self-reference that may be NULL": Animal(
        {"p": KEY}, (GONE, GONE, GONE),
        chains("p", "id INT PRIMARY KEY, lejer INT, op INT, FOREIGN KEY (op) REFERENCES p (id)",
               "1, 101, 1", "2, 101, 1", "3, 101, 2", "4, 101, 3", "5, 102, 5", "6, 102, 5"),
    ),
    "a self-reference that may not be NULL, with a root that refers to itself": Animal(
        {"p": KEY}, (GONE, "CYCLE_NOT_BREAKABLE", GONE),
        chains("p", "id INT PRIMARY KEY, lejer INT, op INT NOT NULL, FOREIGN KEY (op) REFERENCES p (id)",
               "1, 101, 1", "2, 101, 1", "3, 101, 2", "4, 101, 3", "5, 102, 5"),
    ),
    "composite keys, and a path over one": Animal(
        {"p": KEY, "c": {"tenant_path": ["nr", "lejer"]}}, (GONE, GONE, GONE),
        (
            *chains("p", "aar INT, nr VARCHAR(9), lejer INT, PRIMARY KEY (aar, nr)",
                    "2024, 'x,1', 101", "2024, 'x''2', 101", "2025, 'x,1', 102"),
            *chains("c", "id INT, del INT, aar INT NOT NULL, nr VARCHAR(9) NOT NULL, PRIMARY KEY (id, del),"
                    " FOREIGN KEY (aar, nr) REFERENCES p (aar, nr)",
                    "1, 1, 2024, 'x,1'", "1, 2, 2024, 'x,1'", "2, 1, 2024, 'x''2'", "3, 1, 2025, 'x,1'"),
        ),
    ),
    "names that differ in case only": Animal(
        {"Ting": KEY, "ting": {"tenant_key": "Lejer"}}, (GONE, GONE, IMPOSSIBLE),
        (
            *chains("~Ting~", "id INT PRIMARY KEY, lejer INT", "1, 101", "2, 102"),
            *chains("~ting~", "~Id~ INT PRIMARY KEY, ~Lejer~ INT", "1, 101", "2, 101", "3, 102"),
        ),
    ),
    "reserved words, blanks, quotes, colons, percents and Danish letters as names": Animal(
        {"order": {"tenant_key": "select"}, "år: %s, (1)": {"tenant_key": "læ;jer"}}, (GONE, GONE, GONE),
        (
            *chains("~order~", "~group~ INT PRIMARY KEY, ~select~ INT", "1, 101", "2, 102"),
            *chains("~år: %s, (1)~", "~k:1, (x)~ VARCHAR(20) PRIMARY KEY, ~læ;jer~ VARCHAR(9)",
                    "'a:b', '101'", "'c', '102'"),
        ),
    ),
    "a tenant key that the engine computes": Animal(
        {"p": KEY}, (GONE, GONE, GONE),
        (
            "CREATE TABLE p (id INT PRIMARY KEY, kode INT, lejer INT GENERATED ALWAYS AS (kode / 10) STORED)",
            "INSERT INTO p (id, kode) VALUES (1, 1010), (2, 1010), (3, 1020)",
        ),
    ),
    "partitions": Animal(
        {"p": KEY}, (GONE, GONE, IMPOSSIBLE), (),
        {
            "postgresql": (
                "CREATE TABLE p (id int, lejer int, PRIMARY KEY (id, lejer)) PARTITION BY LIST (lejer)",
                "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (101)", "CREATE TABLE p2 PARTITION OF p DEFAULT",
                "INSERT INTO p VALUES (1, 101), (2, 101), (3, 101), (4, 102)",
            ),
            "mariadb": (
                "CREATE TABLE p (id INT, lejer INT, PRIMARY KEY (id, lejer)) PARTITION BY LIST (lejer)"
                " (PARTITION p1 VALUES IN (101), PARTITION p2 VALUES IN (102))",
                "INSERT INTO p VALUES (1, 101), (2, 101), (3, 101), (4, 102)",
            ),
            "sqlite": ("CREATE TABLE p (id INT, lejer INT) PARTITION BY LIST (lejer)",),
        },
    ),
    "a view, which is no place": Animal(
        {"p": KEY}, (GONE, GONE, GONE), (*PARENTS, "CREATE VIEW v AS SELECT id, lejer FROM p"),
    ),
    "a trigger that writes elsewhere": Animal(
        {"p": KEY, "spor": {"excluded": "NOT_CUSTOMER_DATA"}}, (OUTSIDE, OUTSIDE, OUTSIDE),
        (*PARENTS, "CREATE TABLE spor (id INT)"),
        {
            "postgresql": (
                "CREATE FUNCTION spor() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS"
                " 'BEGIN INSERT INTO public.spor VALUES (OLD.id); RETURN OLD; END'",
                f"CREATE TRIGGER t {FIRE} EXECUTE FUNCTION spor()",
            ),
            "mariadb": (f"CREATE TRIGGER t {FIRE} INSERT INTO spor VALUES (OLD.id)",),
            "sqlite": (f"CREATE TRIGGER t {FIRE} BEGIN INSERT INTO spor VALUES (OLD.id); END",),
        },
    ),
    "a trigger that puts the row back": Animal(
        {"p": KEY}, (OUTSIDE, "TARGET_ERROR", OUTSIDE), PARENTS,
        {
            "postgresql": (
                "CREATE FUNCTION igen() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS"
                " 'BEGIN INSERT INTO public.p VALUES (OLD.id, OLD.lejer); RETURN OLD; END'",
                f"CREATE TRIGGER t {FIRE} EXECUTE FUNCTION igen()",
            ),
            "mariadb": (f"CREATE TRIGGER t {FIRE} INSERT INTO p VALUES (OLD.id, OLD.lejer)",),
            "sqlite": (f"CREATE TRIGGER t {FIRE} BEGIN INSERT INTO p VALUES (OLD.id, OLD.lejer); END",),
        },
    ),
    "a trigger that swallows the delete": Animal(
        {"p": KEY}, (KEPT, "TARGET_ERROR", KEPT), PARENTS,
        {
            "postgresql": (
                "CREATE FUNCTION nej() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                "CREATE TRIGGER t BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION nej()",
            ),
            "mariadb": ("CREATE TRIGGER t BEFORE DELETE ON p FOR EACH ROW SIGNAL SQLSTATE '45000'",),
            "sqlite": ("CREATE TRIGGER t BEFORE DELETE ON p BEGIN SELECT RAISE(IGNORE); END",),
        },
    ),
    "a trigger that writes where nothing can be taken back": Animal(
        {"p": KEY, "spor": {"excluded": "NOT_CUSTOMER_DATA"}}, (IMPOSSIBLE, OUTSIDE, IMPOSSIBLE),
        (*PARENTS, "CREATE TABLE spor (id INT) ENGINE = Aria"),
        {"mariadb": (f"CREATE TRIGGER t {FIRE} INSERT INTO spor VALUES (OLD.id)",)},
    ),
    "a table without any key": Animal(
        {"p": KEY}, (GONE, "ROW_KEY_MISSING", GONE),
        chains("p", "lejer INT, t VARCHAR(9)", "101, 'x'", "101, 'x'", "102, 'x'"),
    ),
    "a table with a unique key only": Animal(
        {"p": KEY}, (GONE, GONE, GONE),
        chains("p", "nr VARCHAR(9) NOT NULL UNIQUE, lejer INT", "'Å', 101", "'b', 101", "'c', 102"),
    ),
    "rows whose tenant is NULL": Animal(
        {"p": KEY}, ("ROWS_WITHOUT_TENANT",) * 3, (*PARENTS, "INSERT INTO p VALUES (4, NULL)"),
    ),
    "rows whose tenant is NULL, and the map says what they are": Animal(
        {"p": KEY | {"without_tenant": "NOT_CUSTOMER_DATA"}}, (GONE, GONE, GONE),
        (*PARENTS, "INSERT INTO p VALUES (4, NULL)"),
    ),
    "a path that breaks off": Animal(
        {"p": KEY, "c": {"tenant_path": ["p", "lejer"]}}, ("ROWS_WITHOUT_TENANT",) * 3,
        (*PARENTS, *chains("c", CHILD, "1, 0, 1", "2, 0, NULL")),
    ),
    "rows that were only marked as deleted": Animal(
        {"p": KEY}, (GONE, GONE, GONE),
        chains("p", "id INT PRIMARY KEY, lejer INT, slettet INT", "1, 101, 0", "2, 101, 1", "3, 102, 1"),
    ),
    "a shared look-up table": Animal(
        {"p": {"shared": "SHARED_CODE"}, "c": KEY}, (GONE, GONE, GONE),
        (
            *chains("p", "id INT PRIMARY KEY, navn VARCHAR(9)", "1, 'A'", "2, 'B'"),
            *chains("c", CHILD, "1, 101, 1", "2, 102, 1"),
        ),
    ),
    "a cascade into a neighbour": Animal(
        {"p": KEY, "c": KEY}, (OUTSIDE, OUTSIDE, OUTSIDE),
        (*PARENTS, *chains("c", f"{CHILD} ON DELETE CASCADE", "1, 102, 1")),
    ),
    "a neighbour's reference that the engine sets NULL": Animal(
        {"p": KEY, "c": KEY}, (OUTSIDE, OUTSIDE, OUTSIDE),
        (*PARENTS, *chains("c", f"{CHILD} ON DELETE SET NULL", "1, 102, 1")),
    ),
    "a cascade to the tenant's own rows, which go first": Animal(
        {"p": KEY, "c": KEY}, (GONE, GONE, GONE),
        (*PARENTS, *chains("c", f"{CHILD} ON DELETE CASCADE", "1, 101, 1", "2, 102, 3")),
    ),
    "a neighbour's reference that holds the row": Animal(
        {"p": KEY, "c": KEY}, ("ROW_STILL_REFERENCED",) * 3, (*PARENTS, *chains("c", CHILD, "1, 102, 1")),
    ),
    "a tenant key with a blank after it": Animal(
        {"p": KEY}, (GONE, "TENANT_AMBIGUOUS", GONE),
        chains("p", "id INT PRIMARY KEY, lejer VARCHAR(9)", "1, '101'", "2, '101 '", "3, '102'"),
    ),
    "a tenant key of another type in every table": Animal(
        {"p": KEY, "c": KEY, "d": KEY}, (GONE, GONE, GONE),
        (
            *chains("p", "id INT PRIMARY KEY, lejer BIGINT", "1, 101", "2, 102"),
            *chains("c", "id INT PRIMARY KEY, lejer VARCHAR(9)", "1, '101'", "2, '102'"),
            *chains("d", "id INT PRIMARY KEY, lejer DECIMAL(9, 0)", "1, 101", "2, 102"),
        ),
    ),
    "no references at all": Animal(
        {"p": KEY, "c": KEY}, (GONE, GONE, GONE),
        (*PARENTS, *chains("c", "id INT PRIMARY KEY, lejer INT", "1, 101", "2, 102")),
    ),
    "a storage engine without transactions": Animal(
        {"p": KEY}, (IMPOSSIBLE, "NOT_TRANSACTIONAL", IMPOSSIBLE),
        ("CREATE TABLE p (id INT PRIMARY KEY, lejer INT) ENGINE = MyISAM",),
    ),
    "a table that keeps what is deleted": Animal(
        {"p": KEY}, (IMPOSSIBLE, "HISTORY_KEPT", IMPOSSIBLE),
        ("CREATE TABLE p (id INT PRIMARY KEY, lejer INT) WITH SYSTEM VERSIONING",),
    ),
    "a virtual table": Animal(
        {"p": KEY}, (IMPOSSIBLE, IMPOSSIBLE, "PLACE_NOT_DELETABLE"),
        ("CREATE VIRTUAL TABLE p USING fts5 (lejer, tekst)",),
    ),
    "a table without row numbers, keyed by bytes": Animal(
        {"p": KEY}, (IMPOSSIBLE, IMPOSSIBLE, GONE),
        (
            "CREATE TABLE p (id BLOB PRIMARY KEY, lejer TEXT) WITHOUT ROWID",
            "INSERT INTO p VALUES (x'00ff', 101), (x'01', 101), ('x', 101), (x'02', 102)",
        ),
    ),
    "a table that inherits": Animal(
        {"p": KEY}, (GONE, IMPOSSIBLE, IMPOSSIBLE),
        (*PARENTS, "CREATE TABLE q (mere int) INHERITS (p)", "INSERT INTO q VALUES (7, 101, 1), (8, 102, 1)"),
    ),
}  # fmt: skip
