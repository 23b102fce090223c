"""What a loaded system map is: systems, what it says of each place, and where secrets lie (never the secrets)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

from contracts.attesting import PARTIES
from contracts.errors import Rejected
from contracts.system_map.backups import Source
from contracts.system_map.keys import Holder

PURPOSES = ("extract", "delete", "verify", "access", "prepare")
CLEAN = "clean"  # an optional purpose: whoever cleans below the rows; the deleter where the map names nobody
RESTORE = "restore"  # an optional purpose: whoever takes and puts back the backups of a drill, on a marked copy only
PHYSICAL = ("none", "clean", "rewrite")
WITHOUT_USERS = ("files", "sqlite", "manual")  # who may read the files may do everything; rights are the disk's own
ATTESTED_BY = PARTIES  # who acts on a manual system, and says so
WHOLE_WAYS = ("drop", "truncate", "part")  # the place goes; it stays, emptied; the tenant's own part of it is emptied
WHOLE_QUEUE = "queue"  # the tenant key of a queue that is one tenant's alone
MARKER_PLACE = "ophor_rehearsal_copy"


@dataclass(frozen=True, slots=True)
class Credential:
    """Who to be at a target for one purpose; the secret lies in a file or an environment variable."""

    user: str = ""
    password_file: str = ""
    password_env: str = ""


@dataclass(frozen=True, slots=True)
class Refers:
    """A reference to one of several places: the columns `type` and `id`, and the place `to` which each type refers."""

    type: str
    id: str
    to: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """What the map says of one place. Exactly one of tenant key, tenant path, `shared`, `excluded`, `attested` is set.

    `without_tenant` says what rows of a tenants' place are that no tenant is found for; they stay. `whole` is the way
    in which a place that is one tenant's alone goes in one step. Where the key's column holds JSON, `json` is the path
    inside it. Where a path ends in a reference by type and id, `refers` is that reference and the path's last part its
    id column; whose the row is says the rule of the place referred to. Of an attested place, `owner` is whose the
    machine or medium is (S2 3.1), and `methods` what has to be attested.
    """

    place: str
    tenant_key: str = ""
    tenant_path: tuple[str, ...] = ()
    shared: str = ""
    excluded: str = ""
    deliver: bool = True
    reason: str = ""
    without_tenant: str = ""
    attested: str = ""
    physical: str = ""  # what is done below its rows (PHYSICAL); empty: as its system says
    owner: str = ""
    methods: tuple[str, ...] = ()
    whole: str = ""
    json: str = ""
    refers: Refers | None = None

    @property
    def way(self) -> str:
        """Write how the tenant is found, for people and for the digest of a plan."""
        text = "/".join(self.tenant_path) or self.tenant_key
        text += f" {self.json}" if self.json else ""
        if self.refers is not None:
            text += f" ({self.refers.type}: {', '.join(f'{one} > {place}' for one, place in self.refers.to.items())})"
        return text

    @property
    def goes(self) -> bool:
        """Tell whether the place itself goes with its tenant, so that it may be absent afterwards."""
        return self.whole == "drop"

    @property
    def owned(self) -> bool:
        """Tell whether the place holds rows of tenants, which are deleted when their tenant leaves."""
        return bool(self.tenant_key or self.tenant_path)


@dataclass(frozen=True, slots=True)
class Window:
    """When a target may be worked on, in Copenhagen's time; `days`: weekdays on which it begins (0 = Monday)."""

    start: time
    until: time
    days: frozenset[int]


@dataclass(frozen=True, slots=True)
class System:
    """One target system of the map."""

    name: str
    title: str
    kind: str
    deletion: str
    tenant: str
    connection: dict[str, Any]
    credentials: dict[str, Credential]
    rules: dict[str, Rule]
    roles: tuple[str, ...] = ()
    backups: str = ""
    sources: tuple[Source, ...] = ()  # where its backup sets are looked for, where it is no such folder
    keys: tuple[Holder, ...] = ()  # who has copies of the keys of its backup sets; of other kinds there is none
    home: Path = field(default_factory=Path)
    rate: int = 0  # rows a second that may be deleted in it; 0: no limit
    window: Window | None = None
    physical: str = "clean"
    subprocessors: Mapping[str, str] = field(default_factory=dict)  # id → the one that it confirms through, or ""

    def tenant_value(self, tenant: str, cvr: str) -> str:
        """Fill `{tenant}` and `{cvr}` in; refuse an empty value, and one that must be a folder's name and is none."""
        value = self.tenant.replace("{tenant}", tenant).replace("{cvr}", cvr)
        bad_folder = self.kind in ("files", "manual") and (value in {".", ".."} or "/" in value or "\\" in value)
        if not value or "\x00" in value or bad_folder:
            raise Rejected(
                "TENANT_INVALID",
                f"the tenant of {self.name} does not give a usable value",
                field=f"systems.{self.name}.tenant",
                remedy="give --tenant the value that the tenant key has in this system",
                da=f"Lejerens værdi i {self.title} kan ikke bruges.",
            )
        return value

    @property
    def backed_up(self) -> bool:
        """Tell whether the map says where its backup sets are looked for."""
        return bool(self.backups or self.sources)

    def rule(self, place: str) -> Rule | None:
        """Give what the map says of `place`; the rehearsal marker is NOT_CUSTOMER_DATA without being mapped."""
        if place == MARKER_PLACE and place not in self.rules:
            return Rule(place=place, excluded="NOT_CUSTOMER_DATA", deliver=False)
        return self.rules.get(place)

    def below(self, place: str) -> str:
        """Give what is to be done below the rows of `place`: none, clean or rewrite (ADR 0011)."""
        rule = self.rule(place)
        return rule.physical if rule is not None and rule.physical else self.physical

    def owned(self) -> list[str]:
        """List the mapped places that hold tenants' rows, by name."""
        return sorted(name for name, rule in self.rules.items() if rule.owned)

    def secret(self, purpose: str) -> tuple[str, str]:
        """Read (user, password) for `purpose`; raise MAP_CREDENTIAL_MISSING or MAP_SECRET_MISSING naming the field."""
        credential = self.credentials.get(purpose) or self.credentials.get("delete" if purpose == CLEAN else "")
        where = f"systems.{self.name}.credentials.{purpose}"
        if credential is None:
            raise Rejected(
                "MAP_CREDENTIAL_MISSING",
                f"{self.name} has no credentials for {purpose}",
                field=where,
                remedy="name a user of its own for this purpose in the map",
                da=f"{self.title} har ingen adgangsoplysninger til formålet {purpose}.",
            )
        return credential.user, _secret(credential, self.home, where)


@dataclass(frozen=True, slots=True)
class SystemMap:
    """A loaded map; `digest` is the SHA-256 of the file's bytes, `source` its name for error texts."""

    digest: str
    source: str
    systems: dict[str, System]

    def system(self, name: str) -> System:
        """Give the system called `name`, or raise MAP_UNKNOWN_SYSTEM."""
        if name not in self.systems:
            raise rejected(
                self.source, "MAP_UNKNOWN_SYSTEM", f"systems.{name}", "no such system", "use a name of the map"
            )
        return self.systems[name]


def rejected(source: str, code: str, where: str, text: str, remedy: str) -> Rejected:
    """Make an error about the field `where` of the map `source`."""
    da = f"Systemkortet {source}: feltet {where or '–'} ({code})."
    return Rejected(code, f"{source}: {text}", field=where, remedy=remedy, da=da)


def _secret(credential: Credential, folder: Path, where: str) -> str:
    if credential.password_env:
        value, name = os.environ.get(credential.password_env, ""), "password_env"
    else:
        value, name = _read_secret(folder / credential.password_file), "password_file"
    if not value:
        raise Rejected(
            "MAP_SECRET_MISSING",
            "the secret that the map refers to is not there or is empty",
            field=f"{where}.{name}",
            remedy="put the secret where the map says, readable by this process alone",
            da="Den hemmelighed, systemkortet henviser til, findes ikke.",
        )
    return value


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
