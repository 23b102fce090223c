"""What the pages of deletion say: Danish first, English beside it."""

from __future__ import annotations

DELETION: dict[str, tuple[str, str]] = {
    "deletion_lead": (
        "Hvad der slettes, hvor langt det er, og hvad der står i vejen. Vælg en sletning for at se den sted for sted.",
        "What is deleted, how far it is, and what stands in the way. Choose a deletion to see it place by place.",
    ),
    "job_open": ("Se sletningen", "See the deletion"),
    "job_id": ("Jobbets id", "The job's id"),
    "job_none": (
        "Aktiviteten har ingen sletning endnu. Den kommer, når aktiviteten er tid, og adgangene er set lukket.",
        "The activity has no deletion yet. It comes when the activity is due and the ways in were seen closed.",
    ),
    "job_progress": ("Fremdrift", "Progress"),
    "job_rows_done": (
        "{done} af {planned} rækker slettet ({percent} %)",
        "{done} of {planned} rows deleted ({percent} %)",
    ),
    "job_left": ("Skønnet tid tilbage", "Estimated time left"),
    "job_estimate": ("Skønnet arbejdstid", "Estimated work"),
    "job_estimated_end": ("Slut, hvis den var begyndt ved forhåndsvisningen", "End, had it begun at the preview"),
    "job_waits_window": (
        "Venter på systemets tidsrum eller tempo. Næste bunke slettes tidligst {at}.",
        "Waits for the system's window or pace. The next batch is deleted {at} at the earliest.",
    ),
    "job_paused": (
        "Sletningen er sat på pause af {party} siden {since}. Den slutter af sig selv {ends} og skal da godkendes "
        "igen.",
        "The deletion was paused by {party} on {since}. It ends by itself on {ends} and is then approved anew.",
    ),
    "job_paused_customer": (
        "Kunden har sat den på pause: kun kundens projektleder kan genoptage den.",
        "The customer paused it: only the customer's project lead resumes it.",
    ),
    "job_stopped": ("Sletningen standsede", "The deletion stopped"),
    "job_stopped_safe": (
        "Intet er gået tabt, og det, der var slettet, er talt med. Et standset job tages aldrig op igen: når årsagen "
        "er "
        "væk, kommer aktiviteten igen med en ny forhåndsvisning.",
        "Nothing is lost, and what was deleted is counted. A stopped job is never taken up again: once the cause is "
        "gone, the activity comes again with a new preview.",
    ),
    "job_todo": ("Det skal der gøres", "What to do"),
    "job_todo_who": ("Første skridt", "First step by"),
    "job_where": ("Sted", "Where"),
    "job_outside": (
        "Der er talt {count} ændringer uden for omfanget. Det skal undersøges, før der udstedes noget bevis.",
        "{count} changes outside the scope were counted. Look into it before any certificate is issued.",
    ),
    "job_live_on": ("Opdatér siden af sig selv hvert 5. sekund", "Refresh the page by itself every 5 seconds"),
    "job_live_off": ("Stop med at opdatere", "Stop refreshing"),
    "job_live_is_on": ("Siden opdateres hvert 5. sekund.", "The page is refreshed every 5 seconds."),
    "job_earlier": ("Tidligere job for samme aktivitet", "Earlier jobs of the same activity"),
    "preview": ("Hvad der slettes", "What is deleted"),
    "preview_lead": (
        "I den rækkefølge, det sker. Kommer et sted uden for sine grænser, standser sletningen, før noget går tabt.",
        "In the order in which it happens. Where a place is outside its limits, the deletion stops before anything is "
        "lost.",
    ),
    "unowned": ("Rækker uden lejer", "Rows without a tenant"),
    "unowned_lead": (
        "Det kan ikke ses, hvis de er. De bliver, fordi kortet siger, hvad de er.",
        "Nobody can see whose they are. They stay because the map says what they are.",
    ),
    "below": ("Under rækkerne", "Below the rows"),
    "below_lead": (
        "Rækkerne er væk for alle opslag. Her står, hvad der er gjort ved gamle versioner, sider og indekser, og hvor "
        "bytes stadig kan ligge. Tallene er databasens egne og gælder hele stedet, også andre kunders del. Intet af "
        "det ændrer svaret om rækkerne.",
        "The rows are gone for every query. Here is what was done about old versions, pages and indexes, and where "
        "bytes may still lie. The figures are the engine's own and of the whole place, other customers' part too. "
        "None of it changes the answer about the rows.",
    ),
    "below_answer": ("Svar", "Answer"),
    "below_figures": ("Før og efter", "Before and after"),
    "below_remains": ("Kan stadig ligge i", "May still lie in"),
    "preview_none": ("Der er ingen forhåndsvisning endnu.", "There is no preview yet."),
    "turn": ("Nr.", "No."),
    "band": ("Grænse", "Limit"),
    "time": ("Skønnet tid", "Estimated time"),
    "kept": ("Hvad der bliver, og hvorfor", "What stays, and why"),
    "kept_short": ("Bliver", "Stays"),
    "places": ("steder", "places"),
    "kept_none": ("Intet bliver tilbage i systemerne.", "Nothing stays in the systems."),
    "kept_why": ("Hvorfor", "Why"),
    "picture": ("Billede af dækningen", "Picture of the coverage"),
    "picture_text": (
        "Hvert sted som en kasse med antal rækker. Tabellerne siger det samme.",
        "Every place as a box with its rows. The tables say the same.",
    ),
    "picture_said": ("{planned} rækker slettes, {kept} rækker bliver.", "{planned} rows go, {kept} rows stay."),
    "picture_narrow": (
        "Billedet vises på bredere skærme. Tabellerne har det hele.",
        "The picture is shown on wider screens. The tables have it all.",
    ),
    "consent": ("Godkendelse", "Approval"),
    "consent_none": (
        "Der er ikke bedt om godkendelse af denne plan.",
        "Nobody is asked to approve this plan.",
    ),
    "consent_given": ("Godkendt {at}", "Approved {at}"),
    "consent_missing": ("Mangler", "Missing"),
    "consent_another": (
        "en anden person i en anden rolle",
        "another person in another role",
    ),
    "consent_expires": (
        "Godkendelserne bortfalder {day}, hvis sletningen ikke er begyndt.",
        "The approvals lapse on {day} if the deletion has not begun.",
    ),
    "consent_you": (
        "Du har godkendt denne plan. Nu mangler en anden.",
        "You have approved this plan. Another is missing.",
    ),
    "consent_your_role": (
        "Din rolle har allerede godkendt. En person i en anden rolle mangler.",
        "Your role has approved already. A person in another role is missing.",
    ),
    "approve_check": (
        "Jeg har set, hvad der slettes og hvad der bliver, og kontrolsummen er den, jeg fik fra den anden part.",
        "I have seen what is deleted and what stays, and the digest is the one that I have from the other party.",
    ),
    "approve_send": ("Godkend sletningen", "Approve the deletion"),
    "approve_unchecked": (
        "Sæt kryds ved, at du har set, hvad der slettes. Intet er sendt.",
        "Tick that you have seen what is deleted. Nothing was sent.",
    ),
    "pause": ("Pause", "Pause"),
    "pause_lead": (
        "En pause virker mellem to bunker. Skal sletningen vente af en juridisk grund, så sæt et slettestop.",
        "A pause takes effect between two batches. Where the deletion has to wait for a legal reason, place a hold.",
    ),
    "pause_reason": ("Hvorfor?", "Why?"),
    "pause_send": ("Sæt på pause", "Pause the deletion"),
    "resume_send": ("Genoptag sletningen", "Resume the deletion"),
    "done_approve": ("Din godkendelse er modtaget.", "Your approval was received."),
    "done_pause": (
        "Pausen er modtaget. Den bunke, der er i gang, gøres færdig.",
        "The pause was received. The batch in hand is still closed.",
    ),
    "done_resume": ("Sletningen er genoptaget.", "The deletion was resumed."),
    "done_hold": ("Slettestoppet er sat.", "The hold is placed."),
    "done_lift": ("Slettestoppet er ophævet.", "The hold is lifted."),
    "done_requested": (
        "Anmodningen er modtaget. Den gælder først, når en person fra den anden part er enig med samme grund og "
        "dokument.",
        "The request was received. It holds only once a person of the other party agrees with the same reason and "
        "document.",
    ),
    "done_overridden": ("Slettestoppet er sat til side af to personer.", "The hold was set aside by two people."),
    "holds_lead": (
        "Mens et slettestop står, begynder ingen sletning af de systemer, og en, der er i gang, standser. En tvist "
        "eller "
        "leverandørens egen interesse er ikke et grundlag.",
        "While a hold stands, no deletion of those systems begins, and one under way stops. A dispute or the "
        "supplier's "
        "own interest is no basis.",
    ),
    "holds_none": ("Der er ingen slettestop.", "There are no holds."),
    "hold": ("Slettestop", "Hold"),
    "hold_basis": ("Grundlag", "Basis"),
    "hold_by": ("Sat af", "Placed by"),
    "hold_document": ("Dokumentets SHA-256", "The document's SHA-256"),
    "hold_document_hint": (
        "64 tegn, 0–9 og a–f. Kommandoen sha256sum FIL giver dem. Selve dokumentet sendes ikke hertil.",
        "64 characters, 0–9 and a–f. The command sha256sum FILE gives them. The document itself is not sent here.",
    ),
    "hold_place": ("Sæt et slettestop", "Place a hold"),
    "hold_place_send": ("Sæt slettestop", "Place the hold"),
    "hold_system": ("Hvilket system?", "Which system?"),
    "hold_lift": ("Ophæv {hold}", "Lift {hold}"),
    "hold_lift_send": ("Ophæv slettestop", "Lift the hold"),
    "hold_override": ("Sæt {hold} til side", "Set {hold} aside"),
    "hold_override_lead": (
        "Til brug, når den, der satte det, ikke kan eller vil ophæve det. Én beder om det, og en person fra den anden "
        "part er enig med samme grund og dokument. Hvert forsøg skrives i bevisloggen.",
        "For when whoever placed it cannot or will not lift it. One person asks, and a person of the other party "
        "agrees "
        "with the same reason and document. Every attempt is recorded in the evidence log.",
    ),
    "hold_override_send": ("Bed om, eller vær enig", "Ask, or agree"),
    "hold_override_asked": (
        "{party} har bedt om at sætte det til side: {reason}.",
        "{party} has asked to set it aside: {reason}.",
    ),
    "hold_customers": (
        "Kunden satte det: kun kunden ophæver det.",
        "The customer placed it: only the customer lifts it.",
    ),
    "holds_here": ("Slettestop for systemerne", "Holds on the systems"),
    "attestations": ("Det, mennesker sletter og bevidner", "What people delete and attest"),
    "attestations_lead": (
        "Steder, som ikke kan slettes herfra, og underdatabehandlere. Et job er først slut, når alle linjer er "
        "bevidnet.",
        "Places that cannot be deleted from here, and sub-processors. A job ends only when every line is attested.",
    ),
    "attestations_open": ("{count} af {total} mangler.", "{count} of {total} are missing."),
    "attestations_due": ("De skal være her senest {day}.", "They are due by {day}."),
    "attest_method": ("Måde", "Method"),
    "attest_by": ("Bevidnes af", "Attested by"),
    "attest_through": ("gennem {name}", "through {name}"),
    "attest_one": ("Bevidn {name}", "Attest {name}"),
    "attest_class": ("Klasse efter NIST SP 800-88", "Class by NIST SP 800-88"),
    "attest_done_on": ("Hvilken dag blev det gjort?", "On which day was it done?"),
    "attest_send": ("Bevidn", "Attest"),
    "done_attest": ("Bevidnelsen er modtaget.", "The attestation was received."),
}
