"""SQL targets over SQLAlchemy core: `connector`, `tenancy` and `batch` are common, the rest lies in a dialect."""

from shared.connectors.sql.mariadb import MariaConnector
from shared.connectors.sql.postgresql import PostgresConnector
from shared.connectors.sql.sqlite import SqliteConnector

__all__ = ["MariaConnector", "PostgresConnector", "SqliteConnector"]
