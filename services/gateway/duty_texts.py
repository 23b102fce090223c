"""What the pages of notices and obligations say: Danish first, English beside it."""

from __future__ import annotations

DUTIES: dict[str, tuple[str, str]] = {
    "calendar": ("Varsler", "Notices"),
    "calendar_title": ("Kundens sidste varslingsdage", "The customer's last notice days"),
    "calendar_lead": (
        "Den sidste dag, hvor hvert varsel er givet i tide, til kl. 24.",
        "The last day on which each notice is in time, until midnight.",
    ),
    "calendar_none": ("Aftalen giver ingen varsler med frist.", "The agreement has no notices with a last day."),
    "latest_on": ("Sidste dag", "Last day"),
    "notice": ("Varsel", "Notice"),
    "clear_on": ("Forsigtig læsning", "Careful reading"),
    "clear_note": (
        "Forsigtig læsning: tæller kun hele dage imellem, som eksemplet i S2 4.2. Giv varslet senest den dag, hvis der "
        "skal være ro om det.",
        "Careful reading: counts whole days in between only, as the example in S2 4.2 does. Give notice by that day "
        "to leave no doubt.",
    ),
    "clause": ("Klausul", "Clause"),
    "date_unknown": ("Afhænger af en dato, der ikke kendes endnu", "Depends on a date that is not known yet"),
    "notice_over": ("For sent", "Too late"),
    "notice_today": ("Sidste dag er i dag", "The last day is today"),
    "notice_soon": ("Om {days} dage", "In {days} days"),
    "notice_tomorrow": ("I morgen", "Tomorrow"),
    "days_left": ("om {days} dage", "in {days} days"),
    "obligations": ("Forpligtelser", "Obligations"),
    "obligations_lead": (
        "Hvad hver part skylder efter aftalen, hvordan det står til, og hvorfor.",
        "What each party owes under the agreement, how it stands, and why.",
    ),
    "obligations_none": ("Der er ingen forpligtelser at vise endnu.", "There are no obligations to show yet."),
    "obligation": ("Forpligtelse", "Obligation"),
    "since": ("siden {day}", "since {day}"),
    "met_on": ("Opfyldt", "Met on"),
    "owed_by": ("Skyldes af", "Owed by"),
    "group_breached": ("Misligholdt", "Breached"),
    "group_at_risk": ("I risiko", "At risk"),
    "group_pending": ("Løber", "Running"),
    "group_suspended": ("Udskudt", "Suspended"),
    "group_met": ("Opfyldt", "Met"),
    "group_lapsed": ("Rettigheder, der ikke blev brugt", "Rights that were not used"),
    "group_not_started": ("Ikke sat i gang", "Not started"),
    "not_started_text": (
        "Disse gælder først, når noget sætter dem i gang, for eksempel et skriftligt krav.",
        "These hold only once something starts them, for example a written demand.",
    ),
    "holds_always": ("Gælder hele tiden", "Holds all the time"),
    "show_them": ("Vis dem", "Show them"),
}
