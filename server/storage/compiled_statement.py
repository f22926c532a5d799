"""SQL statements that are compiled once and run on the cursor of the driver.

Compiled statements avoid the overhead of SQLAlchemy per statement and per row, the largest part of the cost of a
message.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect, exc
from sqlalchemy.engine.interfaces import DBAPICursor


class CompiledStatement:
    """Compiled statement with positional parameters.

    Args:
        parameters: Parameter names in the order of the values at each call.

    Raises:
        ValueError: The compiled statement expects a different parameter order.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect, parameters: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._dialect = dialect
        parameter_order: Sequence[str] = getattr(compiled, "positiontup", None) or ()
        if list(parameter_order) != list(parameters):
            raise ValueError(f"parameter order is {parameter_order}, expected {parameters}")

    def execute(self, connection: Connection, *values: Any) -> list[tuple[Any, ...]]:
        """Run the statement once and return all rows; empty if no row matches, or for a statement without rows.

        Values of the driver are not converted: SQLite returns a boolean as 0 or 1. Errors of the
        driver are raised as `DBAPIError` without parameter values.
        """
        with self._cursor(connection) as cursor:
            cursor.execute(self._sql, values)
            return list(cursor.fetchall())

    def execute_many(self, connection: Connection, rows: list[tuple[Any, ...]]) -> None:
        """Run the statement once per row of parameters, in order; errors as in `execute`."""
        with self._cursor(connection) as cursor:
            cursor.executemany(self._sql, rows)

    @contextmanager
    def _cursor(self, connection: Connection) -> Generator[DBAPICursor]:
        """Open a cursor within the context; errors of the driver are raised as `DBAPIError`."""
        driver_error = self._dialect.loaded_dbapi.Error
        cursor = connection.connection.cursor()
        try:
            yield cursor
        except driver_error as error:
            raise exc.DBAPIError.instance(self._sql, None, error, driver_error, hide_parameters=True) from error
        finally:
            cursor.close()
