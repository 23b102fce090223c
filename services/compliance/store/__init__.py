"""Compliance's own collections.

* `log_waiting` (offered to the ledger; `_id` = its task's id, which sorts by time), `log_entries` (one an entry; `_id`
  = exit/number, so that an exit is one range), `log_tiles` (the tree's nodes, `nodes.py`), `log_heads` (one a commit:
  the signed checkpoint by size), `log_refs` (what was appended, so that it is once), `log_held` (waits for an entry
  that must come first), `log_head` (one document; the ledger alone writes it, and a witness's cosignature is added).
  `log_exits` is where each exit stands (number and hash of its last entry, kinds counted), written with its entries.
* `exits`: what certificates name and the log may not (parties, officials, titles, wording of rules).
* `certificates`, `numbers` (one a series), `documents` (parts of `PART` bytes).
"""

from services.compliance.store.certificates import (
    PART,
    Row,
    asked,
    certificate,
    certificate_row,
    certificates,
    document_part,
    exit_row,
    issued,
    known,
    new_certificate,
    next_number,
    record,
    remember,
    save_certificate,
    save_document,
    save_refusal,
)
from services.compliance.store.log import (
    FIELDS,
    checks,
    cosigned,
    facts,
    head,
    head_at,
    held,
    hold,
    leaves,
    many_wait,
    nodes,
    notes,
    offer,
    refuse,
    release,
    save_head,
    seen_before,
    stored,
    take,
    waiting,
)
from services.compliance.store.nodes import Nodes, inclusion
from services.compliance.store.pages import ABOUT, Exporting, Page, of_exit

__all__ = [
    "ABOUT",
    "FIELDS",
    "PART",
    "Exporting",
    "Nodes",
    "Page",
    "Row",
    "asked",
    "certificate",
    "certificate_row",
    "certificates",
    "checks",
    "cosigned",
    "document_part",
    "exit_row",
    "facts",
    "head",
    "head_at",
    "held",
    "hold",
    "inclusion",
    "issued",
    "known",
    "leaves",
    "many_wait",
    "new_certificate",
    "next_number",
    "nodes",
    "notes",
    "of_exit",
    "offer",
    "record",
    "refuse",
    "release",
    "remember",
    "save_certificate",
    "save_document",
    "save_head",
    "save_refusal",
    "seen_before",
    "stored",
    "take",
    "waiting",
]
