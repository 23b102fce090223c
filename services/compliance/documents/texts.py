"""The certificate's fixed wording, Danish first; what the signed statement says word for word.

"Permanent" stands in one sentence only, the one of stage BACKUP-EXPIRED.
"""

from __future__ import annotations

Both = dict[str, str]

REHEARSAL: Both = {
    "da": "ØVELSE – IKKE BEVIS FOR SLETNING. Datoerne er simulerede.",
    "en": "REHEARSAL – NOT PROOF OF DELETION. The dates are simulated.",
}
DELETED: Both = {
    "da": "{rows} i {systems} er slettet og efterprøvet senest {on}; 0 er tilbage inden for omfanget, "
    "og 0 ændringer uden for det er fundet.",
    "en": "{rows} in {systems} are deleted and verified, the last on {on}; 0 are left within the scope, "
    "and 0 changes outside it were found.",
}
ATTESTED: Both = {
    "da": "{attested} forhold er erklæret af mennesker (manuelle steder, underdatabehandlere) og er IKKE efterprøvet "
    "af os.",
    "en": "{attested} matters are attested by people (manual places, sub-processors) and NOT verified by us.",
}
UNDONE: Both = {
    "da": "Forsøg, der ville have ændret mere end omfanget: {undone}. Alt i dem blev rullet tilbage, intet blev "
    "stående, og opgaven blev stoppet.",
    "en": "Attempts that would have changed more than the scope: {undone}. All of each was rolled back, nothing of it "
    "stayed, and the job was stopped.",
}
DELETED_SEEN: Both = {
    "da": "{rows} i {systems} er slettet og efterprøvet senest {on}; 0 er tilbage i disse systemer "
    "inden for omfanget, og 0 ændringer uden for det er fundet.",
    "en": "{rows} in {systems} are deleted and verified, the last on {on}; 0 are left in these systems "
    "within the scope, and 0 changes outside it were found.",
}
NOT_PERMANENT: Both = {
    "da": "Sletningen er ikke permanent: kopier i backup består, til trinnet BACKUP-EXPIRED er udstedt.",
    "en": "The deletion is not permanent: copies in backups remain until stage BACKUP-EXPIRED is issued.",
}
PERMANENT: Both = {
    "da": "Sletningen er permanent: registrerede backupsæt: {sets}, alle konstateret fjernet, det sidste {gone}.",
    "en": "The deletion is permanent: registered backup sets: {sets}, all seen to be gone, the last on {gone}.",
}
PERMANENT_KEYS: Both = {
    "da": "Sletningen er permanent: af {sets} registrerede backupsæt er {gone_sets} konstateret fjernet; {keys} var "
    "krypteret fra deres tilblivelse, hvert med sin egen nøgle, og nøglen er konstateret destrueret i alle kopier, den "
    "sidste {gone}. De {keys} sæt kan stadig ligge et sted, men kan ikke læses; de er ikke slettet.",
    "en": "The deletion is permanent: of {sets} registered backup sets {gone_sets} were seen to be gone; {keys} were "
    "encrypted since they were made, each under a key of its own, and every copy of the key was seen to be destroyed, "
    "the last on {gone}. These {keys} sets may still lie somewhere, and cannot be read; they are not deleted.",
}
SUSPENDED: Both = {
    "da": "Systemer og steder med udskudt sletning er IKKE slettet; de er nævnt nedenfor.",
    "en": "Systems and places whose deletion is suspended are NOT deleted; they are named below.",
}
ELSEWHERE: Both = {
    "da": "Beviset dækker kun de nævnte sletninger; exittets øvrige systemer er ikke dækket af det.",
    "en": "The certificate covers the named deletions only; the exit's other systems are not covered by it.",
}
PARTIAL: Both = {
    "da": "Exittet omfatter en del af aftalen; det øvrige fortsætter og er ikke slettet.",
    "en": "The exit covers a part of the agreement; the rest continues and is not deleted.",
}
INSTRUCTED: Both = {
    "da": "Leverancen er ikke godkendt; der er slettet efter Kundens instruks af {instructed}, givet efter "
    "overdragelsen.",
    "en": "The delivery was not accepted; deletion followed the customer's instruction of {instructed}, given after it "
    "was handed over.",
}
SILENCE: Both = {
    "da": "Leverancen er ikke godkendt; der er slettet efter Kundens instruks for tavshed (B3).",
    "en": "The delivery was not accepted; deletion followed the customer's instruction for silence (B3).",
}
AMENDED: Both = {
    "da": "Et ændringstillæg underskrevet af begge parter accepterer indtil seks måneder for backup (S2 15.1).",
    "en": "An amendment signed by both parties accepts up to six months for backups (S2 15.1).",
}
STATES_28_1: dict[str, Both] = {
    "met": {
        "da": "S2 punkt 28.1 om sletning er opfyldt (frist {due}).",
        "en": "S2 clause 28.1 on deletion is met (due {due}).",
    },
    "breached": {
        "da": "S2 punkt 28.1 om sletning er OVERTRÅDT: fristen var {due}.",
        "en": "S2 clause 28.1 on deletion is BREACHED: it was due {due}.",
    },
    "pending": {
        "da": "S2 punkt 28.1 om sletning er åben (frist {due}).",
        "en": "S2 clause 28.1 on deletion is open (due {due}).",
    },
    "at_risk": {
        "da": "S2 punkt 28.1 om sletning er i fare (frist {due}).",
        "en": "S2 clause 28.1 on deletion is at risk (due {due}).",
    },
    "suspended": {
        "da": "S2 punkt 28.1 om sletning er udskudt ved option.",
        "en": "S2 clause 28.1 on deletion is suspended by an option.",
    },
    "FORCE_MAJEURE": {
        "da": "S2 punkt 28.1 om sletning står stille: force majeure (S2 23). Ophørte den i dag, var fristen {due}.",
        "en": "S2 clause 28.1 on deletion stands still: force majeure (S2 23). If that ended today, it was due {due}.",
    },
}
STOOD_STILL: Both = {
    "da": "Force majeure, meddelt inden for 5 Arbejdsdage, har flyttet fristen fra {planned} med {stood} Dage til "
    "{due} (S2 23). Om den hindrede netop sletningen, kan loggen ikke vise.",
    "en": "Force majeure, told within 5 Arbejdsdage, has moved the last day from {planned} by {stood} days to {due} "
    "(S2 23). Whether it prevented this very deletion, the log cannot show.",
}
RULES: dict[str, Both] = {
    "order": {"da": "S1/S2, som bestilt", "en": "S1/S2, as ordered"},
    "in_force": {"da": "efter den gældende plan", "en": "by the plan in force"},
    "accepted": {"da": "S1 C4, modtagerens kvittering", "en": "S1 C4, the receiver's receipt"},
    "verified": {"da": "den sidste efterprøvning", "en": "the last verification"},
    "six_months": {
        "da": "S1 D9: seks måneder efter den første faktiske sletning",
        "en": "S1 D9: six months after the first actual deletion",
    },
    "observed": {"da": "det sidste sæt, der blev konstateret fjernet", "en": "the last set that was seen to be gone"},
}
ANSWERS: dict[str, Both] = {
    "not_used": {"da": "Findes ikke hos denne Kunde (oplyst i bestillingen).", "en": "Not used (stated in the order)."},
    "NOT_IN_REHEARSAL": {"da": "Indgår ikke i øvelsen.", "en": "Not part of the rehearsal."},
    "CONTINUING_AGREEMENT": {
        "da": "Videreføres under egen aftale og er ikke slettet.",
        "en": "Continues under its own agreement and is not deleted.",
    },
    "CUSTOMER_POSSESSION": {
        "da": "Er i Kundens besiddelse og slettes af Kunden.",
        "en": "Is in the customer's possession and theirs to delete.",
    },
}
BACKUPS_NOT_COVERED: Both = {
    "da": "Backup: kopierne er ikke slettet endnu; se listen over backupsæt.",
    "en": "Backups: the copies are not deleted yet; see the list of backup sets.",
}
BACKUPS_LEFT_OUT: Both = {
    "da": "Der indgår ingen backupsæt i øvelsen: om backup er intet efterprøvet, og sletningen kaldes ikke permanent.",
    "en": "No backup set is part of the rehearsal: nothing was verified about backups, and the deletion is not called "
    "permanent.",
}
NO_BACKUP: Both = {
    "da": "Intet backupsæt er registreret for systemet; at der ingen er, er ikke efterprøvet.",
    "en": "No backup set is registered for the system; that there is none was not verified.",
}
ATTESTED_NOT_VERIFIED: Both = {
    "da": "Håndteret manuelt: erklæret med underskrevet bilag, ikke efterprøvet af os.",
    "en": "Handled manually: attested by a signed document, not verified by us.",
}
SUBPROCESSOR_NOT_USED: Both = {
    "da": "Underdatabehandleren er erklæret ikke anvendt for Kunden.",
    "en": "The sub-processor is declared not used for the customer.",
}
MEDIA_ATTESTED: Both = {
    "code": "MEDIA",
    "subject": "",
    "da": "Fysiske medier: kun de medier, erklæringerne nævner, er erklæret saneret (NIST SP 800-88); alt andet er "
    "slettet logisk.",
    "en": "Physical media: only the media that the attestations name are attested as sanitised (NIST SP 800-88); all "
    "else is deleted logically.",
}
MEDIA: Both = {
    "code": "MEDIA",
    "subject": "",
    "da": "Fysiske medier: sletningen er logisk; ingen medier er saneret (NIST SP 800-88).",
    "en": "Physical media: the deletion is logical; no media were sanitised (NIST SP 800-88).",
}
SUCCESSOR_COPY: Both = {
    "da": "Den ny leverandørs og Kundens egne kopier af de leverede data.",
    "en": "The successor's and the customer's own copies of the delivered data.",
}
SEAL_NOT_STATED: Both = {
    "code": "SEAL_TIMESTAMP",
    "da": "IKKE UDSAGT: PDF'en forsegles, efter at udsagnet er underskrevet; om seglet bærer tidsstempel (PAdES B-B "
    "eller B-LTA), viser efterprøvningens punkt 3. Loggens hoved er tidsstemplet (RFC 3161).",
    "en": "NOT STATED: the PDF is sealed after the statement was signed; check 3 of the verification shows whether the "
    "seal bears a time stamp (PAdES B-B or B-LTA). The log's head is time-stamped (RFC 3161).",
}
NOT_DONE: list[Both] = [
    {
        "code": "WITNESS",
        "da": "IKKE UDFØRT: intet vidne (anden juridisk person) har medunderskrevet loggens hoved.",
        "en": "NOT DONE: no witness (another legal person) has cosigned the log's head.",
    },
    {
        "code": "TIMESTAMP_RFC3161",
        "da": "IKKE UDFØRT: intet tidsstempel (RFC 3161) på loggens hoved; om PDF'ens segl bærer et, viser "
        "efterprøvningens punkt 3.",
        "en": "NOT DONE: no RFC 3161 time stamp on the log's head; check 3 of the verification shows whether the PDF's "
        "seal bears one.",
    },
    {
        "code": "SEPARATE_OS_USERS",
        "da": "IKKE UDFØRT: de to underskrifter sættes af to processer, men ikke under hver sin bruger på maskinen.",
        "en": "NOT DONE: the two signatures come from two processes, but not under separate OS users.",
    },
    {
        "code": "CLAUSE_TEXT_DIGEST",
        "da": "IKKE UDFØRT: klausulernes egen tekst er ikke aftrykt; profilernes aftryk står i stedet.",
        "en": "NOT DONE: no digest of the clauses' own text; the profiles' digests stand instead.",
    },
    {
        "code": "ARTICLE_30_CATEGORIES",
        "da": "IKKE UDFØRT: kategorier af registrerede og persondata er ikke afstemt med fortegnelsen (art. 30).",
        "en": "NOT DONE: categories of data subjects and data are not reconciled with the Article 30 record.",
    },
    {
        "code": "SUB_PROCESSORS",
        "da": "IKKE UDFØRT: region og underdatabehandleres bekræftelser er ikke indhentet; systemkortet nævner ingen.",
        "en": "NOT DONE: regions and sub-processors' confirmations were not collected; the system map names none.",
    },
]
REGIONS: Both = {
    "code": "REGIONS",
    "da": "IKKE UDFØRT: systemernes og underdatabehandlernes region er ikke opgjort.",
    "en": "NOT DONE: the regions of systems and sub-processors are not stated.",
}
LIMITS: Both = {
    "da": "Dokumentet viser, hvad Ophør har gjort og set gennem de nævnte systemers egne grænseflader. Det kan ikke "
    "vise, at der ikke findes kopier uden for den opgjorte liste af steder, eller at maskiner og drivere svarede "
    "sandt.",
    "en": "The document shows what Ophør did and saw through the named systems' own interfaces. It cannot show "
    "that no copies exist outside the listed places, or that machines and drivers answered truthfully.",
}
KEEPING: Both = {
    "da": "Dokumentet gemmes til 5 år efter exittets sidste trin; derefter tilbydes Kunden det samlede bevismateriale, "
    "før salte og navne slettes.",
    "en": "The document is kept until 5 years after the exit's last stage; then the bundle is offered to the "
    "customer before salts and names are deleted.",
}
