"""A folder as a target (see `protocol.Connector`): `<folder>/<place>/<tenant>/…`, a key the path below the tenant's.

Rules it keeps: nothing outside `<place>/<tenant>` is ever renamed or removed, links are removed and never followed;
a batch is moved aside first and counts from one rename on, so that a crash leaves all of it or none; directories that
became empty go too, for their names may say something about a person. The tenant's users come in by group or others.
"""

from shared.connectors.files.connector import FilesConnector

__all__ = ["FilesConnector"]
