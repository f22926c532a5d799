"""A client in a process of its own that posts what standard input says, line by line; to be killed.

    python -m tests.support.typing_client URL ROOM NICK OUTBOX_FOLDER

It writes `kept N` when so many lines are on its disk, and `sent N` when so many were
acknowledged since it started. A line `!N` posts the texts 0 to N - 1.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from tui_chat.client.chat import ChatClient
from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.outbox import Outbox
from tui_chat.client.posting import OutboxItemState


async def main(url: str, room_name: str, nick: str, folder: str) -> None:
    """Until standard input ends."""
    keys = Path(folder) / f"{nick}.key"
    guest_key = keys.read_text() if keys.exists() else None
    async with Outbox(Path(folder)) as outbox, ChatClient(url, guest_key=guest_key, outbox=outbox) as chat:
        stream = chat.events()
        room = await chat.join(room_name, nick=nick)
        keys.write_text(chat.guest_key or "")
        say("joined", len(room.unsent()))
        reading = asyncio.create_task(read_on(room.post))
        kept: set[object] = set()
        sent = 0
        async for event in stream:
            if not isinstance(event, OutboxItemChanged):
                continue
            if event.item.persisted and event.client_id not in kept:
                kept.add(event.client_id)
                say("kept", len(kept))
            if event.state is OutboxItemState.SENT:
                sent += 1
                say("sent", sent)
        await reading


async def read_on(post: Callable[[str], object]) -> None:
    """Post what comes."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        text = line.rstrip("\n")
        for each in [str(number) for number in range(int(text[1:]))] if text.startswith("!") else [text]:
            post(each)


def say(what: str, count: int) -> None:
    """A line for whoever started it."""
    print(what, count, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
