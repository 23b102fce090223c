"""The people of a rehearsal: who acts in which role, under an opaque id, so that no one signs for another.

Nobody has two of the roles that approve a deletion. Names stand in the certificate document only; on the bus and in
the evidence log a person is a role and an opaque id.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts import roles


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts: `actor` is the opaque id, `login` and `name` are for pages and documents only."""

    login: str
    actor: str
    name: str
    role: str

    @property
    def party(self) -> str:
        """Give the party that the person acts for: customer, supplier or successor."""
        return roles.PARTY.get(self.role, "successor")

    @property
    def email(self) -> str:
        """Give an address that nobody has: `.invalid` leads nowhere."""
        return f"{self.login}@{'kommune' if self.party == 'customer' else 'leverandoer'}.invalid"

    def customers(self, cvr: str) -> list[str]:
        """List the customers that the person acts for: their own (`cvr`), or all of them for the supplier's people."""
        return [cvr] if self.party == "customer" else ["*"]


PEOPLE = {
    person.login: person
    for person in (
        Person("projektleder", "p-7c1e", "Karla Friis", roles.CUSTOMER_LEAD),
        Person("dpo", "p-20b9", "Mads Skjern", roles.CUSTOMER_DPO),
        Person("godkender", "p-93fa", "Ulla Jacobsen", roles.CUSTOMER_APPROVER),
        Person("leverandoer", "p-45d0", "Jens Enevold", roles.SUPPLIER_LEAD),
        Person("operatoer", "p-b816", "Vicki Hald", roles.OPERATOR),
        Person("sletteansvarlig", "p-1f6d", "Oluf Lund", roles.DELETION_OFFICER),
    )
}
CUSTOMER_LEAD = PEOPLE["projektleder"]
DPO = PEOPLE["dpo"]
CUSTOMER_APPROVER = PEOPLE["godkender"]
SUPPLIER_LEAD = PEOPLE["leverandoer"]
OPERATOR = PEOPLE["operatoer"]
DELETION_OFFICER = PEOPLE["sletteansvarlig"]
