"""What a refusal says of its own case, in Danish: the detail itself is English, as its code's other readers have it.

A detail is a place, a system or a deletion, a colon, and what is wrong there; what has no Danish words stands as it is.
"""

from __future__ import annotations

import re

_ANSWERS = {
    "NOT_LOOKED": "ikke set efter endnu",
    "PRESENT": "findes endnu",
    "ERROR": "kunne ikke ses efter",
    "PACKAGE": "pakken",
    "WORK_FILES": "arbejdsfiler",
    "POSITIONS": "udtrækkets stader",
    "OWN_BACKUP": "egen backup",
}
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
        r"the last package is neither accepted nor instructed to be deleted",
        "den sidste pakke er hverken godkendt eller dækket af en instruks om sletning",
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
    (r"the retention of this exit's evidence has ended", "opbevaringen af exittets beviser er ophørt"),
    (r"entry (\d+) \((\w+)\) was forgotten", r"post \1 (\2) er glemt"),
    (r"nobody has looked for our own copies of what was delivered", "ingen har set efter vores egne kopier"),
    (r"the last package was not looked for", "der er ikke set efter den sidste pakke"),
    (r"commitments were destroyed before the customer had them", "aftryk er destrueret, før Kunden havde dem"),
    (
        r"not as many commitments were destroyed as were made",
        "der er ikke destrueret lige så mange aftryk, som der er lavet",
    ),
    (r"destruction began before its intent was in the log", "der er slettet, før hensigten stod i loggen"),
    (r"destruction began before the delivery's acceptance", "der er slettet, før leverancen var godkendt"),
    (r"destruction began before operations had ended", "der er slettet, før driften var ophørt"),
    (r"destruction began before the archive had decided", "der er slettet, før arkivet havde afgjort det"),
    (r"destruction began before deleting was instructed", "der er slettet, før sletning var instrueret"),
    (
        r"the silence instruction was not applied before the intent",
        "instruksen ved tavshed var ikke anvendt før hensigten",
    ),
    (r"the search did not find every probe before the deletion", "søgningen fandt ikke alle stikprøver før sletningen"),
    (r"its rows returned once; that is certified as (\S+)", r"dens rækker er kommet igen; det bevises som \1"),
    (r"the log does not say that any of its rows returned", "loggen siger ikke, at nogen af dens rækker kom igen"),
    (r"nobody has named the copy that (.+) came from", r"ingen har nævnt den kopi, \1 kom fra"),
    (r"(\S+) was issued before its rows returned", r"\1 er udstedt, før rækkerne kom igen"),
    (r"(\S+) was cancelled and yet destroyed", r"\1 blev annulleret og slettede alligevel"),
    (r"(\S+) is in the inventory without an answer", r"\1 står i opgørelsen uden svar"),
    (r"(\S+) is not in the inventory", r"\1 står ikke i opgørelsen"),
    (
        r"(\S+) moved the agreement's end; the plan has not followed",
        r"\1 flyttede kontraktophør; planen er ikke fulgt med",
    ),
    (r"(\S+) version (\d+) is not in the log as issued", r"\1, version \2, står ikke i loggen som udstedt"),
    (r"(\S+) version (\d+) is not the last", r"\1, version \2, er ikke den sidste"),
    (r"(\S+) version (\d+) is revoked", r"\1, version \2, er tilbagekaldt"),
    (r"a (\S+) is neither corrected nor revoked", r"\1 hverken rettes eller tilbagekaldes"),
    (r"its withdrawal is not in the log", "tilbagekaldelsen står ikke i loggen"),
    (r"was withdrawn for (\w+)", r"er tilbagekaldt af en anden grund (\1)"),
    (r"was delivered and is no system of the order", "er leveret og er ikke et system i bestillingen"),
    (r"(\d+) rows by place, (\d+) in the package", r"\1 rækker opgjort på steder, \2 i pakken"),
    (
        r"handed to a successor without the customer's transfer instruction",
        "overdraget uden Kundens overførelsesinstruks",
    ),
    (r"neither an instruction nor a way of dispatch is in the log", "hverken instruks eller forsendelse står i loggen"),
    (
        r"the log does not say how and to whom the package was sent",
        "loggen siger ikke, hvordan og til hvem pakken er sendt",
    ),
    (
        r"the receipt is older than the last delivery of the package",
        "kvitteringen er ældre end den sidste overdragelse",
    ),
    (r"the receipt's digest is not the package's", "kvitteringens aftryk er ikke pakkens"),
    (r"the scopes have no system with access of its own", "ingen af systemerne har en adgang for sig"),
    (r"the evidence log does not check against its head", "bevisloggen stemmer ikke med sit hoved"),
    (r"is suspended until (\d{4}-\d\d-\d\d)", r"er udskudt til og med \1"),
    (r"deletes nothing in the plan in force", "sletter intet i den gældende plan"),
    (
        r"answered below the rows twice, or no place of the inventory",
        "besvaret to gange under rækkerne, eller ikke i opgørelsen",
    ),
    (r"has no terminal disposition", "er ikke endeligt afklaret"),
    (r"is attested by people, so no count of it is ours", "er erklæret af mennesker; et tal for det er ikke vores"),
    (r"rows are retained without an exclusion", "rækker er beholdt uden undtagelse"),
    (r"(.+) is not on the closed list", r"\1 står ikke på den lukkede liste"),
    (r"(\d+) rows have no tenant, and no reason to stay", r"\1 rækker har ingen lejer og ingen grund til at blive"),
    (r"the steps are not in the log in their order", "skridtene står ikke i loggen i deres rækkefølge"),
    (r"another plan than the approved one", "en anden plan end den godkendte"),
    (r"not approved by two people in two roles", "ikke godkendt af to personer i to roller"),
    (r"the plan names another key", "planen nævner en anden nøgle"),
    (
        r"not encrypted since the set was made, under a key from before",
        "ikke krypteret fra tilblivelsen med en nøgle fra før",
    ),
    (r"a kind of copy of the key is not answered for", "en slags kopi af nøglen er ikke besvaret"),
    (r"not every copy of the key was seen to be destroyed", "ikke alle kopier af nøglen er set destrueret"),
    (r"the key is not this set's alone", "nøglen er ikke dette sæts alene"),
    (r"attested in the role (\S+)", r"erklæret i rollen \1"),
    (r"attested as (\S+)", r"erklæret som \1"),
    (r"a class of NIST SP 800-88 belongs to sanitised media only", "NIST SP 800-88-klasse uden sanerede medier"),
    (
        r"data stay with the customer on the customer's machine only \(S2 3\.1\)",
        "data bliver kun på Kundens egen maskine",
    ),
    (r"(PACKAGE|WORK_FILES|POSITIONS|OWN_BACKUP) (\S+) is (\w+)", r"\1 \2: \3"),
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
