"""What `ophor deletion` says, Danish and English beside each other."""

from __future__ import annotations

from shared.words.stops import LANGUAGES

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Sletning {activity} i {exit}", "Deletion {activity} of {exit}"),
    "places": ("Hvad der slettes, i rækkefølge", "What is deleted, in order"),
    "columns": ("Nr|System|Sted|Rækker|Grænse|Tid", "No|System|Place|Rows|Limit|Time"),
    "deleted": ("Slettet", "Deleted"),
    "left_column": ("Tilbage", "Left"),
    "total": ("I alt", "Total"),
    "by_people": ("Slettes af mennesker og bevidnes: {places}", "Deleted by people and attested: {places}"),
    "kept": ("Hvad der bliver, og hvorfor", "What stays, and why"),
    "kept_columns": ("System|Sted|Hvorfor|Rækker", "System|Place|Why|Rows"),
    "unowned": (
        "Rækker uden lejer: de bliver, og hvad kortet siger, de er",
        "Rows without a tenant: they stay, and what the map says they are",
    ),
    "below": ("Under rækkerne (gamle versioner, sider, indekser)", "Below the rows (old versions, pages, indexes)"),
    "below_columns": (
        "System|Sted|Svar|Før → efter|Kan stadig ligge i", "System|Place|Answer|Before → after|May still lie in",
    ),
    "kept_none": ("Intet bliver tilbage i systemerne.", "Nothing stays in the systems."),
    "none": ("Der er ingen forhåndsvisning endnu.", "There is no preview yet."),
    "state": ("Tilstand", "State"),
    "job": ("Job", "Job"),
    "digest": ("Planens kontrolsum", "Plan digest"),
    "estimate": ("Skønnet tid", "Estimated time"),
    "estimated_end": ("Tidligste slut", "Earliest end"),
    "approvals": ("Godkendelser", "Approvals"),
    "approved": ("{role} ({actor}) {at}", "{role} ({actor}) {at}"),
    "missing": ("mangler {count} (anden person, anden rolle)", "{count} missing (another person, another role)"),
    "not_asked": ("ingen er spurgt", "nobody is asked"),
    "approvals_unknown": (
        "Planlægningen svarer ikke: hvem der har godkendt, kan ikke ses lige nu.",
        "Scheduling does not answer: who has approved cannot be seen right now.",
    ),
    "expires": ("bortfalder {day}, hvis intet er begyndt", "lapse on {day} if nothing has begun"),
    "progress": ("Fremdrift", "Progress"),
    "rows": ("{done} af {planned} rækker ({percent} %)", "{done} of {planned} rows ({percent} %)"),
    "rate": ("{rate} rækker/s", "{rate} rows/s"),
    "end": ("slut ca. {at}", "end about {at}"),
    "left": ("tid tilbage: {time}", "time left: {time}"),
    "batches": ("bunker: {count}", "batches: {count}"),
    "window": ("venter på tidsrum eller tempo til {at}", "waits for window or pace until {at}"),
    "paused": (
        "på pause af {party} siden {since}; slutter af sig selv {ends}",
        "paused by {party} since {since}; ends by itself on {ends}",
    ),
    "outside": ("{count} ændringer uden for omfanget: undersøg dem", "{count} changes outside the scope: investigate"),
    "stopped": ("Standset", "Stopped"),
    "todo": ("Det skal der gøres", "What to do"),
    "who": ("Første skridt", "First step by"),
    "where": ("Sted", "Where"),
    "code": ("kode {code}", "code {code}"),
    "hold": ("Slettestop {hold} på {system}: {basis}", "Hold {hold} on {system}: {basis}"),
    "all_systems": ("alle systemer", "all systems"),
    "no_jobs": ("Forløbet har ingen sletninger endnu.", "The exit has no deletions yet."),
    "no_job": (
        "Aktiviteten {activity} har ingen sletning endnu.", "The activity {activity} has no deletion yet.",
    ),
    "no_job_remedy": (
        "den kommer, når aktiviteten er tid, og adgangene er set lukket",
        "it comes when the activity is due and its ways in were seen closed",
    ),
    "jobs": ("Sletninger i {exit}", "Deletions of {exit}"),
    "jobs_columns": ("Aktivitet|Tilstand|Slettet|Planlagt", "Activity|State|Deleted|Planned"),
    "paused_done": (
        "På pause. Den bunke, der er i gang, gøres færdig.", "Paused. The batch in hand is still closed.",
    ),
    "resumed_done": ("Genoptaget.", "Resumed."),
    "resumed_ended": (
        "Pausen varede så længe, at sletningen skal forhåndsvises og godkendes igen.",
        "The pause lasted so long that the deletion is previewed and approved anew.",
    ),
    "hold_placed": ("Slettestop {hold} er sat.", "Hold {hold} is placed."),
    "hold_lifted": ("Slettestop {hold} er ophævet.", "Hold {hold} is lifted."),
    "hold_requested": (
        "Anmodningen om {hold} er modtaget; en person fra den anden part skal være enig.",
        "The request about {hold} was received; a person of the other party has to agree.",
    ),
    "hold_overridden": ("Slettestop {hold} er sat til side af to.", "Hold {hold} was set aside by two people."),
    "approve_sure": (
        "Er det den plan, du har fået kontrolsummen på ad anden vej, og skal den godkendes?",
        "Is this the plan whose digest you got over another channel, and do you approve it?",
    ),
    "approve_done": ("Godkendt ({given} af {needed}).", "Approved ({given} of {needed})."),
    "holds": ("Slettestop i {exit}", "Holds of {exit}"),
    "holds_columns": (
        "Id|System|Tilstand|Grundlag|Sat af|Bemærk", "Id|System|State|Basis|Placed by|Note",
    ),
    "no_holds": ("Der er ingen slettestop.", "There are no holds."),
    "asked": ("{party} vil sætte det til side: {reason}", "{party} wants it set aside: {reason}"),
    "followed": ("Stop med Ctrl-C; sletningen går videre.", "Stop with Ctrl-C; the deletion goes on."),
}  # fmt: skip
STATES: dict[str, tuple[str, str]] = {
    "requested": ("under forhåndsvisning", "being previewed"),
    "previewed": ("afventer godkendelse", "waits for approval"),
    "permitted": ("tilladelse udstedt", "permitted"),
    "executing": ("sletter", "deleting"),
    "paused": ("på pause", "paused"),
    "executed": ("slettet, efterprøves", "deleted, being verified"),
    "cleaned": ("slettet, venter på bevidnelse eller efterprøvning", "deleted, waits for attestation or verification"),
    "verified": ("slettet og efterprøvet", "deleted and verified"),
    "stopped": ("standset", "stopped"),
    "cancelled": ("annulleret", "cancelled"),
    "placed": ("står", "stands"),
    "lifted": ("ophævet", "lifted"),
    "overridden": ("sat til side", "set aside"),
}
ROLES_EN = {
    "kommune_godkender": "the customer's approver",
    "ist_sletteansvarlig": "the supplier's deletion officer",
}


def say(key: str, language: str, **values: object) -> str:
    """Give the words of `key`, with `values` filled in."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def state(value: str, language: str) -> str:
    """Give a state's words; one that is not in the list stands as it is."""
    return STATES.get(value, (value, value))[LANGUAGES.index(language)]


def number(value: int, language: str) -> str:
    """Write a count with the language's thousands separator."""
    return f"{value:,}".replace(",", "." if language == "da" else ",")


def day(value: object, language: str) -> str:
    """Write a day as `01.07.2026`, in English as ISO 8601; a dash for None."""
    iso = str(value)[:10] if value else ""
    return ".".join(reversed(iso.split("-"))) if iso and language == "da" else iso or "–"
