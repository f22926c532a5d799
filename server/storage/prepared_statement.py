"""A statement compiled once, run on the driver's own cursor.

It spares SQLAlchemy's work for every statement and row, which would be most of what a message costs.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError


class PreparedStatement:
    """A statement as the driver takes it.

    Args:
        parameters: The names of its parameters in the order in which they will be given.

    Raises:
        ValueError: The compiled statement takes them in another order.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect, parameters: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._dialect = dialect
        parameter_order: Sequence[str] = getattr(compiled, "positiontup", None) or ()
        if list(parameter_order) != list(parameters):
            raise ValueError(f"the statement takes {parameter_order}, not {parameters}")

    def fetch_all(self, connection: Connection, *values: Any) -> list[tuple[Any, ...]]:
        """Run it for the rows that it gives."""
        with self._cursor(connection) as cursor:
            cursor.execute(self._sql, values)
            return list(cursor.fetchall())

    def execute(self, connection: Connection, *values: Any) -> None:
        """Run it for what it changes."""
        with self._cursor(connection) as cursor:
            cursor.execute(self._sql, values)

    def execute_many(self, connection: Connection, rows: list[tuple[Any, ...]]) -> None:
        """Run it for each row, in order."""
        with self._cursor(connection) as cursor:
            cursor.executemany(self._sql, rows)

    @contextmanager
    def _cursor(self, connection: Connection) -> Generator[DBAPICursor]:
        driver_error = self._dialect.loaded_dbapi.Error
        cursor = connection.connection.cursor()
        try:
            yield cursor
        except driver_error as error:
            raise DBAPIError.instance(self._sql, None, error, driver_error, hide_parameters=True) from error
        finally:
            cursor.close()
