"""WiredTiger below the documents: the blocks that deleted ones leave in a collection's file (ADR 0011).

1. `clean` is `compact`, which moves what is left to the file's beginning and gives its end back; since 4.4 it lets
   others read and write. It works on the member that it is sent to: the others are named as replicas.
2. Deleted documents stay in pages that are in use for the server's own window (`minSnapshotHistoryWindowInSeconds`,
   usually 300 s), and after it until those pages are next written; nothing tells when that was. So the answer is never
   that they are gone. 3. No statement rewrites or overwrites: `rewrite` does the same. What was inserted stays in the
   oplog as long as it reaches back.
"""

from __future__ import annotations

from pymongo.collection import Collection

from shared.connectors.mongodb.session import Document
from shared.connectors.physical import Stored

REMAINS = ("FREE_SPACE", "LOG", "REPLICAS", "DISK")
HELD = "HISTORY_WINDOW"


def stored(collection: Collection[Document]) -> Stored:
    """Give the bytes of the collection's own file that hold nothing in use."""
    found = next(iter(collection.aggregate([{"$collStats": {"storageStats": {}}}])))["storageStats"]
    return Stored(int(found["freeStorageSize"]), "bytes", "", REMAINS)


def clean(collection: Collection[Document]) -> str:
    """Compact; `force` lets a primary do it too. Say what still holds versions."""
    collection.database.command("compact", collection.name, force=True)
    return HELD
