"""Interface of the pushes to accounts that have not joined their rooms on this connection."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

from server.engineio.connection import ClientConnection
from tui_chat.protocol import events


class MembershipFeed(Protocol):
    """Sender of the messages of all rooms of an account, implemented by the conversation dialect.

    Attributes:
        follow_log: Starts the delivery of entries of other nodes, by canonical key; None for a single node.
    """

    follow_log: Callable[[str], Awaitable[None]] | None

    async def connect(self, connection: ClientConnection) -> None:
        """Subscribe a connection to the rooms of its account.

        Raises:
            Unavailable: The database is not readable.
        """
        ...

    def disconnect(self, connection: ClientConnection) -> None:
        """Remove a closed connection, which receives no further pushes; without effect for an unknown one."""
        ...

    def get_live_keys(self) -> Collection[str]:
        """Return the canonical keys of all rooms with an open subscribed connection."""
        ...

    def record_changes(self, changes: Sequence[events.Entry]) -> None:
        """Record changes of memberships by other nodes, in any order."""
        ...

    def reload(self) -> None:
        """Read the memberships again, after the loss of changes."""
        ...
