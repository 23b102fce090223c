"""What is due, what waits for what, who approves: pure rules of one exit's plan.

An exit is inputs (what people decide) and facts (what happened); plan, states and what must be told follow from both
and the date, so that facts may come in any order and twice. Rules kept:
1. An activity is told as due once: chosen, its earliest day reached, every precondition completed or not chosen, its
   gates open (`gates`). Before the final order only the phase of ordering goes on.
2. A deletion that was told as due and is no longer (hold, proposal, conflict, moved date, cancelled exit) is revoked:
   its approvals are void, and deletion is asked not to begin it; it shows so until deletion has answered.
3. Facts complete activities as the profile says; people complete only what the profile leaves to them, and only the
   party that is responsible. What is obligatory is never waived.
4. Two approvals by two people in two roles for one plan digest; a preview with another digest voids them, and so do
   `APPROVAL_DAYS` without a permit: then the deletion is cancelled, previewed and asked for anew.
5. A permit follows the recorded intent of exactly the approved digest, once, while the activity is due.
6. What stopped goes back to waiting with its code, and is told as due again from the next day on.
7. Before B11 a change of inputs is applied at once; after it, it is a proposal (`changes`). Facts never are.
"""

from services.scheduling.domain.answers import (
    NEEDED,
    already_begun,
    approve,
    begun,
    cancelled,
    complete,
    intent_recorded,
    preview,
)
from services.scheduling.domain.changes import answer_proposal, propose_profile
from services.scheduling.domain.exits import (
    Bypass,
    Done,
    Exit,
    Inputs,
    exit_not_known,
)
from services.scheduling.domain.frozen import answer_bypass, check_heavy_job, close_bypass, request_bypass
from services.scheduling.domain.heard import HEARD, Told, heard
from services.scheduling.domain.outlook import Outlook, Shelf, look
from services.scheduling.domain.progress import Advance, advance
from services.scheduling.domain.shown import preview_plan, read_plan, waiting
from services.scheduling.domain.timetable import answer_timetable, submit_timetable

__all__ = [
    "HEARD", "NEEDED", "Advance", "Bypass", "Done", "Exit", "Inputs", "Outlook", "Shelf", "Told",
    "advance", "already_begun", "answer_bypass", "answer_proposal", "answer_timetable", "approve", "begun",
    "cancelled", "check_heavy_job", "close_bypass", "complete", "exit_not_known", "heard",
    "intent_recorded", "look", "preview", "preview_plan", "propose_profile", "read_plan",
    "request_bypass", "submit_timetable", "waiting",
]  # fmt: skip
