"""What the page of requests says: Danish first, English beside it."""

from __future__ import annotations

REQUESTS: dict[str, tuple[str, str]] = {
    "requests": ("Anmodninger og rapport", "Requests and report"),
    "requests_lead": (
        "Hvad der er anmodet om, hvornår det senest skal besvares, og hvad der er svaret. Det, som bevisloggen selv "
        "kan besvare, besvares med det samme.",
        "What was asked for, when it is due, and what was answered. What the evidence log can answer by itself is "
        "answered at once.",
    ),
    "requests_none": ("Der er ingen anmodninger endnu.", "There are no requests yet."),
    "request_asked": ("Anmodet om", "Asked for"),
    "request_owner": ("Ejer", "Owner"),
    "request_answer": ("Svar", "Answer"),
    "request_made_on": ("Modtaget", "Received"),
    "request_new": ("Ny anmodning", "New request"),
    "request_what": ("Hvad anmodes der om?", "What is asked for?"),
    "request_basis": ("Efter hvilken bestemmelse?", "Under which clause?"),
    "request_make": ("Send anmodningen", "Send the request"),
    "request_sent": ("Anmodningen er modtaget.", "The request was received."),
    "request_evidence": ("Poster i bevisloggen: {indexes}", "Evidence entries: {indexes}"),
    "report": ("Rapport til databeskyttelsesrådgiveren", "Report to the data protection officer"),
    "report_lead": (
        "Slettefrister, dækning, rettidighed, log og hvad der udestår, som bevisloggen viser det nu. Rapporten er ikke "
        "et slettebevis.",
        "Deletion periods, coverage, timeliness, log and what is left, as the evidence log shows it now. The report is "
        "no deletion certificate.",
    ),
    "report_draw": ("Lav rapporten", "Draw the report"),
    "report_waits": ("Rapporten er under udarbejdelse.", "The report is being drawn."),
    "report_download": ("Hent rapporten (PDF)", "Download the report (PDF)"),
    "report_failed": ("Rapporten kunne ikke laves", "The report could not be drawn"),
}
