"""The zoo's second house: tenants inside JSON, references by type and id, and places that are filled from others."""

from __future__ import annotations

from typing import Any

from tests.integration.zoo import FIRE, GONE, IMPOSSIBLE, KEY, OUTSIDE, PARENTS, Animal, chains

INSIDE: dict[str, Any] = {"tenant_key": {"column": "data", "json": "$.kunde.id"}}
BY_TYPE: dict[str, Any] = {"tenant_path": {"type": "slags", "id": "nr", "to": {"Sag": "a", "App\\Dok": "b"}}}
NO_TENANT = ("ROWS_WITHOUT_TENANT",) * 3
SAYS_SO = {"without_tenant": "NOT_CUSTOMER_DATA"}


def documents(*bodies: str) -> tuple[str, ...]:
    """Make a table of JSON documents, in a type of each engine that holds such."""
    rows = [f"{number}, '{body}'" for number, body in enumerate(bodies)]
    return chains("p", "id INT PRIMARY KEY, data JSON", *rows)


NOTES = (
    *chains("a", "id INT PRIMARY KEY, lejer INT", "1, 101", "2, 102"),
    *chains("b", "id VARCHAR(9) PRIMARY KEY, lejer INT", "'1', 102", "'x', 101"),
)
NOTE = "id INT PRIMARY KEY, slags VARCHAR(20), nr VARCHAR(20)"
DOK = "'App\\Dok'"
DOK_IN_MARIA = "'App\\\\Dok'"


def notes(*rows: str) -> dict[str, tuple[str, ...]]:
    """Make the table that refers by type and id; MariaDB wants its backslashes twice."""
    return {
        engine: tuple(statement.replace("DOK", DOK_IN_MARIA if engine == "mariadb" else DOK)
                      for statement in chains("note", NOTE, *rows))
        for engine in ("postgresql", "mariadb", "sqlite")
    }  # fmt: skip


VIEW = "CREATE MATERIALIZED VIEW"
DERIVED = KEY | {"deliver": False, "reason": "derived"}
SUMS = chains("b_sum", "id INT PRIMARY KEY, lejer INT")

FORMS: dict[str, Animal] = {
    "a tenant inside JSON, as a number and as a text": Animal(
        {"p": INSIDE}, (GONE, GONE, GONE),
        documents('{"kunde": {"id": 101}}', '{"kunde": {"id": "101"}, "x": [102]}', '{"kunde": {"id": 102}, "x": 101}',
                  '{"kunde": {"id": 1010}}', '{"kunde": {"id": "0101"}}'),
        left={"p": 3},
    ),
    "a tenant inside JSON with a blank after it": Animal(
        {"p": INSIDE}, (GONE, "TENANT_AMBIGUOUS", GONE),
        documents('{"kunde": {"id": "101"}}', '{"kunde": {"id": "101 "}}'), left={"p": 1},
    ),
    "a tenant inside JSON under awkward names": Animal(
        {"p": {"tenant_key": {"column": "data", "json": '$.år."cvr nr: %s"'}}}, (GONE, GONE, GONE),
        documents('{"år": {"cvr nr: %s": 101}}', '{"år": {"cvr nr: %s": 102}}'), left={"p": 1},
    ),
    "JSON without the path": Animal({"p": INSIDE}, NO_TENANT, documents('{"kunde": {"id": 101}}', '{"kunde": 101}')),
    "JSON that is NULL": Animal(
        {"p": INSIDE}, NO_TENANT, (*documents('{"kunde": {"id": 101}}'), "INSERT INTO p VALUES (9, NULL)"),
    ),
    "JSON with null for a tenant": Animal({"p": INSIDE}, NO_TENANT, documents('{"kunde": {"id": null}}')),
    "JSON with true for a tenant": Animal({"p": INSIDE}, NO_TENANT, documents('{"kunde": {"id": true}}')),
    "JSON with a fraction for a tenant": Animal({"p": INSIDE}, NO_TENANT, documents('{"kunde": {"id": 101.0}}')),
    "JSON with an object for a tenant": Animal({"p": INSIDE}, NO_TENANT, documents('{"kunde": {"id": {"nr": 101}}}')),
    "JSON with several tenants": Animal({"p": INSIDE}, NO_TENANT, documents('{"kunde": {"id": [101, 102]}}')),
    "JSON with a list of tenants": Animal({"p": INSIDE}, NO_TENANT, documents('{"kunde": [{"id": 101}, {"id": 102}]}')),
    "JSON with several tenants, which the map takes for nobody's": Animal(
        {"p": INSIDE | SAYS_SO}, ("TENANT_AMBIGUOUS",) * 3, documents('{"kunde": [{"id": 101}, {"id": 102}]}'),
    ),
    "JSON without a tenant, and the map says what it is": Animal(
        {"p": INSIDE | SAYS_SO}, (GONE, GONE, GONE),
        documents('{"kunde": {"id": 101}}', '{"kunde": {"id": null}}', '{}', '[101]'), left={"p": 3},
    ),
    "a path that ends inside JSON": Animal(
        {"p": INSIDE, "c": {"tenant_path": ["p", {"column": "data", "json": "$.kunde.id"}]}}, (GONE, GONE, GONE),
        (
            *documents('{"kunde": {"id": 101}}', '{"kunde": {"id": "102"}}'),
            *chains("c", "id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id)", "1, 0", "2, 0", "3, 1"),
        ),
        left={"p": 1, "c": 1},
    ),
    "a JSON path into a column of numbers": Animal(
        {"p": INSIDE}, ("TENANT_PATH_BROKEN", "TENANT_PATH_BROKEN", "ROWS_WITHOUT_TENANT"),
        chains("p", "id INT PRIMARY KEY, data INT", "1, 101"),
    ),
    "references by type and id, which no foreign key says": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, (GONE, GONE, GONE), NOTES,
        notes("1, 'Sag', '1'", "2, 'Sag', '2'", "3, DOK, '1'", "4, DOK, 'x'", "5, 'Sag', '1'"),
        left={"a": 1, "b": 1, "note": 2},
    ),
    "a reference by a type that the map does not know": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, NO_TENANT, NOTES, notes("1, 'Sag', '1'", "2, 'Faktura', '1'"),
    ),
    "a reference by a type in other letters": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, NO_TENANT, NOTES, notes("1, 'Sag', '1'", "2, 'sag', '1'"),
    ),
    "a reference by an id that nothing has": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, NO_TENANT, NOTES, notes("1, 'Sag', '77'"),
    ),
    "a reference by an id that is no number, to a number": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, NO_TENANT, NOTES, notes("1, 'Sag', 'x'"),
    ),
    "a reference by an id in other digits": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, NO_TENANT, NOTES, notes("1, 'Sag', '01'"),
    ),
    "rows below references by type and id": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE,
         "svar": {"tenant_path": ["note", {"type": "slags", "id": "nr", "to": {"Sag": "a", "App\\Dok": "b"}}]}},
        (GONE, GONE, GONE), NOTES,
        {
            engine: (*made, *chains("svar", "id INT PRIMARY KEY, note INT, FOREIGN KEY (note) REFERENCES note (id)",
                                    "1, 1", "2, 1", "3, 2"))
            for engine, made in notes("1, 'Sag', '1'", "2, DOK, '1'").items()
        },
        left={"note": 1, "svar": 1},
    ),
    "rows found through a reference of other rows, which have a key of their own": Animal(
        {"a": KEY, "b": KEY, "note": KEY,
         "svar": {"tenant_path": ["note", {"type": "slags", "id": "nr", "to": {"Sag": "a"}}]}},
        (GONE, GONE, GONE),
        (
            *NOTES, *chains("note", f"{NOTE}, lejer INT", "1, 'Sag', '1', 101", "2, 'Sag', '2', 102"),
            *chains("svar", "id INT PRIMARY KEY, note INT, FOREIGN KEY (note) REFERENCES note (id)",
                    "1, 1", "2, 1", "3, 2"),
        ),
        left={"a": 1, "note": 1, "svar": 1},
    ),
    "a reference by type and id to rows that may let go of it": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, (GONE, GONE, GONE), (),
        {
            engine: (*made, *chains("a", "id INT PRIMARY KEY, lejer INT, sidste INT, FOREIGN KEY (sidste)"
                                    " REFERENCES note (id)", "1, 101, 1", "2, 102, 2"), *NOTES[3:])
            for engine, made in notes("1, 'Sag', '1'", "2, 'Sag', '2'", "3, 'Sag', '1'").items()
        },
        left={"a": 1, "note": 1},
    ),
    "a reference by type and id in a ring that holds": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, ("CYCLE_NOT_BREAKABLE",) * 3, (),
        {
            engine: (*made, *chains("a", "id INT PRIMARY KEY, lejer INT, sidste INT NOT NULL, FOREIGN KEY (sidste)"
                                    " REFERENCES note (id)", "1, 101, 1"), *NOTES[3:])
            for engine, made in notes("1, 'Sag', '1'").items()
        },
    ),
    "a reference by type and id to rows with a key of two columns": Animal(
        {"a": KEY, "b": KEY, "note": BY_TYPE}, ("TENANT_PATH_BROKEN",) * 3,
        (*chains("a", "id INT, lejer INT, PRIMARY KEY (id, lejer)", "1, 101"), *NOTES[3:]), notes("1, 'Sag', '1'"),
    ),
    "a materialised view": Animal(
        {"p": KEY, "mv": DERIVED}, (GONE, IMPOSSIBLE, IMPOSSIBLE), (*PARENTS, f"{VIEW} mv AS SELECT id, lejer FROM p"),
        left={"mv": 1},
    ),
    "a materialised view of another one": Animal(
        {"p": KEY, "mv": DERIVED, "alle": DERIVED}, (GONE, IMPOSSIBLE, IMPOSSIBLE),
        (*PARENTS, f"{VIEW} mv AS SELECT id, lejer FROM p", "CREATE VIEW v AS SELECT * FROM mv",
         f"{VIEW} alle AS SELECT lejer, count(*) FROM v GROUP BY 1"),
        left={"mv": 1, "alle": 1},
    ),
    "a materialised view that a function fills, which the map excludes": Animal(
        {"p": KEY, "mv": {"excluded": "NOT_CUSTOMER_DATA"}}, ("VIEW_KEEPS_ROWS", IMPOSSIBLE, IMPOSSIBLE),
        (*PARENTS, "CREATE FUNCTION alle() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.p'",
         f"{VIEW} mv AS SELECT alle()"),
    ),
    "a materialised view of tenants' rows that the map excludes": Animal(
        {"p": KEY, "mv": {"excluded": "NOT_CUSTOMER_DATA"}}, ("VIEW_KEEPS_ROWS", IMPOSSIBLE, IMPOSSIBLE),
        (*PARENTS, f"{VIEW} mv AS SELECT count(*) FROM p"),
    ),
    "a materialised view of codes": Animal(
        {"p": KEY, "k": {"shared": "SHARED_CODE"}, "mv": {"excluded": "NOT_CUSTOMER_DATA"}},
        (GONE, IMPOSSIBLE, IMPOSSIBLE),
        (*PARENTS, *chains("k", "id INT PRIMARY KEY", "1", "2"), f"{VIEW} mv AS SELECT id FROM k"), left={"mv": 2},
    ),
    "a table that a trigger fills": Animal(
        {"p": KEY, "b_sum": DERIVED}, (GONE, GONE, GONE), (),
        {
            "postgresql": (
                *SUMS, PARENTS[0],
                "CREATE FUNCTION fyld() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN INSERT INTO public.b_sum VALUES (NEW.id, NEW.lejer); RETURN NEW; END'",
                "CREATE TRIGGER t AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION fyld()", *PARENTS[1:],
            ),
            "mariadb": (
                *SUMS, PARENTS[0],
                "CREATE TRIGGER t AFTER INSERT ON p FOR EACH ROW INSERT INTO b_sum VALUES (NEW.id, NEW.lejer)",
                *PARENTS[1:],
            ),
            "sqlite": (
                *SUMS, PARENTS[0],
                "CREATE TRIGGER t AFTER INSERT ON p BEGIN INSERT INTO b_sum VALUES (NEW.id, NEW.lejer); END",
                *PARENTS[1:],
            ),
        },
        left={"p": 1, "b_sum": 1},
    ),
    "a table that a trigger empties with the row, before its turn": Animal(
        {"p": KEY, "sum": DERIVED}, (OUTSIDE, OUTSIDE, OUTSIDE),
        (*PARENTS, *chains("~sum~", "id INT PRIMARY KEY, lejer INT", "1, 101", "3, 102")),
        {
            "postgresql": (
                "CREATE FUNCTION toem() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS"
                " 'BEGIN DELETE FROM public.sum WHERE id = OLD.id; RETURN OLD; END'",
                f"CREATE TRIGGER t {FIRE} EXECUTE FUNCTION toem()",
            ),
            "mariadb": (f"CREATE TRIGGER t {FIRE} DELETE FROM sum WHERE id = OLD.id",),
            "sqlite": (f"CREATE TRIGGER t {FIRE} BEGIN DELETE FROM sum WHERE id = OLD.id; END",),
        },
    ),
}  # fmt: skip
