"""Client process with an outbox: posts each line of standard input to a room.

    python -m benchmarks.faults.outbox_client URL ROOM NICK DIRECTORY

Prints `joined` after the join, and `persisted MARKER` after the outbox write of a line.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

from benchmarks.faults.checker import extract_marker
from tui_chat.client.client import ChatClient
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import ClientEvent, OutboxItemChanged
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.room import Room
from tui_chat.protocol.errors import Unavailable


async def main(url: str, room_name: str, nick: str, directory: str) -> None:
    """Join the room, repeatedly while the server is unavailable, then post lines until the end of standard input.

    The first run saves its guest key in the directory of the outbox, and later runs use it.
    """
    key_file = Path(directory) / f"{nick}.key"
    guest_key = key_file.read_text() if key_file.exists() else None
    async with (
        Outbox(Path(directory)) as outbox,
        ChatClient(url, guest_key=guest_key, outbox=outbox, connect_in_background=True) as client,
    ):
        stream = client.events()
        room = None
        while room is None:
            with contextlib.suppress(Unavailable):
                room = await client.join(room_name, nick=nick)
        if guest_key is None:
            key_file.write_text(client.guest_key or "")
        print("joined", flush=True)
        report_task = asyncio.create_task(_report_persisted(stream))
        await _post_lines(room)
        report_task.cancel()


async def _post_lines(room: Room) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        room.post(line.rstrip("\n"))


async def _report_persisted(stream: EventQueue[ClientEvent]) -> None:
    """Print the marker of each message once the outbox has stored the message."""
    reported: set[str] = set()
    async for event in stream:
        if isinstance(event, OutboxItemChanged) and event.item.persisted:
            marker = extract_marker(event.item.text)
            if marker not in reported:
                reported.add(marker)
                print("persisted", marker, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
