"""Deletion's two hands: `verify` looks with credentials that can only read, `delete` deletes under a permit."""

from services.deletion.worker.delete import Delete
from services.deletion.worker.verify import Verify

HANDS = {"delete": Delete, "verify": Verify}

__all__ = ["HANDS", "Delete", "Verify"]
