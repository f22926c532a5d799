"""Registration and heartbeats of this node, and removal of dead nodes.

- Identity: each start draws a random id, and draws again if another node has it, for example the original of a copied
  virtual machine.
- Death: a node without a heartbeat for `DEAD_AFTER` is removed by another one. Times are those of the database, so that
  the clocks of the nodes do not matter.
- Fencing: a node that was removed, for example because its process was paused, closes its connections and registers
  again. Its clients reconnect and read their rooms again.
- Outages: a node removes others only after `DEAD_AFTER` of successful heartbeats, because no node can send a heartbeat
  during an outage of the database.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress

from server.storage.node_repository import NodeLoad, NodeRepository
from tui_chat.protocol.errors import Unavailable

HEARTBEAT_INTERVAL = 3.0
"""Interval of the heartbeats in seconds."""

DEAD_AFTER = 15.0
"""Age of the last heartbeat in seconds above which a node is removed."""

MAX_CLOCK_SKEW = 1.0
"""Greatest difference of the clocks of node and database that is not reported, in seconds."""

_REMOVE_TIMEOUT = 1.0  # seconds for the removal of the row of this node at the shutdown

log = logging.getLogger("chat.cluster")


def generate_node_id() -> str:
    """Return a random node id of 64 bits."""
    return secrets.token_hex(8)


class NodeRegistry:
    """Registration of this node; call `register` first.

    Args:
        repository: Storage of nodes.
        label: Host name with the port.
        now: Wall clock, as Unix time in milliseconds.
        read_load: Returns the current load.
        on_fenced: Called when the node was removed; closes its connections.
        on_drain: Called once when the node is to move its clients to other nodes.

    Attributes:
        node_id: Identifier of this node, empty before `register`.
        on_nodes_dead: Called with the ids of nodes that this node has removed.
        clock_skew: Clock of this node minus that of the database, in seconds.
    """

    def __init__(
        self,
        repository: NodeRepository,
        label: str,
        *,
        now: Callable[[], int],
        read_load: Callable[[], NodeLoad],
        on_fenced: Callable[[], None],
        on_drain: Callable[[], None],
    ) -> None:
        self._repository = repository
        self.node_id = ""
        self._label = label
        self._now = now
        self._read_load = read_load
        self._on_fenced = on_fenced
        self._on_drain = on_drain
        self._is_draining = False
        self._is_registered = False
        self._steady_since: float | None = None  # event loop time of the first heartbeat since the last failure
        self.on_nodes_dead: Callable[[Sequence[str]], None] = lambda _: None
        self.clock_skew = 0.0

    def health_problem(self) -> str | None:
        """Return a problem of the clock as a sentence, None without one."""
        if abs(self.clock_skew) <= MAX_CLOCK_SKEW:
            return None
        return f"the clock differs from that of the database by {self.clock_skew:+.1f} seconds"

    async def register(self) -> None:
        """Register this node under a new id, drawn again while another node has it; no effect for a registered node.

        Raises:
            Unavailable: The database failed.
        """
        while not self._is_registered:
            self.node_id = generate_node_id()
            self._is_registered = await self._repository.register(self.node_id, self._label, self._read_load())

    async def run(self) -> None:
        """Send a heartbeat every `HEARTBEAT_INTERVAL`; never returns.

        A failure of the database is not raised, and restarts the time before a removal of dead nodes.
        """
        while True:
            try:
                await self.beat()
            except Unavailable:  # logged by the repository
                self._steady_since = None
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    async def beat(self) -> None:
        """Send one heartbeat, and remove dead nodes after `DEAD_AFTER` of successful heartbeats.

        A node that is not registered registers instead, under the same id. If another node has removed the
        registration, the removal is logged, and `on_fenced` is called first. The response updates `clock_skew`, and the
        first one with `is_draining` causes `on_drain`. The removal of nodes is logged and passed to `on_nodes_dead`.

        Raises:
            Unavailable: The database failed.
        """
        loop = asyncio.get_running_loop()
        load = self._read_load()
        started_at, sent_at = loop.time(), self._now()
        heartbeat = await self._repository.beat(self.node_id, load)
        if heartbeat is None:
            if self._is_registered:
                log.error("node was removed by another one, closing all connections")
                self._is_registered = False
                self._on_fenced()
            await self._repository.register(self.node_id, self._label, load)
            self._is_registered, self._steady_since = True, None
            return
        self._is_registered = True  # even after a registration whose response was lost
        if heartbeat.is_draining and not self._is_draining:
            self._is_draining = True
            self._on_drain()
        self._update_skew(sent_at, heartbeat.time, loop.time() - started_at)
        if self._steady_since is None:
            self._steady_since = started_at
        if started_at - self._steady_since >= DEAD_AFTER:
            dead = await self._repository.remove_dead(DEAD_AFTER)
            if dead:
                log.warning("removed nodes without a heartbeat: %s", ", ".join(dead))
                self.on_nodes_dead(dead)

    async def close(self) -> None:
        """Remove the registration; without effect if the database fails or takes longer than a second."""
        if self._is_registered:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(_REMOVE_TIMEOUT):
                    await self._repository.remove(self.node_id)

    def _update_skew(self, sent_at: int, database_time: int, duration: float) -> None:
        """Record the least possible clock skew, and log a warning when it begins to exceed `MAX_CLOCK_SKEW`.

        `sent_at` is the time of this node before a request of `duration` seconds, `database_time` that of the database
        during the request.
        """
        earliest = (sent_at - database_time) / 1000
        skew = max(earliest, 0.0) + min(earliest + duration, 0.0)
        if abs(skew) > MAX_CLOCK_SKEW >= abs(self.clock_skew):
            log.warning("the clock differs from that of the database by %+.1f seconds", skew)
        self.clock_skew = skew
