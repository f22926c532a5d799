"""Runs the migrations on a connection that the server opened."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the database to revision `to`, inside the connection's transaction.

    Args:
        to: A revision's name; one that the database has already changes nothing.
    """
    command.upgrade(alembic_config(connection), revision)


def alembic_config(connection: Connection) -> Config:
    """What Alembic's commands need to find the migrations and use this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
