"""A system in which people act (see `protocol.Connector`): `<folder>/<place>/<tenant>/` holds what they attest.

Rules it keeps: nothing here is ever deleted, frozen or closed by us, and no answer is ours: every number is that of the
newest attestation, which names the party that the map names, the role, the day and the SHA-256 of the signed document
lying beside it. Without an attestation, or where the document is another one, there is no number.
"""

from shared.connectors.manual.connector import ManualConnector

__all__ = ["ManualConnector"]
