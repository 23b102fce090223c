"""Backup sets as they really are: one small reader for each kind of source, all behind `Reader`.

`sets()` lists what is there; `see` looks into all sources of a system at once, and its `answers` say PRESENT, GONE or
ERROR of each set that is asked for. Nothing here changes anything.
"""

from shared.backups.model import Answer, Reader, Set
from shared.backups.sources import Seen, listed, own_copies, readers_of, see, uncatalogued

__all__ = ["Answer", "Reader", "Seen", "Set", "listed", "own_copies", "readers_of", "see", "uncatalogued"]
