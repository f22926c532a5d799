"""Faulty chat-server: sends altered messages to the other servers.

Accepts the flags of `chat-server`. The fault checker must detect the altered messages of readers on other servers;
otherwise its success with the real server proves nothing.
"""

from collections.abc import Sequence
from unittest.mock import patch

from msgspec.structs import replace

from server import cli
from server.cluster.entry_exchange import EntryExchange
from tui_chat.protocol.events import Entry, Message

_send = EntryExchange.send


def send_altered(exchange: EntryExchange, key: str, committed: Sequence[Entry]) -> None:
    """Implement `EntryExchange.send` with another first word in each message."""
    _send(
        exchange,
        key,
        [
            replace(entry, message=f"altered-{entry.message}") if isinstance(entry, Message) else entry
            for entry in committed
        ],
    )


if __name__ == "__main__":
    with patch.object(EntryExchange, "send", send_altered):
        cli.main()
