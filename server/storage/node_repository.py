"""Nodes of one PostgreSQL database, with heartbeats by the clock of the database."""

import logging
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct, structs
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from server.storage.executor import Executor, run_or_reconnect
from server.storage.node_tables import CLOCK, nodes

log = logging.getLogger("chat.storage")

ResultT = TypeVar("ResultT")


class NodeLoad(Struct, frozen=True):
    """Load of a node.

    Attributes:
        lag: Event loop lag in seconds.
    """

    connections: int
    lag: float


class HeartbeatResponse(Struct, frozen=True):
    """Response to a heartbeat.

    Attributes:
        time: Time of the database in milliseconds since the epoch.
        is_draining: The node moves its clients to other nodes.
    """

    time: int
    is_draining: bool


class NodeRecord(Struct, frozen=True):
    """Registered node.

    Attributes:
        id: Identifier, random for each start.
        label: Host name with the port.
        uptime: Seconds since the start.
        age: Seconds since the last heartbeat.
        is_draining: The node moves its clients to other nodes.
    """

    id: str
    label: str
    uptime: float
    age: float
    load: NodeLoad
    is_draining: bool


class NodeRepository:
    """Repository of nodes; all methods raise `Unavailable` if the database fails."""

    def __init__(self, writer: Executor) -> None:
        self._writer = writer
        self._is_failing = False

    async def register(self, node_id: str, label: str, load: NodeLoad) -> bool:
        """Insert a node; return False without effect if the id is registered."""
        values = {"id": node_id, "label": label, "started_at": CLOCK, "heartbeat_at": CLOCK, **structs.asdict(load)}
        statement = insert(nodes).values(values).on_conflict_do_nothing()
        return bool(await self._run(lambda connection: connection.execute(statement).rowcount))

    async def beat(self, node_id: str, load: NodeLoad) -> HeartbeatResponse | None:
        """Record a heartbeat and the load; return None without effect if the node is not registered."""
        statement = update(nodes).where(nodes.c.id == node_id).values(heartbeat_at=CLOCK, **structs.asdict(load))
        returning = statement.returning(nodes.c.heartbeat_at, nodes.c.is_draining)
        row = await self._run(lambda connection: connection.execute(returning).one_or_none())
        return None if row is None else HeartbeatResponse(row.heartbeat_at, row.is_draining)

    async def start_drain(self, name: str) -> bool:
        """Mark the nodes with a name as draining, even again, and return whether there is one.

        Args:
            name: Id of a node, or label of one or more nodes.
        """
        statement = update(nodes).where((nodes.c.label == name) | (nodes.c.id == name)).values(is_draining=True)
        return bool(await self._run(lambda connection: connection.execute(statement).rowcount))

    async def remove_dead(self, timeout: float) -> list[str]:
        """Remove the nodes without a heartbeat for `timeout` seconds, and return their ids."""
        is_dead = nodes.c.heartbeat_at < CLOCK - round(timeout * 1000)
        statement = delete(nodes).where(is_dead).returning(nodes.c.id)
        return await self._run(lambda connection: list(connection.execute(statement).scalars()))

    async def remove(self, node_id: str) -> None:
        """Remove a node; without effect for a node that is not registered."""
        await self._run(lambda connection: connection.execute(delete(nodes).where(nodes.c.id == node_id)))

    async def list_nodes(self) -> list[NodeRecord]:
        """Return all registered nodes, oldest first."""
        return await self._run(_list_nodes)

    async def _run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run a transaction as `run_or_reconnect`; only the first of several successive failures is logged."""
        result = await run_or_reconnect(self._writer, work, self._report_outage, "storage_unwritable")
        self._is_failing = False
        return result

    def _report_outage(self, reason: str) -> None:
        if not self._is_failing:
            log.error("access to the nodes failed: %s", reason)
        self._is_failing = True


def _list_nodes(connection: Connection) -> list[NodeRecord]:
    rows = connection.execute(select(nodes, CLOCK.label("now")).order_by(nodes.c.started_at, nodes.c.id))
    return [
        NodeRecord(
            id=row.id,
            label=row.label,
            uptime=(row.now - row.started_at) / 1000,
            age=(row.now - row.heartbeat_at) / 1000,
            load=NodeLoad(row.connections, row.lag),
            is_draining=row.is_draining,
        )
        for row in rows
    ]
