"""Advisory lock that selects the node for the background jobs of a PostgreSQL database.

- Owner: a connection holds the lock, so that the lock ends with its node. Another node acquires the lock within
  `CHECK_INTERVAL`.
- Paused nodes: the database ends the connection of a node that sends no statement for `IDLE_TIMEOUT`.
"""

import asyncio
import logging
from typing import Any

import asyncpg

from server.cluster.postgresql_connection import CONNECTION_ERRORS
from server.storage.errors import describe_error
from server.storage.job_permit import JobPermit
from server.storage.postgresql import get_driver_options

CHECK_INTERVAL = 5.0
"""Interval of the checks of the lock in seconds."""

IDLE_TIMEOUT = 20.0
"""Seconds until the database ends a connection without statements."""

_TIMEOUT = 5.0  # seconds until a check without a response fails
_LOCK_NUMBER = 0x6A6F6273  # different from the lock of `server.storage.schema`

_driver: Any = asyncpg  # without complete types

log = logging.getLogger("chat.cluster")


class JobLock:
    """Lock on a connection of its own.

    Args:
        target: URL of the database.
        permit: Permit of the jobs; revoked by the constructor, and granted while this node has the lock.
    """

    def __init__(self, target: str, permit: JobPermit) -> None:
        self._options = get_driver_options(target)
        self._options["server_settings"]["idle_session_timeout"] = str(round(IDLE_TIMEOUT * 1000))
        self._options["command_timeout"] = _TIMEOUT
        self._permit = permit
        self._is_failing = False
        permit.revoke()

    async def run(self) -> None:
        """Acquire the lock when it is free, and check the connection every `CHECK_INTERVAL`; never returns.

        After a failure of the connection, the permit is revoked, and the next attempt opens another connection after
        `CHECK_INTERVAL`. The first of successive failures is logged.
        """
        while True:
            try:
                await self._hold()
            except CONNECTION_ERRORS as error:
                if not self._is_failing:
                    log.error("lock of the background jobs failed: %s", describe_error(error))
                self._is_failing = True
            await asyncio.sleep(CHECK_INTERVAL)

    async def _hold(self) -> None:
        """Connect, try to acquire the lock, and check the connection until it fails; grant the permit with the lock.

        Raises:
            CONNECTION_ERRORS: The connection failed; it is closed, and the permit revoked.
        """
        connection = await _driver.connect(**self._options)
        try:
            while True:
                if self._permit.is_granted:
                    await connection.execute("SELECT 1")
                elif await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK_NUMBER):
                    log.info("this node runs the background jobs of the database")
                    self._permit.grant()
                self._is_failing = False
                await asyncio.sleep(CHECK_INTERVAL)
        finally:
            self._permit.revoke()
            connection.terminate()
