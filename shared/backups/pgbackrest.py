"""What pgBackRest says it has: the file that `pgbackrest --stanza=… info --output=json > FILE` wrote.

The tool's word counts only while it is fresh: a file that was not written within a day of real time tells of
yesterday's repository and is an error. So is every status but *ok* and *no valid backups*.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.backups.model import Listing, Set, digest, not_listed, set_id_of
from shared.runtime.clock import legal_date

_FRESH_S = 86_400
_SAYS = (0, 2)  # ok; no valid backups: the repository was read, and there is none


class PgBackRest(Listing):
    """The backups of one stanza; its WAL archive is `wal_archive.InfoWal`'s."""

    def __init__(self, info: Path, stanza: str) -> None:
        self.info, self.stanza = info, stanza

    def sets(self) -> list[Set]:
        """List the backups of the stanza."""
        body = stanza_of(self.info, self.stanza)
        systems = {(each["repo-key"], each["id"]): str(each["system-id"]) for each in body.get("db", ())}
        try:
            return [_set(each, systems) for each in body["backup"]]
        except (KeyError, TypeError, ValueError) as error:
            raise not_listed(self.info.name, f"not the form of info --output=json: {type(error).__name__}") from None


def stanza_of(info: Path, stanza: str) -> dict[str, Any]:
    """Read the stanza's part of a fresh info file; raise BACKUPS_NOT_LISTED where its repository was not read."""
    try:
        age = time.time() - info.stat().st_mtime
        found = [each for each in json.loads(info.read_text(encoding="utf-8")) if each["name"] == stanza]
        codes = [
            each["status"]["code"] for each in (*found, *(repo for each in found for repo in each.get("repo", ())))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise not_listed(info.name, type(error).__name__) from None
    if abs(age) > _FRESH_S:
        raise not_listed(info.name, "it was not written within a day")
    if len(found) != 1 or not set(codes) <= set(_SAYS):
        raise not_listed(info.name, f"the status of {stanza} is not ok")
    body: dict[str, Any] = found[0]
    return body


def _set(body: dict[str, Any], systems: dict[tuple[int, int], str]) -> Set:
    repo = body["database"]["repo-key"]
    system = systems.get((repo, body["database"]["id"]), "")
    stop, start = body["timestamp"]["stop"], body["timestamp"]["start"]
    name = [body["label"]] if repo == 1 else [f"repo{repo}", body["label"]]
    taken = legal_date(datetime.fromtimestamp(int(stop), UTC))
    same = digest(["pgbackrest", str(repo), system, body["label"], str(start)])
    return Set(set_id_of(*name), "pgbackrest", taken, (same,), certain=True)
