"""What the public verify page says: Danish first, English beside it."""

from __future__ import annotations

VERIFYING: dict[str, tuple[str, str]] = {
    "verify_title": ("Efterprøv et slettebevis", "Verify a deletion certificate"),
    "verify_lead": (
        "Vælg slettebeviset (PDF), udsagnet (DSSE) eller bevismaterialet (ZIP). Det efterprøves her og gemmes ikke.",
        "Choose the certificate (PDF), the statement (DSSE) or the bundle (ZIP). It is verified here and not kept.",
    ),
    "verify_file": ("Fil", "File"),
    "verify_file_hint": (
        "PDF, DSSE eller ZIP, højst {megabytes} MB. ZIP viser mest: kun den indeholder loggens poster.",
        "PDF, DSSE or ZIP, at most {megabytes} MB. The ZIP shows most: only it holds the log's entries.",
    ),
    "verify_trust": ("Hvad du stoler på", "What you trust"),
    "verify_own": (
        "Brug denne installations nøgler ({count})", "Use this installation's keys ({count})",
    ),
    "verify_own_hint": (
        "Det er leverandørens egne ord om, hvilke nøgler der er hans. Sammenlign dem med ordrebekræftelsen, eller "
        "indsæt dem derfra nedenfor.",
        "That is the supplier's own word on which keys are theirs. Compare them with the order confirmation, or paste "
        "them from there below.",
    ),
    "verify_own_none": (
        "Denne installation har ikke oplyst nøgler til siden. Indsæt dem fra ordrebekræftelsen.",
        "This installation has given the page no keys. Paste those of the order confirmation.",
    ),
    "verify_keys": ("Nøgler fra ordrebekræftelsen", "Keys from the order confirmation"),
    "verify_keys_hint": (
        "Én pr. linje: navn+aftryk+nøgle, eller x509-sha256:…", "One a line: name+hash+key, or x509-sha256:…",
    ),
    "verify_heads": ("Loghoveder, I selv har modtaget", "Log heads that you received yourselves"),
    "verify_heads_hint": (
        "Hele noten med underskriftslinjen, som den stod i statusbrevet.",
        "The whole note with its signature line, as it stood in the status letter.",
    ),
    "verify_witnesses": ("Vidners nøgler", "Witnesses' keys"),
    "verify_revocations": ("Listen over tilbagekaldte beviser", "The list of revoked certificates"),
    "verify_more": ("Hoveder, vidner og tilbagekaldte", "Heads, witnesses and revocations"),
    "verify_rehearsal": ("Godtag et bevis fra en øvelse", "Accept a certificate from a rehearsal"),
    "verify_rehearsal_hint": (
        "En øvelse er aldrig bevis for sletning. Uden dette flueben er svaret for en øvelse: krav ikke opfyldt.",
        "A rehearsal is never proof of deletion. Without this tick the answer for one is: policy not met.",
    ),
    "verify_send": ("Efterprøv", "Verify"),
    "verify_again": ("Efterprøv en anden fil", "Verify another file"),
    "verify_digest": (
        "QR-koden på siden nævner dette aftryk af udsagnet. Vælg selve filen; koden alene beviser ingenting.",
        "The QR code on the page names this digest of the statement. Choose the file itself; the code alone proves "
        "nothing.",
    ),
    "verify_same": ("Filens udsagn har QR-kodens aftryk.", "The file's statement has the QR code's digest."),
    "verify_other": (
        "Filens udsagn har et ANDET aftryk end QR-koden, du kom fra.",
        "The file's statement has ANOTHER digest than the QR code you came from.",
    ),
    "verify_rehearsed": ("Efterprøvet som øvelse", "Verified as a rehearsal"),
    "verify_VERIFIED": ("Efterprøvet", "Verified"),
    "verify_FAILED": ("Fejlet: stol ikke på filen", "Failed: do not trust the file"),
    "verify_MALFORMED": ("Ugyldig fil: intet i den er troet", "Malformed: nothing in it was believed"),
    "verify_malformed_text": (
        "Filen er beskadiget, ændret eller ikke en fil fra Ophør. Hent den igen samme sted; er svaret det samme, så "
        "spørg den, du har den fra. Den nøjagtige grund er på engelsk:",
        "The file is damaged, altered or none of Ophør's. Fetch it again; if the answer stays, ask whoever gave it to "
        "you. The exact reason:",
    ),
    "verify_failed_text": (
        "Filen kan læses, men den siger noget, der ikke passer. De prøver, der er mærket Fejl, siger hvad (den "
        "nøjagtige grund er på engelsk). Giv svaret til den, du har filen fra.",
        "The file can be read, but says something that is not so. The checks marked Failed say what. Tell whoever gave "
        "you the file.",
    ),
    "verify_POLICY NOT MET": ("Krav ikke opfyldt", "Policy not met"),
    "verify_policy_text": (
        "Filen passer med sig selv, men et krav mangler; se de prøver, der er mærket Krav.",
        "The file agrees with itself, but a requirement is missing; see the checks marked Policy.",
    ),
    "verify_rehearsal_banner": ("ØVELSE – IKKE BEVIS FOR SLETNING", "REHEARSAL – NOT PROOF OF DELETION"),
    "verify_level": ("Trin på stigen", "Level on the ladder"),
    "verify_level_none": ("Intet trin er nået", "No level is reached"),
    "verify_reached": ("nået", "reached"),
    "verify_not_reached": ("ikke nået", "not reached"),
    "verify_SELF-CONSISTENT": ("Passer med sig selv", "Self-consistent"),
    "verify_SIGNED": ("Underskrevet med nøgler, du gav", "Signed by keys that you gave"),
    "verify_WITNESSED": ("Bevidnet af et vidne, du gav", "Witnessed by a witness you gave"),
    "verify_TIMESTAMPED": ("Tidsstemplet", "Timestamped"),
    "verify_says": ("Hvad udsagnet siger", "What the statement says"),
    "verify_says_note": (
        "Det underskrevne udsagn gælder, ikke siden i PDF'en.", "The signed statement counts, not the page of the PDF.",
    ),
    "verify_checks": ("Prøver", "Checks"),
    "verify_check": ("Prøve", "Check"),
    "verify_result": ("Udfald", "Result"),
    "verify_detail": ("Nærmere", "Detail"),
    "verify_OK": ("Bestået", "Passed"),
    "verify_FAILED_check": ("Fejl", "Failed"),
    "verify_NOT DONE": ("Ikke udført", "Not done"),
    "verify_POLICY": ("Krav", "Policy"),
    "verify_cannot": ("Det viser svaret ikke", "What the answer does not show"),
    "verify_offline": (
        "Samme program ligger i bevismaterialet som ophor_verify.py og kan køres uden net. Det er det sikreste: så "
        "skal du heller ikke stole på denne side.",
        "The same program lies in the bundle as ophor_verify.py and runs offline. That is safest: then you need not "
        "trust this page either.",
    ),
    "verify_brake": (
        "For mange forsøg herfra. Prøv igen om {seconds} sekunder.", "Too many tries. Try again in {seconds} seconds.",
    ),
    "verify_busy": ("Andre efterprøver lige nu. Prøv igen om lidt.", "Others are verifying right now. Try again soon."),
    "verify_too_large": (
        "Filen er for stor til siden. Brug ophor_verify.py fra bevismaterialet.",
        "The file is too large for the page. Use ophor_verify.py from the bundle.",
    ),
    "verify_no_file": ("Der er ikke valgt en fil, eller den er tom.", "No file was chosen, or it is empty."),
    "verify_no_answer": (
        "Filen kunne ikke efterprøves inden for sidens grænser for tid og hukommelse. Stol ikke på den på det "
        "grundlag; brug ophor_verify.py.",
        "The file could not be verified within the page's limits of time and memory. Do not trust it on that; use "
        "ophor_verify.py.",
    ),
    "verify_public": ("Efterprøv et bevis", "Verify a certificate"),
}  # fmt: skip
