"""Wire messages of `compliance`: the evidence log, obligations, certificates and their documents."""

from marshmallow import fields

from contracts.compliance_seals import SEALS, SealHolds
from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, One, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import AUDITOR, CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER, MONITOR, READERS, SUPPLIER_LEAD

STAGES = ("DELIVERY", "ACCESS-CLOSED", "ACTIVE-DELETED", "BACKUP-EXPIRED", "RE-DELETION", "CORRECTION", "REVOCATION",
          "STATUS")  # fmt: skip
ISSUED_STAGES = ("DELIVERY", "ACCESS-CLOSED", "ACTIVE-DELETED", "BACKUP-EXPIRED")
ASKED_STAGES = (*ISSUED_STAGES, "RE-DELETION", "STATUS")
REVOKED_FOR = ("WRONG_COUNTS", "WRONG_SCOPE", "WRONG_PARTY", "DATA_FOUND", "EVIDENCE_DISPROVED", "KEY_COMPROMISED",
               "ISSUED_IN_ERROR")  # fmt: skip
CORRECTED_FOR = ("PARTY_DETAILS", "OFFICIAL_DETAILS", "TITLES", "RULES_WORDING", "LATER_EVIDENCE")
SUPERSEDED, STATUS = "SUPERSEDED", "STATUS"


class ExitRef(Message):
    exit_id = Id()


class NamedParty(Message):
    cvr = Cvr()
    name = Text(200)
    address = Text(300)
    dpo_name = Text(200)
    dpo_email = Text(200)


class Official(Message):
    """An official in their function; kept apart from the evidence and deleted with the certificate."""

    actor = Id()
    name = Text(200)
    function = Text(200)


class NameParties(Message):
    exit_id = Id()
    controller = One(NamedParty)
    processor = One(NamedParty)
    agreement_reference = Id()
    dpa_reference = Id()
    officials = Many(Official)


class RequestCertificate(Message):
    """`activities` name the scopes, each a deletion of the plan; none means all that no option suspends today.

    STATUS asks for a status letter: the state as it is, never final. RE-DELETION is refused where the log does not say
    that rows returned; none then means the deletions whose rows did.
    """

    exit_id = Id()
    stage = Choice(*ASKED_STAGES)
    activities = Many(Code(), required=False, load_default=list)


class Done(Message):
    exit_id = Id()
    state = Code()


class CertificateRef(Message):
    certificate_id = Id()


class RevokeCertificate(Message):
    """Withdraw a certificate: one person may, for a reason of the closed list; it cannot be taken back."""

    certificate_id = Id()
    reason = Choice(*REVOKED_FOR)


class CorrectCertificate(Message):
    """Issue the certificate anew under its number, as the next version; the former one is then superseded."""

    certificate_id = Id()
    reason = Choice(*CORRECTED_FOR)


class Refusal(Message):
    code = Code()
    detail = Text(300)


class CertificateRow(Message):
    certificate_id = Id()
    exit_id = Id()
    stage = Choice(*STAGES)
    number = Text(40, allow_none=True)
    version = Count()
    state = Choice("refused", "requested", "sealed", "signed", "issued", "failed")
    kind = Choice("production", "rehearsal")
    statement_digest = Digest(allow_none=True)
    pdf_bytes = Count()
    bundle_bytes = Count()
    issued_on = Day(allow_none=True)
    refusals = Many(Refusal)
    activities = Many(Code(), required=False, load_default=list)
    revoked = Code(required=False, allow_none=True, load_default=None)
    """Why it does not count any more, as on the revocation list: a reason of REVOKED_FOR, or SUPERSEDED."""
    replaces = Text(40, required=False, allow_none=True, load_default=None)
    """The number that this document corrects or revokes."""
    seal = Choice(*SEALS, required=False, allow_none=True, load_default=None)
    """The level of the PDF's seal (PAdES): B-B without an authority for time stamps, or where it failed."""
    seal_holds = One(SealHolds, required=False, allow_none=True, load_default=None)


class Certificates(Message):
    exit_id = Id()
    certificates = Many(CertificateRow)


class ReadDocument(Message):
    certificate_id = Id()
    document = Choice("pdf", "bundle", "dsse")
    offset = Count()


class Document(Message):
    """A part of a document, base64; `size` is the whole in bytes, `next_offset` null at the end."""

    certificate_id = Id()
    name = Text(200)
    size = Count()
    part = fields.String(required=True)
    next_offset = fields.Integer(allow_none=True, required=True)


class LogHead(Message):
    """The evidence log's head: checkpoint text (signed note) and the keys to verify with, one KEY each."""

    origin = Text(200)
    size = Count()
    root = fields.String(required=True)
    checkpoint = fields.String(required=True)
    keys = Many(fields.String())


class ReadLog(Message):
    pass


class Revocations(Message):
    """The published revocation list, a signed note: `<log origin>/revocations`, the count, and a line each of number,
    SHA-256 of the statement, day and reason. Empty until the first certificate is drawn up."""

    origin = Text(200)
    count = Count()
    note = fields.String(required=True)


class ObligationRow(Message):
    """The worse of what scheduling told and what the log proves; `since` from when, `evidence` the indexes of what
    shows it, `rule` how the last day is reckoned, `controls` those of standards. `reason`: as in ObligationChanged, or
    REAPPEARED (deleted data are there again)."""

    id = Code()
    clause = Text(80)
    due = Day(allow_none=True)
    state = Choice("pending", "at_risk", "met", "breached", "suspended")
    reason = Code(required=False, allow_none=True, load_default=None)
    met_on = Day(required=False, allow_none=True, load_default=None)
    since = Day(required=False, allow_none=True, load_default=None)
    rule = Text(300, required=False, allow_none=True, load_default=None)
    who = Many(Choice("customer", "supplier", "successor"), required=False, load_default=list)
    controls = Many(Text(40), required=False, load_default=list)
    evidence = Many(fields.Integer())


class Obligations(Message):
    exit_id = Id()
    obligations = Many(ObligationRow)


class EvidenceRecorded(Message):
    """Told for evidence that another service waits for: `index` is final and the append durable."""

    exit_id = Id()
    kind = Code()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    index = Count()
    size = Count()


class CertificateIssued(Message):
    exit_id = Id()
    certificate_id = Id()
    stage = Choice(*STAGES)
    number = Text(40)
    statement_digest = Digest()
    on = Day()


class CertificateRevoked(Message):
    exit_id = Id()
    certificate_id = Id()
    stage = Choice(*STAGES)
    number = Text(40)
    version = Count()
    statement_digest = Digest()
    reason = Choice(*REVOKED_FOR)
    role = Text(60)
    on = Day()


class StatusDue(Message):
    """The agreement ended 15 days ago: the status letter goes out (evidence.md §3)."""

    exit_id = Id()
    on = Day()


class RedeletionDue(Message):
    """The log says that what had returned is deleted again: its certificate is drawn up by itself."""

    exit_id = Id()
    activity = Code()
    restore_id = Id()
    on = Day()


class StatusLetterSent(Message):
    """A status letter is drawn, sealed and listed; `gates` counts what is unmet."""

    exit_id = Id()
    certificate_id = Id()
    number = Text(40)
    statement_digest = Digest()
    gates = Count()
    on = Day()


class AppendTask(Message):
    """Wakes the ledger: what the sending transaction offered, of `exit_id` first, waits under this task's id."""

    exit_id = Id()


class CertificateTask(Message):
    certificate_id = Id()
    exit_id = Id()


COMMANDS = (
    Command("compliance", "name_parties", NameParties, Done, frozenset({SUPPLIER_LEAD})),
    Command(
        "compliance",
        "request_certificate",
        RequestCertificate,
        CertificateRow,
        frozenset({CUSTOMER_DPO, CUSTOMER_LEAD, SUPPLIER_LEAD}),
    ),
    Command(
        "compliance",
        "revoke_certificate",
        RevokeCertificate,
        CertificateRow,
        frozenset({CUSTOMER_DPO, SUPPLIER_LEAD, DELETION_OFFICER}),
    ),
    Command(
        "compliance",
        "correct_certificate",
        CorrectCertificate,
        CertificateRow,
        frozenset({CUSTOMER_DPO, SUPPLIER_LEAD}),
    ),
    Command("compliance", "read_revocations", ReadLog, Revocations, READERS | {MONITOR}, query=True),
    Command("compliance", "read_certificate", CertificateRef, CertificateRow, READERS, query=True),
    Command("compliance", "list_certificates", ExitRef, Certificates, READERS | {MONITOR}, query=True),
    Command("compliance", "read_document", ReadDocument, Document, READERS, query=True),
    Command("compliance", "read_log", ReadLog, LogHead, READERS | {MONITOR}, query=True),
    Command("compliance", "read_obligations", ExitRef, Obligations, READERS | {MONITOR, AUDITOR}, query=True),
)

EVENTS = (
    Event("compliance", "evidence_recorded", EvidenceRecorded, ("scheduling",)),
    Event("compliance", "certificate_issued", CertificateIssued, ("scheduling",)),
    Event("compliance", "certificate_revoked", CertificateRevoked, ("scheduling",)),
    Event("compliance", "status_letter_sent", StatusLetterSent, ("scheduling",)),
    Event("compliance", "status_due", StatusDue, ("compliance",)),
    Event("compliance", "redeletion_due", RedeletionDue, ("compliance",)),
)

TASKS = (
    Task("compliance", "ledger", "append", AppendTask, single=True),
    Task("compliance", "ledger", "draw_up", CertificateTask, single=True),
    Task("compliance", "ledger", "list_revocations", CertificateTask, single=True),
    Task("compliance", "seal", "seal_statement", CertificateTask),
    Task("compliance", "sign", "sign_statement", CertificateTask),
    Task("compliance", "render", "render_certificate", CertificateTask),
    Task("compliance", "render", "renew_seal", CertificateTask),
)
