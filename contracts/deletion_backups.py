"""Wire messages of `deletion` about backup sets: registered, and observed until they are really gone (S1 D9)."""

from marshmallow import fields

from contracts import backups
from contracts.backups import CurvePoint, FindingRow
from contracts.deletion_keys import KEY_DESTROYED
from contracts.fields import Choice, Code, Count, Day, Id, Instant, Many, Place
from contracts.registry import Command, Event, Message, Task
from contracts.roles import DELETION_OFFICER, MONITOR, OPERATOR, READERS


class ExitBackups(Message):
    exit_id = Id()


class RegisterBackup(Message):
    """One backup set that holds this customer's data (S1 D9): where it lies by the backup folder's name in the map.

    One that is encrypted names its key, when it was made, and since when it is encrypted with that key.
    """

    exit_id = Id()
    system = Place()
    set_id = Id()
    taken_on = Day()
    expires_on = Day()
    kind = Code(required=False)
    key_id = Id(required=False)
    made_at = Instant(required=False)
    encrypted_at = Instant(required=False)


class BackupState(Message):
    exit_id = Id()
    state = Code()


class BackupRow(Message):
    system = Place()
    set_id = Id()
    taken_on = Day()
    expires_on = Day()
    answer = Choice("PRESENT", "GONE", "ERROR", "NOT_LOOKED", KEY_DESTROYED)
    observed_on = Day(allow_none=True)
    kind = fields.String(required=False, load_default="")
    key_id = fields.String(required=False, load_default="")
    stream = fields.Boolean(required=False, load_default=False)
    last_on = Day(required=False)
    state = Code(required=False)


class Backups(Message):
    exit_id = Id()
    backups = Many(BackupRow)
    findings = Many(FindingRow, required=False, load_default=list)
    curve = Many(CurvePoint, required=False, load_default=list)
    limit_on = Day(required=False, allow_none=True)


class BackupRegistered(RegisterBackup):
    pass


class BackupObserved(Message):
    exit_id = Id()
    system = Place()
    set_id = Id()
    answer = Choice("PRESENT", "GONE", "ERROR", KEY_DESTROYED)
    expires_on = Day()
    on = Day()


class BackupsExpired(Message):
    exit_id = Id()
    sets = Count()
    last_expiry_on = Day()
    on = Day()


class LookAtBackups(Message):
    exit_id = Id()
    on = Day()


class ObserveTask(Message):
    exit_id = Id()
    on = Day()


_OPERATORS = frozenset({OPERATOR, DELETION_OFFICER})

COMMANDS = (
    Command("deletion", "register_backup", RegisterBackup, BackupState, _OPERATORS),
    Command("deletion", "read_backups", ExitBackups, Backups, READERS | {MONITOR}, query=True),
)
EVENTS = (
    *backups.EVENTS,
    Event("deletion", "backup_registered", BackupRegistered, ("compliance",)),
    Event("deletion", "backup_observed", BackupObserved, ("compliance",)),
    Event("deletion", "backups_expired", BackupsExpired, ("scheduling", "compliance")),
    Event("deletion", "backups_look_due", LookAtBackups, ("deletion",)),
)
TASKS = (Task("deletion", "verify", "observe_backups", ObserveTask),)
