"""Buckets of an S3 object store as a target (see `protocol.Connector`): a place is a bucket or a prefix of one.

Rules it keeps: a row is one version, one delete marker or one unfinished upload, and its key is (object key, version
id): nothing is ever deleted without its version id, so no delete can end as a mere marker. Every bucket that the
account has is in the inventory, and within a bucket every prefix. A 404, an empty answer or a listing that breaks off
is no absence. A locked object stops the job with the date until which it is locked; where the store sends copies
elsewhere (replication, access logs, inventories), the other bucket must be in the map.
"""

from shared.connectors.s3.connector import S3Connector

__all__ = ["S3Connector"]
