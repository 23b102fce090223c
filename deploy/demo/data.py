"""The rows of the demo's world: three invented municipalities, synthetic, the same at every run with the same seed.

Nothing here is about a real person: CPR-like numbers carry a month above 12, telephone numbers begin with 00, mail
addresses end in .invalid, and the municipalities do not exist. Everything is plain values; nothing here opens a
connection. Ids of the three tenants lie between one another, as in a system that all of them have used for years.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from deploy.demo.names import BEMAERKNINGER, EFTERNAVNE, FORNAVNE, INSTITUTIONER, VEJE

SEED = 2026
LAST_DAY = date(2026, 6, 1)
CASES = 300
OWN_SYSTEM = str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:ophor:demo:it-system:pladsanvisning"))
OTHER_SYSTEM = str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:ophor:demo:it-system:esdh"))

Row = tuple[Any, ...]
Tables = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A municipality that does not exist; `number` 0 leaves, the others stay."""

    number: int
    code: str
    cvr: str
    name: str
    slug: str
    children: int


TENANTS = (
    Tenant(0, "991", "11111111", "Korsbæk Kommune", "korsbaek", 2000),
    Tenant(1, "992", "99999999", "Strandvig Kommune", "strandvig", 1900),
    Tenant(2, "993", "88888888", "Ulvedal Kommune", "ulvedal", 2050),
)
LEAVING, *STAYING = TENANTS

SHARED: Tables = {
    "schema_version": [
        (1, datetime(2014, 3, 3, 9, 0, tzinfo=UTC), "første udgave"),
        (2, datetime(2019, 10, 21, 9, 0, tzinfo=UTC), "garanti på venteliste"),
        (3, datetime(2025, 2, 10, 9, 0, tzinfo=UTC), "adressebeskyttelse"),
    ],
    "kode_pasningstype": [
        ("DAGPLEJE", "Dagpleje", "28.77.20"),
        ("VUGGESTUE", "Vuggestue", "28.77.20"),
        ("BOERNEHAVE", "Børnehave", "28.77.20"),
        ("SFO", "Skolefritidsordning", "28.77.20"),
        ("KLUB", "Klub", "28.77.20"),
    ],
    "kode_brevtype": [
        ("TILBUD", "Tilbud om plads"),
        ("AFSLAG", "Afslag"),
        ("RYKKER", "Rykker"),
        ("FRIPLADS", "Afgørelse om friplads"),
    ],
    "kode_relation": [("MOR", "Mor"), ("FAR", "Far"), ("MEDMOR", "Medmor"), ("VAERGE", "Værge")],
}
TYPES = tuple(row[0] for row in SHARED["kode_pasningstype"])
LETTERS = tuple(row[0] for row in SHARED["kode_brevtype"])
RELATIONS = tuple(row[0] for row in SHARED["kode_relation"])


class Draw:
    """The random draws of one tenant: ids that lie between the other tenants', dates, names, impossible CPR numbers."""

    def __init__(self, tenant: Tenant, seed: int) -> None:
        self.tenant = tenant
        self.random = Random(f"{seed}/{tenant.code}")
        self.pick = self.random.choice
        self.used: dict[str, int] = {}

    def id(self, place: str) -> int:
        """Give the tenant's next id in `place`; the three tenants' ids never meet."""
        number = self.used.get(place, 0)
        self.used[place] = number + 1
        return number * len(TENANTS) + self.tenant.number + 1

    def uuid(self) -> uuid.UUID:
        """Give a version-4 UUID from the seed."""
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def day(self, years_back: int) -> date:
        """Give a day in the years before LAST_DAY."""
        return LAST_DAY - timedelta(days=self.random.randrange(1, years_back * 365))

    def moment(self, years_back: int) -> datetime:
        """Give a moment in the years before LAST_DAY (UTC, to the second)."""
        return datetime.combine(self.day(years_back), time(), UTC) + timedelta(seconds=self.random.randrange(86_400))

    def chance(self, share: float) -> bool:
        """Say yes in `share` of the cases."""
        return self.random.random() < share

    def cpr(self, born: date) -> str:
        """Give a CPR-like number that cannot be one: its month is 13–19."""
        return f"{born.day:02}{13 + born.month % 7}{born.year % 100:02}-{self.random.randrange(10_000):04}"

    def address(self) -> str:
        """Give an address in a town that does not exist."""
        town = self.tenant.name.split()[0]
        return f"{self.pick(VEJE)} {self.random.randrange(1, 140)}, 0{self.tenant.code} {town}"

    def name(self) -> str:
        """Give a full name."""
        return f"{self.pick(FORNAVNE)} {self.pick(EFTERNAVNE)}"


Maker = Callable[[Draw, Tables], Iterator[Row]]


def _kommune(draw: Draw, made: Tables) -> Iterator[Row]:
    tenant = draw.tenant
    yield tenant.code, tenant.cvr, tenant.name, datetime(2014, 4, 1, 8, 0, tzinfo=UTC)


def _institution(draw: Draw, made: Tables) -> Iterator[Row]:
    areas = [draw.id("institution") for _ in range(8)]
    for number, area in enumerate(areas, 1):
        yield area, draw.tenant.code, None, f"Område {number}", draw.address(), time(8, 0), False
    for name in INSTITUTIONER:
        parent = draw.pick(areas)
        opens = time(6, draw.pick((0, 15, 30)))
        yield draw.id("institution"), draw.tenant.code, parent, name, draw.address(), opens, draw.chance(0.2)


def _afdeling(draw: Draw, made: Tables) -> Iterator[Row]:
    houses = [row for row in made["institution"] if row[2] is not None]
    for house in houses:
        for stue in ("Rød stue", "Blå stue", "Grøn stue"):
            size = draw.random.randrange(10, 26)
            yield draw.id("afdeling"), draw.tenant.code, house[0], draw.pick(TYPES), stue, size


def _barn(draw: Draw, made: Tables) -> Iterator[Row]:
    for _ in range(draw.tenant.children):
        born = draw.day(10)
        names = draw.pick(FORNAVNE), draw.pick(EFTERNAVNE)
        yield draw.uuid(), draw.tenant.code, draw.cpr(born), *names, born, draw.address(), draw.chance(0.02), None


def _foraelder(draw: Draw, made: Tables) -> Iterator[Row]:
    for _ in range(draw.tenant.children * 8 // 5):
        number, name, born = draw.id("foraelder"), draw.name(), draw.day(10) - timedelta(days=9500)
        phone = f"00 {draw.random.randrange(10**6):06}" if draw.chance(0.9) else None
        mail = f"foraelder{number}@{draw.tenant.slug}.invalid" if draw.chance(0.8) else None
        yield number, draw.tenant.code, draw.cpr(born), name, phone, mail


def _barn_foraelder(draw: Draw, made: Tables) -> Iterator[Row]:
    parents = made["foraelder"]
    for number, child in enumerate(made["barn"]):
        for offset in (0, 1) if draw.chance(0.8) else (0,):
            parent = parents[(number * 2 + offset) % len(parents)]
            yield child[0], parent[0], draw.pick(RELATIONS), draw.chance(0.95)


def _plads(draw: Draw, made: Tables) -> Iterator[Row]:
    units = made["afdeling"]
    for number, child in enumerate(made["barn"]):
        start = draw.day(4)
        if draw.chance(0.3):
            earlier = start - timedelta(days=400)
            yield draw.id("plads"), draw.tenant.code, draw.pick(units)[0], child[0], earlier, start
        if draw.chance(0.9):
            place = draw.id("plads")
            made["barn"][number] = (*child[:-1], place)
            yield place, draw.tenant.code, draw.pick(units)[0], child[0], start, None


def _ansoegning(draw: Draw, made: Tables) -> Iterator[Row]:
    for child in draw.random.sample(made["barn"], len(made["barn"]) * 9 // 10):
        note = draw.pick(BEMAERKNINGER) if draw.chance(0.3) else None
        wish = draw.day(3) + timedelta(days=120)
        yield draw.id("ansoegning"), draw.tenant.code, child[0], draw.pick(TYPES), wish, draw.moment(3), note


def _venteliste(draw: Draw, made: Tables) -> Iterator[Row]:
    for child in draw.random.sample(made["barn"], len(made["barn"]) // 2):
        yield draw.id("venteliste"), child[0], draw.pick(made["afdeling"])[0], draw.day(2), draw.chance(0.4)


def _venteliste_note(draw: Draw, made: Tables) -> Iterator[Row]:
    for row in made["venteliste"]:
        if draw.chance(0.8):
            yield draw.id("venteliste_note"), row[0], draw.moment(2), f"{draw.pick(BEMAERKNINGER)} ({row[0]})"


def _tilbud(draw: Draw, made: Tables) -> Iterator[Row]:
    for row in made["ansoegning"]:
        if draw.chance(0.7):
            answer = draw.pick((True, True, False, None))
            yield draw.id("tilbud"), draw.tenant.code, row[0], draw.pick(made["afdeling"])[0], draw.day(2), answer


def _takst(draw: Draw, made: Tables) -> Iterator[Row]:
    for year in (2022, 2023, 2024, 2025, 2026):
        for kind in TYPES:
            price = f"{draw.random.randrange(90_000, 450_000) / 100:.2f}"
            yield draw.id("takst"), draw.tenant.code, kind, price, date(year, 1, 1)


def _opkraevning(draw: Draw, made: Tables) -> Iterator[Row]:
    for row in made["foraelder"]:
        period = draw.day(2).replace(day=1)
        paid = draw.moment(2) if draw.chance(0.9) else None
        price = f"{draw.random.randrange(50_000, 900_000) / 100:.2f}"
        yield draw.id("opkraevning"), draw.tenant.code, row[0], period, price, paid


def _opkraevningslinje(draw: Draw, made: Tables) -> Iterator[Row]:
    for bill in made["opkraevning"]:
        for text in ("Forældrebetaling", "Søskendetilskud") if draw.chance(0.4) else ("Forældrebetaling",):
            rate = draw.pick(made["takst"])[0] if draw.chance(0.9) else None
            price = f"{draw.random.randrange(1_000, 400_000) / 100:.2f}"
            yield draw.id("opkraevningslinje"), bill[0], rate, draw.pick(made["plads"])[0], text, price


def _friplads(draw: Draw, made: Tables) -> Iterator[Row]:
    for child in draw.random.sample(made["barn"], len(made["barn"]) // 5):
        start = draw.day(3)
        end = start + timedelta(days=365) if draw.chance(0.5) else None
        yield draw.id("friplads"), draw.tenant.code, child[0], draw.random.randrange(5, 101), start, end


def _dokument_reference(draw: Draw, made: Tables) -> Iterator[Row]:
    for number, child in enumerate(draw.random.sample(made["barn"], len(made["barn"]) * 3 // 5)):
        case = draw.uuid() if number < CASES else None
        title = f"Afgørelse om {draw.pick(('plads', 'friplads', 'søskendetilskud'))}"
        yield draw.uuid(), draw.tenant.code, child[0], case, title, f"afgoerelse-{draw.tenant.slug}-{number:05}.txt"


def _brev(draw: Draw, made: Tables) -> Iterator[Row]:
    for row in made["foraelder"]:
        if draw.chance(0.7):
            text = f"Kære {row[3]}\n\nVi har behandlet din henvendelse.\n\nVenlig hilsen\n{draw.tenant.name}"
            yield draw.id("brev"), draw.tenant.code, row[0], draw.pick(LETTERS), draw.moment(3), text


def _bruger(draw: Draw, made: Tables) -> Iterator[Row]:
    for _ in range(60):
        number, house = draw.id("bruger"), draw.pick(made["institution"])[0] if draw.chance(0.7) else None
        role = draw.pick(("leder", "pædagog", "pladsanviser", "økonomi"))
        yield number, draw.tenant.code, house, f"{draw.tenant.slug}{number:04}", draw.name(), role


def _login_log(draw: Draw, made: Tables) -> Iterator[Row]:
    for _ in range(draw.tenant.children * 3 // 2):
        host = f"192.0.2.{draw.random.randrange(1, 255)}"
        user = draw.pick(made["bruger"])[0]
        yield draw.id("login_log"), draw.tenant.code, user, draw.moment(1), host, draw.chance(0.97)


MAKERS: dict[str, Maker] = {
    "kommune": _kommune,
    "institution": _institution,
    "afdeling": _afdeling,
    "barn": _barn,
    "foraelder": _foraelder,
    "barn_foraelder": _barn_foraelder,
    "plads": _plads,
    "ansoegning": _ansoegning,
    "venteliste": _venteliste,
    "venteliste_note": _venteliste_note,
    "tilbud": _tilbud,
    "takst": _takst,
    "opkraevning": _opkraevning,
    "opkraevningslinje": _opkraevningslinje,
    "friplads": _friplads,
    "dokument_reference": _dokument_reference,
    "brev": _brev,
    "bruger": _bruger,
    "login_log": _login_log,
}


def tables(tenant: Tenant, seed: int = SEED) -> Tables:
    """Make the tenant's rows of the placement solution, place by place, rows in the order of the columns in
    `pladsanvisning_tables.sql`."""
    draw, made = Draw(tenant, seed), Tables()
    for place, maker in MAKERS.items():
        made[place] = list(maker(draw, made))
    return made


def cases(made: Tables) -> list[str]:
    """List the case UUIDs that the tenant's documents stand under: the sender's own register for the case index."""
    return [str(row[3]) for row in made["dokument_reference"] if row[3] is not None]
