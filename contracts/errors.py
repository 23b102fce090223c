"""The two error families and every stable code.

`Rejected`: the caller or the data is wrong; repeating the same cannot help. `Unavailable`: the world is wrong;
repeating later may help. Anything else that is raised is a bug of ours. No text carries personal data or a payload.
"""

from __future__ import annotations

import json
from typing import Any


class OphorError(Exception):
    """An error with a stable `code`, the `field` it is about (dotted path or empty), and texts for people."""

    def __init__(self, code: str, message: str, *, field: str = "", remedy: str = "", da: str = "") -> None:
        super().__init__(code, message)
        self.code, self.message, self.field, self.remedy, self.da = code, message, field, remedy, da

    def __str__(self) -> str:
        where = f" [{self.field}]" if self.field else ""
        todo = f" — {self.remedy}" if self.remedy else ""
        return f"{self.code}{where}: {self.message}{todo}"

    def as_dict(self) -> dict[str, str]:
        """Give the wire form (five strings)."""
        return {
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "remedy": self.remedy,
            "da": self.da,
        }

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> OphorError:
        """Rebuild an error from its wire form."""
        return cls(
            str(body.get("code", "UNKNOWN")),
            str(body.get("message", "")),
            field=str(body.get("field", "")),
            remedy=str(body.get("remedy", "")),
            da=str(body.get("da", "")),
        )

    def __reduce__(self) -> Any:
        return type(self).from_dict, (self.as_dict(),)


class Rejected(OphorError):
    """The caller or the data is wrong; retry cannot help."""

    @classmethod
    def invalid(cls, wire: str, messages: dict[str, Any]) -> Rejected:
        """Make MESSAGE_INVALID from marshmallow's messages: the first field in the error, all in the text."""
        field = first_path(messages)
        return cls(
            "MESSAGE_INVALID",
            f"{wire}: {json.dumps(messages, ensure_ascii=False, sort_keys=True, default=str)}",
            field=field,
            remedy="correct the named field and send it again",
            da=f"Feltet {field} er ikke gyldigt.",
        )


class Unavailable(OphorError):
    """The world is wrong (a target, a store, the broker, a deadline); retry may help."""


def first_path(messages: Any) -> str:
    """Give the dotted path to the first message in marshmallow's nested messages."""
    path: list[str] = []
    while isinstance(messages, dict) and messages:
        key = next(iter(messages))
        path.append(str(key))
        messages = messages[key]
    return ".".join(part for part in path if part != "_schema")
