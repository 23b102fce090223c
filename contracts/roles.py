"""The roles that people and systems act in (wire names, as the customers' access management knows them)."""

CUSTOMER_LEAD = "kommune_projektleder"
CUSTOMER_DPO = "kommune_dpo"
CUSTOMER_APPROVER = "kommune_godkender"
SUPPLIER_LEAD = "ist_projektleder"
OPERATOR = "ist_operatør"
DELETION_OFFICER = "ist_sletteansvarlig"
SUCCESSOR = "ny_leverandør"
AUDITOR = "revisor"
MONITOR = "overvågning"

CUSTOMER = frozenset({CUSTOMER_LEAD, CUSTOMER_DPO, CUSTOMER_APPROVER})
SUPPLIER = frozenset({SUPPLIER_LEAD, OPERATOR, DELETION_OFFICER})
READERS = CUSTOMER | SUPPLIER | {AUDITOR}
EVERYONE = READERS | {SUCCESSOR, MONITOR}

PARTY = {role: "customer" for role in CUSTOMER} | {role: "supplier" for role in SUPPLIER}

TITLES_DA = {
    CUSTOMER_LEAD: "Kommunens projektleder",
    CUSTOMER_DPO: "Kommunens databeskyttelsesrådgiver",
    CUSTOMER_APPROVER: "Kommunens godkender",
    SUPPLIER_LEAD: "Leverandørens projektleder",
    OPERATOR: "Leverandørens operatør",
    DELETION_OFFICER: "Leverandørens sletteansvarlige",
    SUCCESSOR: "Ny leverandør",
    AUDITOR: "Revisor",
    MONITOR: "Overvågning",
}
TITLES_EN = {
    CUSTOMER_LEAD: "The customer's project lead",
    CUSTOMER_DPO: "The customer's data protection officer",
    CUSTOMER_APPROVER: "The customer's approver",
    SUPPLIER_LEAD: "The supplier's project lead",
    OPERATOR: "The supplier's operator",
    DELETION_OFFICER: "The supplier's deletion officer",
    SUCCESSOR: "Successor",
    AUDITOR: "Auditor",
    MONITOR: "Monitoring",
}
