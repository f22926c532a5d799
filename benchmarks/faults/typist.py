"""A client with an outbox, as a process of its own: says each line of standard input, and is killed now and then.

    python -m benchmarks.faults.typist URL ROOM NICK FOLDER

It writes `joined` once it is in the room, and `kept MARK` when a line is on its disk.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

from benchmarks.faults.checker import mark
from server.protocol.errors import Unavailable
from tui_chat.client.chat import ChatClient
from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.outbox import Outbox
from tui_chat.client.room import Room
from tui_chat.client.stream import EventStream


async def main(url: str, room_name: str, nick: str, folder: str) -> None:
    """Until standard input ends."""
    key = Path(folder) / f"{nick}.key"
    guest_key = key.read_text() if key.exists() else None
    async with (
        Outbox(Path(folder)) as outbox,
        ChatClient(url, guest_key=guest_key, outbox=outbox, connect_in_background=True) as chat,
    ):
        stream = chat.events()
        room = None
        while room is None:
            with contextlib.suppress(Unavailable):
                room = await chat.join(room_name, nick=nick)
        if guest_key is None:
            key.write_text(chat.guest_key or "")
        print("joined", flush=True)
        telling = asyncio.create_task(_tell(stream))
        await _say_lines(room)
        telling.cancel()


async def _say_lines(room: Room) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        room.post(line.rstrip("\n"))


async def _tell(stream: EventStream) -> None:
    told: set[str] = set()
    async for event in stream:
        if isinstance(event, OutboxItemChanged) and event.item.persisted:
            name = mark(event.item.text)
            if name not in told:
                told.add(name)
                print("kept", name, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
