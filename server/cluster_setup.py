"""Membership of the server in a cluster: exchange of entries, drain and control messages."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from server.cluster import node_registry
from server.cluster.cluster import Cluster, NodeCallbacks, run_cluster
from server.gateway.account_service import AccountService
from server.gateway.dispatcher import Dispatcher
from server.gateway.node_control import NodeControl
from server.listener import StartupError
from server.observability.supervision import Supervisor
from server.settings import ServerSettings
from server.storage.database import Database
from server.storage.node_repository import NodeLoad
from tui_chat.protocol import events

DRAIN_DELAY = 10.0
"""Time for a load balancer to select other servers before the clients move, in seconds."""

MOVE_DURATION = 10.0
"""Time over which the connections of a draining server close, in seconds."""

log = logging.getLogger("chat.cluster")


@asynccontextmanager
async def run_node(
    settings: ServerSettings,
    database: Database,
    dispatcher: Dispatcher,
    account_service: AccountService,
    *,
    read_load: Callable[[], NodeLoad],
    begin_drain: Callable[[], None],
    reject_handshakes: Callable[[], None],
    now: Callable[[], int],
    supervisor: Supervisor,
) -> AsyncGenerator[Cluster | None]:
    """Exchange committed entries with the other nodes, and yield the cluster; yield None for a single node.

    In a cluster, the log follower replaces the `publish` callback of the journal. After a request to drain, `/ready`
    fails at once (`begin_drain`); after `DRAIN_DELAY`, handshakes are rejected and the clients are moved. A node that
    another node has removed closes all connections.

    Raises:
        StartupError: Other machines cannot read the uploads of this node.
        StorageError: The database is not writable, or the driver of the bus is not installed.
        Unavailable: The database failed.
    """
    target = settings.resolve_bus()
    if target == "local":
        yield None
        return
    await _require_shared_uploads(settings, database)
    handlers = dispatcher.handlers
    feed = dispatcher.membership_feed

    def record_access(changes: Sequence[events.Entry]) -> None:
        for entry in changes:
            handlers.access_control.record_change(entry)
        if feed is not None:
            feed.record_changes(changes)

    async def reload_access() -> None:
        await handlers.access_control.load()
        if feed is not None:
            feed.reload()

    def get_live_keys() -> Collection[str]:
        room_keys = handlers.room_registry.rooms.keys()
        return room_keys if feed is None else room_keys | feed.get_live_keys()

    drains: list[asyncio.Task[None]] = []

    async def drain() -> None:
        log.info("server draining: /ready returns 503, clients move to other servers")
        begin_drain()
        await asyncio.sleep(DRAIN_DELAY)
        reject_handshakes()
        await dispatcher.move_clients(MOVE_DURATION)

    callbacks = NodeCallbacks(
        deliver=database.journal.publish or handlers.publish,
        record_access=record_access,
        reload_access=reload_access,
        on_replaced=handlers.room_entry.close_room,
        on_renamed=handlers.room_entry.rename_room,
        get_live_keys=get_live_keys,
        room_registry=handlers.room_registry,
        presence=handlers.presence_broadcaster,
        read_load=read_load,
        on_fenced=lambda: dispatcher.close_connections("node was removed"),
        on_drain=lambda: drains.append(asyncio.create_task(drain())),
    )
    async with run_cluster(
        target,
        database,
        settings.resolve_database(),
        callbacks,
        port=settings.port,
        now=now,
        supervisor=supervisor,
    ) as cluster:
        database.journal.publish = cluster.follower.publish
        handlers.room_entry.follow_room = cluster.follow
        if feed is not None:
            feed.follow_log = cluster.follower.follow
        control = NodeControl(cluster.bus, cluster.follower, database, handlers, account_service)
        control_task = supervisor.supervise("control messages", control.run)
        handlers.room_catalog.count_cluster_members = cluster.presence.count_members
        handlers.presence_broadcaster.forwarder = cluster.presence
        try:
            yield cluster
        finally:
            control_task.cancel()
            await asyncio.wait({control_task})
            for task in drains:
                task.cancel()


async def _require_shared_uploads(settings: ServerSettings, database: Database) -> None:
    """Reject a directory of uploads if another machine has a node; object stores and disabled uploads always pass.

    A registered node of another machine may have crashed, so the function waits two heartbeat intervals for its
    next heartbeat.

    Raises:
        StartupError: Other machines cannot read the uploads.
        Unavailable: The database failed.
    """
    if not settings.upload_max_bytes or "://" in settings.resolve_uploads():
        return
    max_age = 2 * node_registry.HEARTBEAT_INTERVAL
    if await _list_other_machines(database, node_registry.DEAD_AFTER):
        await asyncio.sleep(max_age)
    if others := await _list_other_machines(database, max_age):
        raise StartupError(
            f"uploads: {', '.join(others)} cannot read files in a directory of this machine;"
            " use an object store (--uploads s3://BUCKET), or disable uploads (--upload-max-bytes 0)"
        )


async def _list_other_machines(database: Database, max_age: float) -> list[str]:
    """Return the labels of nodes on other machines whose last heartbeat is at most `max_age` seconds old."""
    nodes = await database.nodes.list_nodes()
    host = socket.gethostname()
    return [node.label for node in nodes if node.age <= max_age and node.label.rpartition(":")[0] != host]
