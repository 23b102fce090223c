"""A whole exit played by the people of a rehearsal, through the front doors only.

Orders, answers, approvals and receipts are commands over RPC with fixed ids, so that playing it again from the start
repeats nothing. Each manual activity is answered only when the plan says that it waits for somebody, and by the party
that the plan holds responsible. Between answers the simulated clock walks to the next thing that is due.

`ordering` plays A1–A4, `answers` what waits for somebody after that, `certificates` what the DPO asks for at the end,
`play` goes from one to the next; `stage` says what is rehearsed and with what.
"""

from services.console.rehearsing.scenario.play import Scenario
from services.console.rehearsing.scenario.stage import PROFILES, BackupSet, Rehearsal, Stage, go_live

__all__ = ["PROFILES", "BackupSet", "Rehearsal", "Scenario", "Stage", "go_live"]
