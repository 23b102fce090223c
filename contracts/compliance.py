"""Wire messages of `compliance`: the evidence log, obligations, certificates and their documents."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, One, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import AUDITOR, CUSTOMER_DPO, CUSTOMER_LEAD, MONITOR, READERS, SUPPLIER_LEAD

STAGES = ("DELIVERY", "ACCESS-CLOSED", "ACTIVE-DELETED", "BACKUP-EXPIRED", "RE-DELETION", "CORRECTION", "REVOCATION")
ISSUED_STAGES = ("ACTIVE-DELETED", "BACKUP-EXPIRED")


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
    """`activities` name the scopes, each a deletion of the plan; none means all that no option suspends today."""

    exit_id = Id()
    stage = Choice(*ISSUED_STAGES)
    activities = Many(Code(), required=False, load_default=list)


class Done(Message):
    exit_id = Id()
    state = Code()


class CertificateRef(Message):
    certificate_id = Id()


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


class ObligationRow(Message):
    """The worse of what scheduling told and what the log proves; `reason` as in ObligationChanged, `since` from when,
    `evidence` the indexes of what shows it."""

    id = Code()
    clause = Text(80)
    due = Day(allow_none=True)
    state = Choice("pending", "at_risk", "met", "breached", "suspended")
    reason = Code(required=False, allow_none=True, load_default=None)
    met_on = Day(required=False, allow_none=True, load_default=None)
    since = Day(required=False, allow_none=True, load_default=None)
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


class AppendTask(Message):
    """One evidence event for the log; `entry` is validated by its own enum-only schema, `ref` makes it idempotent."""

    ref = Id()
    exit_id = Id()
    kind = Code()
    entry = fields.Dict(required=True)


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
    Command("compliance", "read_certificate", CertificateRef, CertificateRow, READERS, query=True),
    Command("compliance", "list_certificates", ExitRef, Certificates, READERS | {MONITOR}, query=True),
    Command("compliance", "read_document", ReadDocument, Document, READERS, query=True),
    Command("compliance", "read_log", ReadLog, LogHead, READERS | {MONITOR}, query=True),
    Command("compliance", "read_obligations", ExitRef, Obligations, READERS | {MONITOR, AUDITOR}, query=True),
)

EVENTS = (
    Event("compliance", "evidence_recorded", EvidenceRecorded, ("scheduling",)),
    Event("compliance", "certificate_issued", CertificateIssued, ("scheduling",)),
)

TASKS = (
    Task("compliance", "ledger", "append", AppendTask, single=True),
    Task("compliance", "ledger", "draw_up", CertificateTask, single=True),
    Task("compliance", "seal", "seal_statement", CertificateTask),
    Task("compliance", "sign", "sign_statement", CertificateTask),
    Task("compliance", "render", "render_certificate", CertificateTask),
)
