"""MongoDB as a target (see `protocol.Connector`): a place is a collection, a key the `_id` as extended JSON.

Rules it keeps: the tenant key is matched as text and, where it is a whole number, as a number too; a batch is one
transaction; rows are delivered with the union of the tenant's top-level fields, nested values as JSON.
"""

from shared.connectors.mongodb.connector import MongoConnector

__all__ = ["MongoConnector"]
