"""What is still unmet, in words for people: one line a refusal's code (Danish, English)."""

from __future__ import annotations

from shared.words.gate_details import danish

_GATES: dict[str, tuple[str, str]] = {
    "PARTIES_MISSING": ("Parterne er ikke navngivet", "The parties are not named"),
    "PLAN_MISSING": ("Der er ingen plan", "There is no plan"),
    "SCOPE_EMPTY": ("Planen sletter intet", "The plan deletes nothing"),
    "SCOPE_UNKNOWN": ("Ukendt sletning", "Unknown deletion"),
    "SCOPE_SUSPENDED": ("Udskudt ved option, IKKE slettet", "Suspended by an option, NOT deleted"),
    "SYSTEM_NOT_IN_PLAN": ("System uden sletning i planen", "System without a deletion in the plan"),
    "EXIT_CANCELLED": ("Exittet er annulleret", "The exit was cancelled"),
    "CONFLICT_OPEN": ("Uafklaret konflikt i planen", "Open conflict in the plan"),
    "PROPOSAL_OPEN": ("Et ændringsforslag venter på svar", "A proposed change waits for its answer"),
    "PLAN_BEHIND": ("Planen følger ikke en meddelelse", "The plan does not follow a notice"),
    "HELD": ("Tilbageholdt (hold)", "On hold"),
    "INSTRUCTION_MISSING": ("Slettes-instruksen mangler", "The instruction to delete is missing"),
    "DELIVERY_MISSING": ("Intet er leveret", "Nothing was delivered"),
    "DELIVERY_REJECTED": ("Kunden afviste leverancen", "The customer rejected the delivery"),
    "DELIVERY_NOT_ACCEPTED": ("Leverancen er ikke godkendt", "The delivery is not accepted"),
    "ARCHIVE_UNDECIDED": ("Arkivet har ikke afgjort", "The archive has not decided"),
    "ACCESS_NOT_CLOSED": ("Adgangen er ikke vist lukket", "Access is not shown to be closed"),
    "JOB_MISSING": ("Sletningen er ikke opgjort", "The deletion was not previewed"),
    "SYSTEM_NOT_INVENTORIED": ("Systemet er ikke opgjort", "The system is not inventoried"),
    "SYSTEM_OUT_OF_SCOPE": ("System uden for omfanget", "System outside the scope"),
    "APPROVALS_MISSING": ("To godkendelser mangler", "Two approvals are missing"),
    "PLAN_DIGEST_DIFFERS": ("Udført efter en anden plan end den godkendte", "Done by another plan than approved"),
    "INTENT_AFTER_DESTRUCTION": ("Slettet før hensigten stod i loggen", "Destroyed before the intent was logged"),
    "DESTROYED_AFTER_CANCELLATION": ("Slettet efter annullering", "Destroyed after cancellation"),
    "DELETED_BEFORE_DELIVERY": ("Slettet før leverancen var godkendt", "Destroyed before the delivery was accepted"),
    "SILENCE_NOT_APPLIED": ("Instruksen for tavshed var ikke anvendt", "The silence instruction was not applied"),
    "NOT_EXECUTED": ("Sletningen er ikke ført til ende", "The deletion has not ended"),
    "NOT_VERIFIED": ("Sletningen er ikke efterprøvet", "The deletion is not verified"),
    "VERIFICATION_ERROR": ("Efterprøvningen kunne ikke se overalt", "The verifier could not look everywhere"),
    "VERIFIED_TOO_EARLY": ("Slettet efter efterprøvningen", "Rows were deleted after the verification"),
    "PROBES_FOUND": ("Stikprøver blev fundet bagefter", "Probes were found afterwards"),
    "PROBES_BLIND": ("Søgningen fandt ikke alle stikprøver før", "The search did not find every probe before"),
    "PLACE_UNANSWERED": ("Sted uden svar", "Place without an answer"),
    "PLACE_UNKNOWN": ("Ukendt sted", "Unknown place"),
    "PLACE_OPEN": ("Sted uden endelig afklaring", "Place without a terminal disposition"),
    "PLACE_UNCLASSIFIED": ("Sted, der ikke er afstemt", "Place that is not reconciled"),
    "REASON_NOT_ALLOWED": ("Undtagelse uden for den lukkede liste", "Exclusion that is not on the closed list"),
    "RESIDUAL": ("Rækker er tilbage", "Rows are left"),
    "SUM_WRONG": ("Summen passer ikke", "The sum is wrong"),
    "RETAINED_WITHOUT_REASON": ("Beholdt uden grund", "Retained without a reason"),
    "ATTESTATION_MISSING": ("Erklæring mangler", "An attestation is missing"),
    "ATTESTATION_WRONG": ("Forkert erklæring", "A wrong attestation"),
    "SUBPROCESSOR_NOT_CONFIRMED": ("Underdatabehandler har ikke bekræftet", "Sub-processor has not confirmed"),
    "ATTESTED_COUNTED": ("Erklæret sted med egne tal", "Attested place with counts"),
    "UNOWNED_UNEXPLAINED": ("Rækker uden lejer og uden grund", "Rows without a tenant or a reason"),
    "BELOW_UNTOLD": ("Intet svar under rækkerne", "No answer below the rows"),
    "BELOW_WRONG": ("Forkert svar under rækkerne", "A wrong answer below the rows"),
    "RECORD_KEYS_KEPT": ("Nøgler til poster er ikke destrueret", "Keys of the records are not destroyed"),
    "RECORDS_NOT_SEALED": ("Poster er ikke forseglet til kunden", "Records were not sealed for the customer"),
    "RECORDS_DIFFER": ("Antallet af poster passer ikke", "The number of records does not agree"),
    "BATCHES_DIFFER": ("Portionerne summer ikke", "The batches do not add up"),
    "OUTSIDE_CHANGED": ("Ændringer uden for omfanget", "Changes outside the scope"),
    "OUTSIDE_ATTEMPTED": ("Forsøg uden for omfanget", "Attempts outside the scope"),
    "REAPPEARED": ("Slettede data er dukket op igen", "Deleted data are there again"),
    "REDELETION_OWED": ("Skal bevises som slettet igen", "Must be certified as a re-deletion"),
    "RESTORE_NOT_EVIDENCED": ("Intet er dukket op igen", "Nothing has returned"),
    "RESTORE_SOURCE_UNKNOWN": ("Ingen har nævnt den kopi, data kom fra", "Nobody named the copy that data came from"),
    "FORMER_NOT_REVOKED": ("Et tidligere bevis er ikke tilbagekaldt", "A former certificate is not revoked"),
    "STAGE_BEFORE": ("ACTIVE-DELETED er ikke udstedt", "ACTIVE-DELETED is not issued"),
    "KEY_NOT_SHOWN_DESTROYED": (
        "Backupsættets nøgle er ikke vist destrueret",
        "The backup set's key is not shown to be destroyed",
    ),
    "BACKUP_NOT_GONE": ("Backupsæt er ikke konstateret væk", "Backup set not seen to be gone"),
    "OWN_COPY_LEFT": ("En egen kopi af kundens data er ikke væk", "A copy of our own of the customer's data is left"),
    "BACKUP_UNCATALOGUED": ("Backupsæt fundet uden for kataloget", "A backup set beside the catalogue"),
    "BACKUPS_UNKNOWN": ("Backupsæt er ikke opgjort", "Backup sets are not known"),
    "BACKUPS_NOT_EXPIRED": ("Backup er ikke meldt udløbet overalt", "Backups are not told to be expired everywhere"),
}


def gate(code: str, detail: str) -> dict[str, str]:
    """Write one unmet gate; a code without words of its own stands as it is."""
    da, en = _GATES.get(code, (code, code))
    detail = detail[:300]
    return {"code": code, "detail": detail, "detail_da": danish(detail), "da": da, "en": en}
