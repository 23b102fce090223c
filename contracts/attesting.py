"""Wire messages of `deletion` about what people attest: places of manual systems, and sub-processors (S2 7.3, 12.2).

A line is what must be attested; an attestation answers one line with a signed document's SHA-256. The methods are a
closed list. A class of NIST SP 800-88 belongs to sanitised media and to nothing else.
"""

from contracts.fields import Choice, Count, Day, Digest, Id, Many, Place, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import CUSTOMER_LEAD, DELETION_OFFICER, MONITOR, OPERATOR, PARTY, READERS

PARTIES = ("supplier", "customer", "subprocessor")
PLACE_METHODS = (
    "SOFTWARE_REMOVED", "LICENCE_WITHDRAWN", "MEDIA_SANITISED", "SUBPROCESSOR_CONFIRMED", "DATA_LEFT_WITH_CUSTOMER",
)  # fmt: skip
NOT_USED = "NOT_USED"
METHODS = (*PLACE_METHODS, NOT_USED)
MEDIA_CLASSES = ("CLEAR", "PURGE", "DESTROY")


class AttestationLine(Message):
    """One line that must be attested: a method at a place, or a sub-processor's confirmation (`through`: its chain)."""

    system = Place()
    place = Place(allow_none=True)
    subprocessor = Id(allow_none=True)
    through = Id(allow_none=True)
    method = Choice(*PLACE_METHODS)
    by = Choice("supplier", "customer")
    owner = Choice(*PARTIES, allow_none=True)


class RequestAttestations(Message):
    """Ask for every line of the exit's systems now, by a day; without it that is done when a deletion is due."""

    exit_id = Id()
    due_on = Day()


class AttestPlace(Message):
    """Attest one line by a signed document; `method` NOT_USED declares that a sub-processor has nothing of it."""

    exit_id = Id()
    system = Place()
    place = Place(allow_none=True, load_default=None, required=False)
    subprocessor = Id(allow_none=True, load_default=None, required=False)
    method = Choice(*METHODS)
    media_class = Choice(*MEDIA_CLASSES, allow_none=True, load_default=None, required=False)
    digest = Digest()
    done_on = Day()


class AttestationState(Message):
    exit_id = Id()
    state = Choice("asked", "attested")
    left = Count()


class AttestationRow(AttestationLine):
    """A line with its answer, null while it is open."""

    answer = Choice(*METHODS, allow_none=True)
    media_class = Choice(*MEDIA_CLASSES, allow_none=True)
    digest = Digest(allow_none=True)
    done_on = Day(allow_none=True)
    role = Text(60, allow_none=True)


class Attestations(Message):
    exit_id = Id()
    due_on = Day(allow_none=True)
    lines = Many(AttestationRow)


class ExitAttestations(Message):
    exit_id = Id()


class AttestationsAsked(Message):
    """What must be attested by when: asked for, reminded of, or overdue and escalated (`lines`: the open ones)."""

    exit_id = Id()
    state = Choice("asked", "reminded", "escalated")
    due_on = Day()
    lines = Many(AttestationLine)
    to = Many(Choice(*sorted(PARTY)))
    on = Day()


class AttestationGiven(AttestationLine):
    """A line is attested: by whom (role, opaque id), as what, on which day it was done, and by which document."""

    exit_id = Id()
    answer = Choice(*METHODS)
    media_class = Choice(*MEDIA_CLASSES, allow_none=True)
    digest = Digest()
    done_on = Day()
    actor = Id()
    role = Text(60)
    on = Day()


class LookAtAttestations(Message):
    exit_id = Id()
    on = Day()


class AskTask(Message):
    """Read from the map what must be attested of these systems, and ask for it."""

    exit_id = Id()
    systems = Many(Place())
    due_on = Day()


_ATTESTING = frozenset({CUSTOMER_LEAD, DELETION_OFFICER})

COMMANDS = (
    Command(
        "deletion", "request_attestations", RequestAttestations, AttestationState,
        frozenset({OPERATOR, DELETION_OFFICER}),
    ),
    Command("deletion", "attest", AttestPlace, AttestationState, _ATTESTING),
    Command("deletion", "read_attestations", ExitAttestations, Attestations, READERS | {MONITOR}, query=True),
)  # fmt: skip
EVENTS = (
    Event("deletion", "attestations_asked", AttestationsAsked, ("compliance",)),
    Event("deletion", "attestation_given", AttestationGiven, ("compliance",)),
    Event("deletion", "attestations_look_due", LookAtAttestations, ("deletion",)),
)
TASKS = (Task("deletion", "verify", "ask_attestations", AskTask),)
