"""What is due, what waits for what, who approves: pure rules of one exit's plan.

An exit is a set of facts; plan, states and what must be told follow from the facts and the date, so that facts may
come in any order and twice. Rules kept:
1. An activity is told as due once: chosen, its earliest day reached, every precondition completed or not chosen, its
   gates open. Before the final order only the phase of ordering goes on.
2. Gates of what destroys (T3, T10): the customer's instruction, and an archive decision for each system concerned.
3. Facts complete activities as the profile says; people complete only what the profile leaves to them, and only the
   party that is responsible. What is obligatory is never waived.
4. Two approvals by two people in two roles for one plan digest; a preview with another digest voids them.
5. A permit follows the recorded intent of exactly the approved digest, once, while the activity is due.
6. What stopped goes back to waiting with its code, and is told as due again from the next day on.
"""

from services.scheduling.domain.answers import NEEDED, approve, complete, intent_recorded, preview
from services.scheduling.domain.exits import (
    Body,
    Done,
    Event,
    Exit,
    Job,
    Trouble,
    completed_by,
    exit_not_known,
    with_archive,
    with_deletion,
    with_fact,
    with_order,
    with_trouble,
)
from services.scheduling.domain.plans import is_due, plan_of, read_plan, waiting, waits_for
from services.scheduling.domain.progress import Advance, advance

__all__ = [
    "NEEDED",
    "Advance",
    "Body",
    "Done",
    "Event",
    "Exit",
    "Job",
    "Trouble",
    "advance",
    "approve",
    "complete",
    "completed_by",
    "exit_not_known",
    "intent_recorded",
    "is_due",
    "plan_of",
    "preview",
    "read_plan",
    "waiting",
    "waits_for",
    "with_archive",
    "with_deletion",
    "with_fact",
    "with_order",
    "with_trouble",
]
