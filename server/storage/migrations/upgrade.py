"""Programmatic execution of Alembic migrations on an open connection."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection, revision: str) -> None:
    """Upgrade the schema to a revision, inside the transaction of the connection.

    Args:
        connection: Connection with an open write transaction.
        revision: Target revision; no effect if already applied.
    """
    command.upgrade(build_alembic_config(connection), revision)


def build_alembic_config(connection: Connection) -> Config:
    """Return the Alembic configuration with the migration directory and the connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
