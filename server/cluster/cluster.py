"""Construction and health of the parts of one node."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from server.cluster.bus import Bus, ConnectBus
from server.cluster.log_follower import LogFollower
from server.cluster.node_registry import NodeRegistry
from server.cluster.presence_sync import PresenceOutput, PresenceSync
from server.domain.room_registry import RoomRegistry
from server.observability.supervision import Supervisor
from server.storage.database import Database
from server.storage.errors import StorageError, describe_error
from server.storage.node_repository import NodeLoad
from server.storage.presence_repository import PresenceRepository
from tui_chat.protocol import events
from tui_chat.protocol.errors import Unavailable

_FLUSH_TIMEOUT = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class ClusterMetrics:
    """Metrics of one node of a cluster.

    Attributes:
        is_bus_healthy: The message bus delivers messages.
        sent_messages: Messages that the bus has sent since the start, including heartbeats.
        dropped_messages: Messages that a full queue or the lack of a connection has dropped since the start.
        followed_rooms: Rooms whose entries of other nodes are delivered.
        gap_reads: Reads since the start of entries that did not arrive over the bus.
        clock_skew: Clock of the node minus that of the database, in seconds.
    """

    is_bus_healthy: bool
    sent_messages: int
    dropped_messages: int
    followed_rooms: int
    gap_reads: int
    clock_skew: float


@dataclass(frozen=True, slots=True)
class NodeCallbacks:
    """Functions and objects of the gateway.

    Attributes:
        deliver, record_access, reload_access, on_replaced, on_renamed, get_live_keys: As for `LogFollower`.
        room_registry: Rooms with readers.
        presence: Sender of presence and notices.
        read_load, on_fenced, on_drain: As for `NodeRegistry`.
    """

    deliver: Callable[[Sequence[events.Entry]], None]
    record_access: Callable[[Sequence[events.Entry]], None]
    reload_access: Callable[[], Awaitable[None]]
    on_replaced: Callable[[str], None]
    on_renamed: Callable[[str, str], None]
    get_live_keys: Callable[[], Collection[str]]
    room_registry: RoomRegistry[Any]
    presence: PresenceOutput
    read_load: Callable[[], NodeLoad]
    on_fenced: Callable[[], None]
    on_drain: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Parts of one node.

    Attributes:
        bus: Message bus.
        follower: Follower of the logs with readers on this node.
        registry: Registration of this node.
        presence: Synchronization of present members.
    """

    bus: Bus
    follower: LogFollower
    registry: NodeRegistry
    presence: PresenceSync

    async def follow(self, key: str) -> None:
        """Follow the log with this canonical key, then the members of its live room; return after both are read.

        Without a live room, only the log is followed.

        Raises:
            Unavailable: The database failed.
        """
        await self.follower.follow(key)
        await self.presence.follow(key)

    def health_problem(self) -> str | None:
        """Return a problem of the bus, or else of the clock, as a sentence; None in normal operation."""
        if not self.bus.is_healthy:
            return "the message bus is not available, messages of other nodes are delayed"
        return self.registry.health_problem()

    async def flush(self) -> None:
        """Wait until the queued messages are sent, at most a second; the other nodes read unsent entries themselves."""
        await self.bus.flush(_FLUSH_TIMEOUT)

    def read_metrics(self) -> ClusterMetrics:
        """Return the current metrics."""
        return ClusterMetrics(
            is_bus_healthy=self.bus.is_healthy,
            sent_messages=self.bus.sent_count,
            dropped_messages=self.bus.dropped_count,
            followed_rooms=self.follower.room_count,
            gap_reads=self.follower.gap_reads,
            clock_skew=self.registry.clock_skew,
        )


@asynccontextmanager
async def run_cluster(
    target: str,
    database: Database,
    database_target: str,
    callbacks: NodeCallbacks,
    *,
    port: int,
    now: Callable[[], int],
    supervisor: Supervisor,
) -> AsyncGenerator[Cluster]:
    """Run this process as one node of the database within the context.

    The node is registered at the start, and the bus connects in the background. The end of the context removes the
    members and the registration of this node, if the database is writable. The bus `target` is `postgres`, or the URL
    of a Redis or Valkey server; `database_target` is the URL of the database.

    Raises:
        StorageError: The database is not writable, or the driver of Redis is not installed.
    """
    # Deferred import: asyncpg is an optional dependency.
    from server.cluster.job_lock import JobLock  # noqa: PLC0415
    from server.storage.postgresql import AsyncExecutor, parse_postgresql_url  # noqa: PLC0415

    registry = NodeRegistry(
        database.nodes,
        f"{socket.gethostname()}:{port}",
        now=now,
        read_load=callbacks.read_load,
        on_fenced=callbacks.on_fenced,
        on_drain=callbacks.on_drain,
    )
    (secret,) = await database.load_secrets("cluster")
    prefix = f"chat:{secret.hex()[:12]}:"
    connect, max_payload = _create_connector(target, database_target)
    try:
        await registry.register()
    except Unavailable as error:
        raise StorageError(f"cannot register this node: {describe_error(error.__cause__ or error)}") from error
    node_id = registry.node_id
    bus = Bus(connect, node_id=node_id, prefix=prefix, max_payload=max_payload)
    follower = LogFollower(
        bus,
        database.log_tail,
        deliver=callbacks.deliver,
        record_access=callbacks.record_access,
        reload_access=callbacks.reload_access,
        on_replaced=callbacks.on_replaced,
        on_renamed=callbacks.on_renamed,
        get_live_keys=callbacks.get_live_keys,
    )
    executor = AsyncExecutor(parse_postgresql_url(database_target), pool_size=2)
    presence = PresenceSync(
        bus,
        PresenceRepository(executor, node_id),
        node_id=node_id,
        registry=callbacks.room_registry,
        output=callbacks.presence,
    )
    registry.on_nodes_dead = presence.on_nodes_dead
    presence_task = supervisor.supervise("presence", presence.run)
    tasks = [
        bus.start(supervisor),
        supervisor.supervise("log follower", follower.run),
        supervisor.supervise("node registry", registry.run),
        supervisor.supervise("job lock", JobLock(database_target, database.job_permit).run),
    ]
    try:
        yield Cluster(bus, follower, registry, presence)
    finally:
        presence_task.cancel()
        await asyncio.wait([presence_task])
        await presence.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await follower.close()
        await registry.close()
        await executor.close()


def _create_connector(target: str, database_target: str) -> tuple[ConnectBus, int | None]:
    """Return the function that connects to a bus, and the maximum size of a payload in bytes.

    The drivers are optional dependencies, so their modules are imported on demand.

    Raises:
        StorageError: The driver of Redis is not installed.
    """
    if target == "postgres":
        from server.cluster import postgresql_connection  # noqa: PLC0415

        return partial(postgresql_connection.connect, database_target), postgresql_connection.MAX_PAYLOAD
    try:
        from server.cluster import redis_connection  # noqa: PLC0415
    except ModuleNotFoundError:
        raise StorageError("a Redis bus requires redis; install tui-chat[scale]") from None
    return partial(redis_connection.connect, target), None
