"""Connection to LISTEN and NOTIFY of PostgreSQL."""

import asyncpg
import pytest

from server.cluster.bus import BusError
from server.cluster.postgresql_connection import PostgreSQLConnection


class StoppingServerConnection:
    """Connection of the driver between a fatal error and the end of the stream."""

    def add_termination_listener(self, listener: object) -> None: ...

    async def execute(self, *_: object) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")


async def test_a_send_during_the_shutdown_of_the_server_is_a_failure_of_the_bus() -> None:
    connection = PostgreSQLConnection(StoppingServerConnection(), lambda _channel, _payload: None, lambda: None)
    with pytest.raises(BusError, match="connection lost"):
        await connection.send([("channel", b"text")])
