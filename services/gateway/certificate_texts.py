"""What the pages of certificates and keys say: Danish first, English beside it."""

from __future__ import annotations

CERTIFICATES: dict[str, tuple[str, str]] = {
    "certificates_lead": (
        "Et slettebevis udstedes kun, når alle regler for dets trin er opfyldt. Det kan efterprøves uden adgang til "
        "dette system og uden at stole på os.",
        "A certificate is issued only when every rule of its stage is met. It can be verified without access to this "
        "system and without trusting us.",
    ),
    "certificates_none": ("Der er ikke bedt om noget slettebevis endnu.", "No certificate has been requested yet."),
    "stage": ("Trin", "Stage"),
    "covers": ("Omfatter", "Covers"),
    "number": ("Nummer", "Number"),
    "version": ("Version", "Version"),
    "issued_on": ("Udstedt", "Issued"),
    "seal": ("PDF'ens segl", "The PDF's seal"),
    "seal_stamped": ("PAdES {level}: tidsstemplet {on} af {by}.", "PAdES {level}: time-stamped {on} by {by}."),
    "seal_plain": ("PAdES {level}: uden tidsstempel.", "PAdES {level}: without a time stamp."),
    "seal_renewed": (
        "Leverandøren skal forny tidsstemplet inden da; hent så filen igen.",
        "The supplier is to renew the time stamp before that; fetch the file again then.",
    ),
    "seal_until": (
        "Seglet kan bedømmes af filen alene til og med {until}. Udsagnets underskrifter og loggen behøver det ikke.",
        "The seal can be judged by the file alone until {until}. The statement's signatures and the log need no seal.",
    ),
    "download": ("Hent", "Download"),
    "download_pdf": ("Hent PDF", "Download PDF"),
    "download_bundle": ("Bevismateriale (ZIP)", "Evidence bundle (ZIP)"),
    "refusals": ("Afvist, fordi", "Refused because"),
    "rehearsal": ("Øvelse", "Rehearsal"),
    "rehearsal_note": (
        "Beviset er fra en øvelse på kopier af data og er ikke et rigtigt slettebevis.",
        "This certificate is from a rehearsal on copies of data and is not a real certificate.",
    ),
    "request": ("Bed om slettebevis", "Request a certificate"),
    "request_stage": ("Hvilket trin?", "Which stage?"),
    "request_send": ("Send anmodning", "Send the request"),
    "requested": ("Anmodningen er modtaget.", "The request was received."),
    "verify": ("Sådan efterprøver du et slettebevis", "How to verify a certificate"),
    "verify_1": (
        "Hent bevismaterialet (ZIP) og nøglerne, og gem dem i samme mappe.",
        "Download the evidence bundle (ZIP) and the keys and keep them in one folder.",
    ),
    "verify_2": (
        "Få nøglerne bekræftet ad en anden vej end denne side, for eksempel i databehandleraftalen.",
        "Have the keys confirmed by another way than this page, for example in the data processing agreement.",
    ),
    "verify_3": (
        "Kør kommandoen, gerne på en maskine uden netforbindelse. Svaret er ét af tre: gyldigt, ugyldigt eller kan "
        "ikke afgøres.",
        "Run the command, offline if you like. The answer is one of three: valid, invalid or undecided.",
    ),
    "keys_lead": (
        "Nøglerne og bevisloggens hoved, som slettebeviser efterprøves med. Sammenlign dem med dem, du har fået ad "
        "anden vej.",
        "The keys and the evidence log's head that certificates are verified with. Compare them with those you got "
        "another way.",
    ),
    "keys_download": ("Hent nøglerne (keys.txt)", "Download the keys (keys.txt)"),
    "log_origin": ("Bevislog", "Evidence log"),
    "log_size": ("Antal poster", "Entries"),
    "log_root": ("Rod", "Root"),
    "checkpoint": ("Signeret loghoved", "Signed log head"),
    "key_log": ("Bevisloggens hoveder", "The evidence log's heads"),
    "key_seal": ("Leverandørens underskrift på udsagnet", "The supplier's signature on the statement"),
    "key_sign": ("Complianceansvarliges underskrift på udsagnet", "The compliance role's signature on the statement"),
    "key_pdf": ("PDF'ens segl (certifikatets aftryk)", "The PDF's seal (its certificate's fingerprint)"),
}
