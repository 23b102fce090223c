"""The stops that a system map or a target system gives, in words."""

from __future__ import annotations

from shared.words.stop import Stop

_CORRECT_MAP = (
    "Ret systemkortet, registrér det, og lad ordren pege på det nye kort.",
    "Correct the system map, register it, and let the order name the new map.",
)


def _map(da: str, en: str, todo: tuple[str, str] = _CORRECT_MAP) -> Stop:
    return Stop("map", (da, en), todo)


def _operator(da: str, en: str, todo_da: str, todo_en: str) -> Stop:
    return Stop("operator", (da, en), (todo_da, todo_en))


SYSTEMS: dict[str, Stop] = {
    "SECOND_SESSION": _operator(
        "Andre er logget ind med sletningens bruger, så det kan ikke vises, hvem der ændrede hvad. Bunken gælder ikke.",
        "Others are logged in as the deleter's user, so nobody can show who changed what. The batch was undone.",
        "Find ud af, hvis sessioner det er, og hvad de gjorde. Giv sletningen en bruger, som ingen andre har.",
        "Find out whose sessions they are and what they did. Give the deleter a user that nobody else has.",
    ),
    "PLACE_NOT_WHOLE": _map(
        "Det kan ikke bevises, at stedet er kundens alene. Intet er ændret.",
        "It cannot be proven that the place is the customer's alone. Nothing was changed.",
        ("Tag `whole` ud af systemkortet, så kun kundens rækker slettes.",
         "Take `whole` out of the system map, so that only the customer's rows go."),
    ),
    "PLACE_REFERENCED": _map(
        "Noget, der bliver, henviser til stedet. Intet er ændret.",
        "Something that stays refers to the place. Nothing was changed.",
        ("Fjern henvisningen, eller tag `whole` ud af systemkortet.",
         "Remove the reference, or take `whole` out of the system map."),
    ),
    "WHOLE_NOT_OFFERED": _map(
        "Systemkortet vil have stedet slettet som helhed, men det kan den slags system ikke.",
        "The map wants the place deleted as a whole, which that kind of system does not offer.",
        ("Tag `whole` ud af systemkortet.", "Take `whole` out of the system map."),
    ),
    "VIEW_KEEPS_ROWS": _operator(
        "En materialiseret visning gemmer en kopi af rækkerne.", "A materialised view keeps a copy of the rows.",
        "Tag den med i systemkortet, eller fjern den.", "Take it into the system map, or drop it.",
    ),
    "COPIES_GO_ELSEWHERE": _map(
        "En spand sender kopier til et sted, der ikke er i systemkortet.",
        "A bucket sends copies to a place that is not in the system map.",
        ("Tag den anden spand med i kortet, i en anden konto som et system for sig.",
         "Map the other bucket; in another account, as a system of its own."),
    ),
    "OBJECT_LEGAL_HOLD": _operator(
        "En fil er omfattet af lagerets eget »legal hold«.", "A file is under a legal hold of the store itself.",
        "Lad den, der satte det, ophæve det; vi omgår det aldrig.", "Have whoever set it lift it; we never bypass one.",
    ),
    "OBJECT_LOCKED": _operator(
        "En fil er låst af lageret til en bestemt dag.", "A file is locked by the store until a certain day.",
        "Vent, til låsen er udløbet, eller lad den, der satte den, ophæve den; vi omgår den aldrig.",
        "Wait until the lock has ended, or have whoever set it lift it; we never bypass one.",
    ),
    "ONLY_MARKED_DELETED": _operator(
        "En fil blev kun markeret som slettet; dens version er der endnu.",
        "A file was only marked as deleted; its version is still there.",
        "Giv sletningens bruger ret til at slette versioner, og se, at lageret gør det.",
        "Let the deleter's user delete versions, and see that the store does so.",
    ),
    "ACCESS_NOT_CLOSED": _operator(
        "En vej ind i et af systemerne er ikke set lukket.", "A way into one of the systems was not seen to be closed.",
        "Luk adgangen, og lad den efterprøve (siden Leverance og adgang).",
        "Close the way in and have it verified (page Delivery and access).",
    ),
    "SYSTEM_UNKNOWN": _map(
        "Planen nævner et system, der ikke er med i bestillingen.", "The plan names a system that the order does not.",
    ),
    "SCOPE_EMPTY": _map(
        "Intet system i kortet hører til denne sletning.", "No system of the map belongs to this deletion.",
    ),
    "PROBES_NOT_FOUND": _operator(
        "Søgningen fandt ikke de rækker, den selv lige havde trukket. Så kan den heller ikke vise, at noget er væk.",
        "The search did not find rows that it had just drawn. So it cannot show either that something is gone.",
        "Sammenlign læserens adgang med sletterens: samme database, samme skema, ingen filtre.",
        "Compare the reader's access with the deleter's: same database, same schema, no filters.",
    ),
    "RECORD_KEY_LOST": _operator(
        "Nøglen til bevis for den enkelte post er væk, så jobbet kunne ikke holde, hvad det lovede kunden.",
        "The key of the proof for single records is gone, so the job could not keep what it promised the customer.",
        "Find ud af, hvem der fjernede den fra sletningens database. En ny forhåndsvisning får en ny nøgle.",
        "Find out who took it out of deletion's database. A new preview gets a new key.",
    ),
    "PLACE_NOT_MAPPED": _map(
        "Systemet har et sted, som systemkortet ikke siger noget om.",
        "The system has a place that the system map says nothing of.",
    ),
    "MAP_UNKNOWN_PLACE": _map(
        "Systemkortet nævner et sted, der ikke findes i systemet.", "The map names a place that the system lacks.",
    ),
    "MAP_UNKNOWN_COLUMN": _map(
        "Systemkortet nævner en kolonne, der ikke findes.", "The map names a column that does not exist.",
    ),
    "MAP_UNKNOWN_SYSTEM": _map("Systemkortet har ikke det system.", "The system map does not have that system."),
    "MAP_UNKNOWN_FIELD": _map("Systemkortet har et felt, der ikke kendes.", "The map has a field that is not known."),
    "MAP_FIELD_MISSING": _map("Et felt mangler i systemkortet.", "A field is missing in the system map."),
    "MAP_FIELD_INVALID": _map("Et felt i systemkortet er ikke gyldigt.", "A field of the system map is not valid."),
    "MAP_PLACE_AMBIGUOUS": _map(
        "Systemkortet siger to ting om det samme sted.", "The map says two things about the same place.",
    ),
    "MAP_TENANT_KEY_MISSING": _map(
        "Systemkortet siger ikke, hvad der viser, hvis en række er.", "The map does not say what shows whose a row is.",
    ),
    "MAP_NOT_FILLED_IN": _map(
        "Systemkortet har punkter, som ingen har udfyldt.", "The map has points that nobody has filled in.",
    ),
    "MAP_UNREADABLE": _map("Systemkortet kan ikke læses.", "The system map cannot be read."),
    "MAP_DIGEST_DIFFERS": _map(
        "Systemkortet er ikke det, som ordren bandt sig til.", "The map is not the one that the order pinned.",
        ("Læg det registrerede kort tilbage, som det var.", "Put the registered map back as it was."),
    ),
    "MAP_CREDENTIAL_MISSING": _map(
        "Systemkortet mangler en bruger til læsning, sletning eller efterprøvning.",
        "The map lacks a user for reading, deleting or verifying.",
    ),
    "MAP_CREDENTIAL_SHARED": _map(
        "Den, der sletter, og den, der efterprøver, har samme bruger.",
        "Whoever deletes and whoever verifies have the same user.",
    ),
    "MAP_SECRET_MISSING": _operator(
        "En hemmelighed, som systemkortet nævner, er ikke sat.", "A secret that the system map names is not set.",
        "Sæt den hos sletteprocessen, og start den igen.", "Set it at the deleting process and start that again.",
    ),
    "CONFIG_INVALID": _operator(
        "Sletteprocessens opsætning er ikke gyldig.", "The deleting process's settings are not valid.",
        "Ret den nævnte indstilling, og start processen igen.", "Correct the named setting and start it again.",
    ),
    "TARGET_REFUSED": _operator(
        "Systemet afviser den bruger, som der arbejdes med.", "The system refuses the user that is worked with.",
        "Se, om adgangskoden er skiftet eller en rettighed er taget. Giv netop de rettigheder, formålet kræver.",
        "See whether the password was changed or a right was taken. Give exactly the rights that the purpose needs.",
    ),
    "TARGET_ERROR": _operator(
        "Systemet svarede med en fejl.", "The system answered with an error of its own.",
        "Se i systemets egen log på det tidspunkt. Er den ordnet, kommer aktiviteten igen med en ny forhåndsvisning.",
        "Look into the system's own log at that time. Once mended the activity comes again with a new preview.",
    ),
    "TARGET_NOT_MARKED": _operator(
        "Det er en øvelse, og systemet bærer ikke et frisk øvelsesmærke.",
        "This is a rehearsal, and the system carries no fresh rehearsal marker.",
        "Er det en kopi, så mærk den med `ophor rehearsal prepare`. Er det ikke, så stop her.",
        "If it is a copy, mark it with `ophor rehearsal prepare`. If it is not, stop here.",
    ),
    "VERIFIER_CAN_WRITE": _operator(
        "Den bruger, der efterprøver, må ændre data.", "The user that verifies may change data.",
        "Giv efterprøvningen en bruger, der kun kan læse.", "Give verification a user that can only read.",
    ),
    "PURPOSE_REFUSED": _operator(
        "En forbindelse blev brugt til andet end det, den blev åbnet til.",
        "A connection was used for something else than it was opened for.",
        "Det er en fejl hos os: giv den videre med tidspunktet og jobbets id.",
        "That is our fault: report it with the time and the job's id.",
    ),
    "INVENTORY_NOT_WHOLE": _operator(
        "Brugeren kan ikke se alle tabeller, så opgørelsen er ikke hel.",
        "The user cannot see all tables, so the inventory is not whole.",
        "Giv brugeren læseret til hele databasen.", "Grant the user SELECT on the whole database.",
    ),
    "ROWS_HIDDEN": _operator(
        "Rækker er skjult for brugeren, for eksempel af række-niveau-sikkerhed.",
        "Rows are hidden from the user, for example by row-level security.",
        "Giv brugeren ret til at se kundens rækker.", "Let the user see the customer's rows.",
    ),
    "ROWS_WITHOUT_TENANT": _map(
        "Der er rækker, som ikke hører til nogen lejer.", "There are rows that belong to no tenant.",
        ("Giv rækkerne deres lejer, eller skriv i systemkortet, hvad de er (without_tenant).",
         "Give the rows their tenant, or say in the map what they are (without_tenant)."),
    ),
    "TENANT_PATH_BROKEN": _map(
        "Vejen fra en række til dens lejer findes ikke i skemaet.", "The path from a row to its tenant does not exist.",
    ),
    "TENANT_AMBIGUOUS": _map(
        "Det er ikke entydigt, hvis en række er.", "It is not unambiguous whose a row is.",
    ),
    "TENANT_INVALID": _map("Lejerens nøgle passer ikke til kolonnen.", "The tenant's key does not fit the column."),
    "TENANT_NOT_IN_NAME": _map(
        "Intet i køens navn siger, at den kun er denne kundes.",
        "Nothing in the queue's name says that it is this customer's alone.",
        ("Nævn den header, der siger, hvis en besked er.", "Name the header that says whose a message is."),
    ),
    "CYCLE_NOT_BREAKABLE": _map(
        "Tabeller henviser til hinanden i ring, og ringen kan ikke brydes.",
        "Tables refer to one another in a ring that cannot be broken.",
        ("Sig i systemkortet, hvor ringen brydes, eller gør en af nøglerne mulig at tømme.",
         "Say in the map where the ring is broken, or make one of the keys nullable."),
    ),
    "ROWS_NOT_DELETABLE": _operator(
        "Rækker står der stadig, efter at de blev slettet flere gange, for eksempel på grund af en trigger.",
        "Rows are still there after having been deleted several times, for example because of a trigger.",
        "Find den trigger eller regel, der holder rækken, og slå den fra for sletterens bruger.",
        "Find the trigger or rule that keeps the row and switch it off for the deleter's user.",
    ),
    "ROW_KEY_MISSING": _operator(
        "Tabellen har ingen nøgle, så en række kan ikke nævnes entydigt.",
        "The table has no key, so a row cannot be named unambiguously.",
        "Giv tabellen en primær nøgle, eller slet den i hånden og lad det bevidne.",
        "Give the table a primary key, or delete by hand and have it attested.",
    ),
    "PLACE_NOT_DELETABLE": _operator(
        "Der kan ikke slettes enkeltvis på dette sted.", "Nothing can be deleted one by one in this place.",
        "Slet det hele i hånden, eller vent på dets udløb, og skriv i systemkortet, hvad der er tilbage.",
        "Delete the whole of it by hand or wait for its retention, and map what is left.",
    ),
    "NOT_TRANSACTIONAL": _operator(
        "Tabellens motor kan ikke tage en ændring tilbage.", "The table's engine cannot take a change back.",
        "Gør tabellen til InnoDB.", "Turn the table into InnoDB.",
    ),
    "HISTORY_KEPT": _operator(
        "Tabellen gemmer selv de rækker, der slettes.", "The table itself keeps the rows that are deleted.",
        "Fjern tabellens historik (system versioning).", "Drop the table's system versioning, history included.",
    ),
    "EFFECTS_NOT_COUNTED": _operator(
        "Databasen tæller ikke, hvad en transaktion ændrer, så ingen kan vise, at intet andet blev ramt.",
        "The database does not count what a transaction changes, so nobody can show that nothing else was touched.",
        "Slå optællingen til (PostgreSQL: track_counts) for sletterens bruger.",
        "Switch the counting on (PostgreSQL: track_counts) for the deleter's user.",
    ),
    "EXCHANGE_KEEPS_MESSAGES": _operator(
        "En exchange gemmer selv på beskeder, hvor ingen kan se dem.",
        "An exchange keeps messages itself, where nobody can look at them.",
        "Lad den løbe tom, og fjern den.", "Let it run empty and remove it.",
    ),
    "LOOKING_WOULD_DELETE": _operator(
        "Køen smider beskeder væk, der er taget for mange gange, så det ville slette at se efter.",
        "The queue drops messages that were taken too often, so looking would delete.",
        "Sæt delivery-limit til -1, til udtrædelsen er slut.", "Set delivery-limit to -1 until the exit is over.",
    ),
}  # fmt: skip
