"""Wire messages of compliance's papers: the report to the DPO, and the audit export of a period.

A paper is asked for, drawn by the renderer (which alone holds the sealing key), and read in parts like a document.
"""

from __future__ import annotations

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Text
from contracts.registry import Command, Message, Task
from contracts.roles import AUDITOR, CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER, SUPPLIER_LEAD

LANGUAGES = ("da", "en")


class DrawReport(Message):
    """Draw the report to the DPO of an exit as the log is now."""

    exit_id = Id()
    language = Choice(*LANGUAGES, required=False, load_default=LANGUAGES[0])


class DrawExport(Message):
    """Export what was logged on the days `since` … `until`: of one exit, or of all that the caller may see."""

    since = Day()
    until = Day()
    exit_id = Id(required=False, allow_none=True, load_default=None)


class PaperRef(Message):
    paper_id = Id()


class PaperRow(Message):
    """`failed` names its reasons; `digest` is the file's SHA-256."""

    paper_id = Id()
    what = Choice("report", "export")
    state = Choice("requested", "made", "failed")
    name = Text(200)
    size = Count()
    digest = Digest(allow_none=True)
    exits = Many(Id())
    reasons = Many(Code())


class ReadPaperPart(Message):
    paper_id = Id()
    offset = Count()


class PaperPart(Message):
    """A part of a paper, base64; `size` is the whole in bytes, `next_offset` null at the end."""

    paper_id = Id()
    name = Text(200)
    size = Count()
    part = fields.String(required=True)
    next_offset = fields.Integer(allow_none=True, required=True)


class PaperTask(Message):
    paper_id = Id()


_REPORTED = frozenset({CUSTOMER_DPO, CUSTOMER_LEAD, SUPPLIER_LEAD, DELETION_OFFICER, AUDITOR})
_READERS = _REPORTED

COMMANDS = (
    Command("compliance", "draw_report", DrawReport, PaperRow, _REPORTED),
    Command("compliance", "draw_export", DrawExport, PaperRow, frozenset({AUDITOR})),
    Command("compliance", "read_paper", PaperRef, PaperRow, _READERS, query=True),
    Command("compliance", "read_paper_part", ReadPaperPart, PaperPart, _READERS, query=True),
)

EVENTS = ()

TASKS = (Task("compliance", "render", "draw_paper", PaperTask),)
