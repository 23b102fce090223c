"""The system map: which target systems a customer has, what lies where in them, and how each place is found.

Rules it keeps: every field is known; every place says whose it is (tenant key, tenant path, shared or excluded by
the closed list); secrets are named, never written; the file's digest pins it in the order. It refuses with `Rejected`,
a stable code and the dotted path of the field; nothing here opens a connection.
"""

from contracts.system_map.live import check_live
from contracts.system_map.load import load, load_registered, parse, register
from contracts.system_map.model import (
    ATTESTED_BY,
    CLEAN,
    MARKER_PLACE,
    PURPOSES,
    RESTORE,
    WHOLE_QUEUE,
    WITHOUT_USERS,
    Credential,
    Refers,
    Rule,
    System,
    SystemMap,
    Window,
)
from contracts.system_map.schema import CONNECTIONS, EXCLUSIONS, KINDS, PLACEHOLDER, MapSchema

__all__ = [
    "ATTESTED_BY",
    "CLEAN",
    "CONNECTIONS",
    "EXCLUSIONS",
    "KINDS",
    "MARKER_PLACE",
    "PLACEHOLDER",
    "PURPOSES",
    "RESTORE",
    "WHOLE_QUEUE",
    "WITHOUT_USERS",
    "Credential",
    "MapSchema",
    "Refers",
    "Rule",
    "System",
    "SystemMap",
    "Window",
    "check_live",
    "load",
    "load_registered",
    "parse",
    "register",
]
