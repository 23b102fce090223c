"""SQL targets over SQLAlchemy core; PostgreSQL today."""

from shared.connectors.sql.postgresql import PostgresConnector

__all__ = ["PostgresConnector"]
