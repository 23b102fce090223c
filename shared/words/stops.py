"""Why a deletion stops, in words, and what to do about it: for every code that a job can stop with.

A stopped job has lost nothing and is never taken up again: once the cause is gone, its activity is due again, and a new
preview is approved by two people. `who` says who has to act first; a code without words is shown as it is.
"""

from __future__ import annotations

from shared.words.stop import AGAIN, WHO, Stop
from shared.words.stops_systems import SYSTEMS

__all__ = ["LANGUAGES", "STOPS", "WHO", "stop_words"]
LANGUAGES = ("da", "en")
STOPS: dict[str, Stop] = {
    "VERIFICATION_ERROR": Stop(
        "officer",
        (
            "Efterprøvningen fandt rækker, der er tilbage, en prøve, der kan findes, eller tal, der ikke stemmer.",
            "Verification found rows that are left, a probe that can still be found, or sums that are not true.",
        ),
        (
            "Se i tabellen, hvilket sted der har noget tilbage. Find ud af, hvem der skriver dertil, og luk adgangen. "
            "Der udstedes intet bevis, før en ny sletning er efterprøvet.",
            "See in the table which place has something left. Find out who writes there and close that way in. No "
            "certificate is issued until a new deletion has been verified.",
        ),
    ),
    "OUTSIDE_SCOPE": Stop(
        "officer",
        (
            "Sletningen ville have ændret noget, der ikke er kundens. Bunken blev rullet tilbage, intet af den gælder.",
            "The deletion would have changed something that is not the customer's. The batch was undone as a whole.",
        ),
        (
            "Find den fremmednøgle eller trigger, der rækker ud over kundens rækker, eller det program, der skrev "
            "samtidig. Genoptag ikke, før årsagen er kendt.",
            "Find the foreign key or trigger that reaches beyond the customer's rows, or the program that wrote at the "
            "same time. Do not go on before the cause is known.",
        ),
    ),
    "COUNT_EXCEEDS_PREVIEW": Stop(
        "approvers",
        (
            "Der er flere rækker end det, der blev godkendt (2 % over forhåndsvisningen, mindst 10 rækker).",
            "There are more rows than were approved (2 % above the preview, at least 10 rows).",
        ),
        (
            "Find ud af, hvorfra de nye rækker kommer: en åben vej ind, en kø eller en import. " + AGAIN[0],
            "Find out where the new rows come from: an open way in, a queue or an import. " + AGAIN[1],
        ),
    ),
    "COUNT_BELOW_PREVIEW": Stop(
        "approvers",
        ("Der er færre rækker end det, der blev godkendt: andre har slettet.",
         "There are fewer rows than were approved: others have deleted."),
        ("Find ud af, hvem der slettede dem, og om de er udleveret. " + AGAIN[0],
         "Find out who deleted them and whether they were delivered. " + AGAIN[1]),
    ),
    "SCHEMA_CHANGED": Stop(
        "operator",
        (
            "Skemaet er ikke det, der blev godkendt: en tabel, kolonne eller nøgle er ændret.",
            "The schema is not the one that was approved: a table, column or key has changed.",
        ),
        (
            "Hold udrulninger tilbage, til sletningen er slut, eller tag ændringen med i systemkortet. " + AGAIN[0],
            "Keep releases back until the deletion is over, or take the change into the system map. " + AGAIN[1],
        ),
    ),
    "PLAN_CHANGED": Stop(
        "approvers",
        (
            "Sletteplanen ville ikke være den samme i dag som den, der blev godkendt.",
            "The deletion plan would not be the same today as the one that was approved.",
        ),
        ("Sammenlign den nye forhåndsvisning med den gamle. " + AGAIN[0],
         "Compare the new preview with the old one. " + AGAIN[1]),
    ),
    "APPROVAL_EXPIRED": Stop(
        "approvers",
        ("En godkendelse eller en pause er 14 dage gammel.", "An approval or a pause is 14 days old."),
        AGAIN,
    ),
    "APPROVALS_MISSING": Stop(
        "approvers",
        (
            "Tilladelsen bærer ikke to personers godkendelse i to roller.",
            "The permit does not carry the approval of two people in two roles.",
        ),
        ("Lad to forskellige personer godkende den nye forhåndsvisning.",
         "Let two different people approve the new preview."),
    ),
    "PERMIT_EXPIRED": Stop(
        "officer",
        ("Tilladelsen var ældre end 24 timer, da sletningen skulle begynde.",
         "The permit was older than 24 hours when the deletion was to begin."),
        ("Se, om sletteprocessen kører (`ophor status`). " + AGAIN[0],
         "See whether the deleting process runs (`ophor status`). " + AGAIN[1]),
    ),
    "PERMIT_WRONG": Stop(
        "officer",
        ("Tilladelsen gælder ikke netop denne sletteplan.", "The permit is not for exactly this deletion plan."),
        ("Intet blev slettet. Undersøg bevisloggen, før nogen godkender igen.",
         "Nothing was deleted. Look into the evidence log before anybody approves again."),
    ),
    "HOLD_PLACED": Stop(
        "holder",
        ("Et slettestop står for et af systemerne.", "A hold stands on one of the systems."),
        ("Se slettestoppets grundlag. Når det er ophævet, kommer aktiviteten igen.",
         "Look at the basis of the hold. Once it is lifted the activity is due again."),
    ),
    "ROW_STILL_REFERENCED": Stop(
        "officer",
        ("En række, der ikke er kundens, henviser til en af kundens rækker.",
         "A row that is not the customer's refers to a row of the customer's."),
        ("Det er et fund, ikke noget, der slettes med. Find ud af, hvis rækken er, og ret systemkortet eller dataene.",
         "That is a finding, never a cascade. Find out whose the row is and correct the map or the data."),
    ),
    "DONE_BY_PEOPLE": Stop(
        "attester",
        ("Dette sted slettes af mennesker, ikke herfra.", "This place is deleted by people, not from here."),
        ("Slet det i hånden, og indsend erklæringen med bilag.", "Delete by hand and hand in the attestation."),
    ),
    "ATTESTATION_MISSING": Stop(
        "attester",
        ("Ingen har bevidnet, at dette sted er slettet.", "Nobody has attested that this place is deleted."),
        ("Indsend erklæringen med bilag.", "Hand in the attestation with its document."),
    ),
    "ATTESTATION_WRONG": Stop(
        "attester",
        ("Erklæringen har en fejl, eller den er givet af en anden part.",
         "The attestation is not of the form, or another party gave it."),
        ("Indsend en ny, som den rette part har givet.", "Hand in a new one, given by the right party."),
    ),
    "ATTESTATION_DIFFERS": Stop(
        "attester",
        ("Bilaget ved stedet er et andet end det, der blev bevidnet.",
         "The document with the place is another one than was attested."),
        ("Læg det bevidnede bilag tilbage, eller undersøg, hvem der byttede det.",
         "Put the attested document back, or find out who changed it."),
    ),
    "ATTESTATION_DOCUMENT": Stop(
        "attester",
        ("Bilaget er ikke det, der blev bevidnet.", "The document is not the attested one."),
        ("Indsend det bilag, som erklæringen nævner.", "Hand in the document that the attestation names."),
    ),
    "STEP_NOT_ALLOWED": Stop(
        "officer",
        ("Jobbet var i en tilstand, hvor skridtet ikke er tilladt.", "The job was in a state that forbids the step."),
        ("Det er en fejl hos os: giv den videre med tidspunktet og jobbets id.",
         "That is our fault: report it with the time and the job's id."),
    ),
    **SYSTEMS,
}  # fmt: skip


def stop_words(code: str, language: str) -> tuple[str, str, str]:
    """Give what happened, what to do and who has to act first, for a stop code; an unknown one is told as it is."""
    at = LANGUAGES.index(language)
    stop = STOPS.get(code)
    if stop is None:
        unknown = (f"Årsagen har koden {code}.", f"The cause has the code {code}.")
        todo = ("Slå koden op i tjenestens log.", "Look the code up in the service's log.")
        return unknown[at], todo[at], WHO["operator"][at]
    return stop.what[at], stop.todo[at], WHO[stop.who][at]
