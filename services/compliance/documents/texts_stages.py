"""The wording of the stages beside the deletion itself: delivery, access, correction, revocation, status letter.

Danish first. "Permanent" is said in none of them but to deny it.
"""

from __future__ import annotations

from shared.words.certificates import REASONS as REASONS

Both = dict[str, str]

TITLES: dict[str, Both] = {
    "DELIVERY": {"da": "Bevis for overdragelse", "en": "Certificate of delivery"},
    "ACCESS-CLOSED": {"da": "Bevis for lukket adgang", "en": "Certificate of closed access"},
    "REVOCATION": {"da": "Tilbagekaldelse", "en": "Revocation"},
    "STATUS": {"da": "Statusbrev", "en": "Status letter"},
}
RE_DELETION_TITLE: Both = {"da": "Bevis for fornyet sletning", "en": "Certificate of re-deletion"}
DELETION_TITLE: Both = {"da": "Slettebevis", "en": "Deletion certificate"}
DELIVERED: Both = {
    "da": "Pakken {package} med {rows} rækker i {files} filer ({bytes} bytes) er overdraget {on}, og modtageren har "
    "{accepted} kvitteret for netop dette aftryk.",
    "en": "The package {package} with {rows} rows in {files} files ({bytes} bytes) was handed over on {on}, and the "
    "receiver gave a receipt for exactly this digest on {accepted}.",
}
DELIVERED_ONLY: Both = {
    "da": "Beviset gælder overdragelsen alene og siger intet om sletning.",
    "en": "The certificate is of the handing over alone and says nothing about deletion.",
}
CLOSED: Both = {
    "da": "Adgangen til {seen} er lukket, den sidste {on}; 0 adgange er tilbage, og lukningen er efterprøvet "
    "i systemerne selv.",
    "en": "Access to {seen} is closed, the last on {on}; 0 grants are left, and the closing was checked in the "
    "systems themselves.",
}
CLOSED_BY_PEOPLE: Both = {
    "da": "For {attested} manuelle systemer er lukningen erklæret af mennesker og IKKE efterprøvet af os.",
    "en": "For {attested} manual systems the closing is attested by people and NOT verified by us.",
}
CLOSED_ONLY: Both = {
    "da": "Beviset gælder adgangen alene og siger intet om sletning.",
    "en": "The certificate is of the access alone and says nothing about deletion.",
}
CORRECTED: Both = {
    "da": "Denne version {version} erstatter version {former} af {number} ({reason}); den tidligere gælder ikke mere.",
    "en": "This version {version} replaces version {former} of {number} ({reason}); the former does not count.",
}
RETURNED: Both = {
    "da": "Slettede data kom igen efter genskabelse af en backup ({restores}, sidst set {last}); {again}, talt med "
    "ovenfor, er SLETTET IGEN og efterprøvet på ny. Fristerne er ikke flyttet, og tidligere beviser er tilbagekaldt.",
    "en": "Deleted data returned when a backup was restored ({restores}, last seen on {last}); {again}, counted in "
    "above, are DELETED AGAIN and verified anew. No date has moved, and former certificates are revoked.",
}
REVOKED: Both = {
    "da": "Beviset {number}, version {former} ({stage}), er TILBAGEKALDT {on}: {reason}. Det gælder ikke og må ikke "
    "bruges.",
    "en": "The certificate {number}, version {former} ({stage}), was REVOKED on {on}: {reason}. It does not count and "
    "must not be used.",
}
REVOKED_ONLY: Both = {
    "da": "Tilbagekaldelsen siger intet om sletning; det gør kun et gældende bevis.",
    "en": "The revocation says nothing about deletion; only a certificate that counts does.",
}
NOT_FINAL: Both = {
    "da": "Statusbrev: tilstanden den {on}. Brevet er IKKE endeligt og er intet slettebevis.",
    "en": "Status letter: the state on {on}. It is not final and is no deletion certificate.",
}
REACHED: Both = {
    "da": "Gældende beviser: {stages}.",
    "en": "Certificates that count: {stages}.",
}
NO_STAGE: Both = {"da": "ingen", "en": "none"}
GATES_OPEN: Both = {
    "da": "Uopfyldte forhold, før det endelige bevis kan udstedes: {gates}. Hvert af dem står nedenfor.",
    "en": "Unmet gates before the final certificate can be issued: {gates}. Each of them stands below.",
}
GATES_NONE: Both = {
    "da": "Intet forhold mangler for det endelige bevis; det kan udstedes.",
    "en": "No gate is left before the final certificate; it can be issued.",
}
OPEN_28_1: Both = {
    "da": "Sletningen er ikke permanent; S2 punkt 28.1 forbliver åben.",
    "en": "The deletion is not permanent; S2 clause 28.1 stays open.",
}
NOT_COVERED: dict[str, Both] = {
    "DELETION": {
        "da": "Sletning: dokumentet siger intet om, at data er slettet.",
        "en": "Deletion: the document does not say that data are deleted.",
    },
    "NOT_DELIVERED": {
        "da": "Systemet har intet i den overdragne pakke.",
        "en": "The system has nothing in the package handed over.",
    },
    "SHARED_DELIVERED": {
        "da": "Fælles koder, leveret som kopi og fortsat i brug hos andre.",
        "en": "Shared codes, delivered as a copy and still used by others.",
    },
    "CONTENT": {
        "da": "Modtagerens kvittering gælder pakkens aftryk; om indholdet er rigtigt, har Ophør ikke efterprøvet.",
        "en": "The receiver's receipt is for the package's digest; Ophør did not verify that the content is right.",
    },
    "SUSPENDED": {"da": "Udskudt ved option og ikke slettet.", "en": "Suspended by an option and not deleted."},
    "ELSEWHERE": {
        "da": "Hører under en anden sletning end dem, beviset dækker.",
        "en": "Belongs to another deletion than those the certificate covers.",
    },
    "NO_ACCESS_OF_ITS_OWN": {
        "da": "Har ingen adgang for sig, og er ikke efterprøvet her.",
        "en": "Has no access of its own, and was not checked here.",
    },
    "ATTESTED": {
        "da": "Lukningen er erklæret af mennesker, ikke efterprøvet af os.",
        "en": "The closing is attested by people, not verified by us.",
    },
    "SHARED_CODE": {
        "da": "Fælles koder, som Leverandøren eller en myndighed udsteder, bliver stående.",
        "en": "Shared codes issued by the supplier or an authority stay.",
    },
    "NOT_CUSTOMER_DATA": {"da": "Er ikke Kundens data og bliver stående.", "en": "Not the customer's data; it stays."},
    "OPTION": {"da": "Bliver stående efter Kundens option.", "en": "Stays by the customer's option."},
    "INSTRUCTION": {
        "da": "Bliver stående efter den dataansvarliges instruks.",
        "en": "Stays by the controller's instruction.",
    },
    "LAW": {"da": "Bliver stående, fordi loven kræver det.", "en": "Stays because the law requires it."},
    "UNOWNED": {
        "da": "Rækker uden lejer, som bliver stående af den nævnte grund.",
        "en": "Rows without a tenant, which stay for the stated reason.",
    },
    "EVIDENCE_KEPT": {
        "da": "Beviser uden persondata (loggen) og Leverandørens lovpligtige bogføring bliver gemt.",
        "en": "Evidence without personal data (the log) and the supplier's statutory bookkeeping are kept.",
    },
}
