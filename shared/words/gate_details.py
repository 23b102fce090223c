"""What a refusal says of its own case, in Danish: the detail itself is English, as its code's other readers have it.

A detail is a place, a system or a deletion, a colon, and what is wrong there; what has no Danish words stands as it is.
"""

from __future__ import annotations

import re

_ANSWERS = {"NOT_LOOKED": "ikke set efter endnu", "PRESENT": "findes endnu", "ERROR": "kunne ikke ses efter"}
_DANISH = (
    (r"ACTIVE-DELETED is not issued", "ACTIVE-DELETED er ikke udstedt"),
    (r"set (\S+) is (\w+)", r"sættet \1: \2"),
    (
        r"set (\S+) was found \((\w+)\) and is not catalogued so",
        r"sættet \1 er fundet (\2) og ikke optaget sådan",
    ),
    (
        r"no backup set is registered, and none cannot be assumed",
        "intet backupsæt er registreret, og at der ingen er, kan ikke antages",
    ),
    (
        r"deletion has not told that every system with backups is catalogued and gone",
        "det er ikke meldt, at alle systemer med backup er opgjort, og at alle sæt er væk",
    ),
    (r"until (\d{4}-\d\d-\d\d)", r"til og med \1"),
    (r"the exit was cancelled", "exittet er annulleret"),
    (r"nothing is known of its access", "intet er kendt om adgangen"),
    (r"access is (\w+)", r"adgangen er \1"),
    (r"access is not shown to be closed", "adgangen er ikke vist lukket"),
    (r"closed, and nobody looked whether it holds", "lukket, men ingen har set efter, om det holder"),
    (r"(\d+) grants are left", r"\1 adgange er tilbage"),
    (r"no deletion was previewed", "intet er opgjort til sletning"),
    (r"(\S+) has no place in the inventory", r"\1 har intet sted i opgørelsen"),
    (r"(\S+) is not in its scope by the plan in force", r"\1 hører ikke til efter den gældende plan"),
    (r"the intent with two approvals is not in the log", "hensigten med to godkendelser står ikke i loggen"),
    (r"two different people in two roles must approve", "to forskellige personer i to roller skal godkende"),
    (r"what was done is not the plan that was approved", "det udførte er ikke den godkendte plan"),
    (r"(\d+) changes outside the scope", r"\1 ændringer uden for omfanget"),
    (r"this job tried to change more, which was rolled back", "opgaven ville have ændret mere og blev rullet tilbage"),
    (r"the deletion is not verified", "sletningen er ikke efterprøvet"),
    (r"the verifier could not look everywhere", "efterprøvningen kunne ikke se overalt"),
    (r"(\d+) probes were found afterwards", r"\1 stikprøver blev fundet bagefter"),
    (r"the deletion has not ended", "sletningen er ikke ført til ende"),
    (r"rows were deleted after the verification", "der er slettet efter efterprøvningen"),
    (r"(\d+) rows are left", r"\1 rækker er tilbage"),
    (r"delivered and deleted rows are not reconciled", "leverede og slettede rækker er ikke afstemt"),
    (r"lost rows, and nothing is said of what lies below them", "mistede rækker, og intet er sagt om det under dem"),
    (r"no package was delivered", "ingen pakke er leveret"),
    (r"the customer rejected the last package", "Kunden afviste den sidste pakke"),
    (r"the receiver has given no receipt for the last package", "modtageren har ikke kvitteret for den sidste pakke"),
    (
        r"neither accepted nor instructed to delete at silence",
        "hverken godkendt eller dækket af en instruks om sletning ved tavshed",
    ),
    (r"the log has no final order of this exit", "loggen har ingen endelig bestilling"),
    (r"name the parties and officials first \(name_parties\)", "parterne og de ansvarlige skal navngives først"),
    (
        r"(\d+) entries wait for an entry that must come before them",
        r"\1 poster venter på en tidligere post",
    ),
    (r"the log has no plan of this exit", "loggen har ingen plan"),
    (r"the plan in force deletes nothing that is not suspended", "den gældende plan sletter kun, hvad der er udskudt"),
    (r"no deletion of the plan in force covers it", "ingen sletning i den gældende plan dækker det"),
    (r"(\d+) conflicts in the plan in force", r"\1 konflikter i den gældende plan"),
    (r"a change of the plan waits for its answer", "et forslag om ændring venter på svar"),
    (r"hold (\S+) is not lifted", r"tilbageholdelsen \1 er ikke ophævet"),
    (r"the controller's instruction to delete is not in the log", "instruksen om sletning står ikke i loggen"),
    (r"the archive has not decided", "arkivet har ikke afgjort det"),
    (r"nobody was asked to attest it", "ingen er bedt om at erklære det"),
    (
        r"called cleaned without figures, remains or an engine that can",
        "kaldt renset uden at være vist det",
    ),
    (r"keys and commitments of its records are not destroyed", "nøgler og aftryk af dens poster er ikke destrueret"),
    (
        r"before \+ arrived differs from deleted \+ retained \+ residual",
        "summen af rækker passer ikke",
    ),
    (r"the batches do not add up to the rows deleted", "portionerne summer ikke til de slettede rækker"),
    (r"(\S+) is neither attested nor declared not used", r"\1 er hverken erklæret eller meldt ikke anvendt"),
    (r"(.+) is neither attested", r"\1 er ikke erklæret"),
)


def danish(detail: str) -> str:
    """Say a refusal's detail in Danish where it has Danish words."""
    where, colon, what = detail.rpartition(": ")
    for pattern, said in _DANISH:
        found = re.fullmatch(pattern, what)
        if found:
            told = found.expand(said)
            told = re.sub("|".join(_ANSWERS), lambda one: _ANSWERS[one[0]], told)
            return where.replace("every system", "alle systemer") + colon + told
    return detail
