"""Killable client process that posts the lines of its standard input.

    python -m tests.support.posting_client URL ROOM NICK OUTBOX_DIRECTORY

Standard output has a line `joined N` with the number of unsent messages after the join, then `persisted N` for each
message saved in the outbox and `sent N` for each acknowledgement, with a running total since the start. The input line
`!N` posts the texts 0 to N - 1.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from tui_chat.client.client import ChatClient
from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox_item import OutboxItemState


async def main(url: str, room_name: str, nick: str, directory: str) -> None:
    """Run until the process is killed."""
    key_file = Path(directory) / f"{nick}.key"
    guest_key = key_file.read_text() if key_file.exists() else None
    async with (
        Outbox(Path(directory)) as outbox,
        ChatClient(url, guest_key=guest_key, outbox=outbox) as client,
        asyncio.TaskGroup() as tasks,
    ):
        stream = client.events()
        room = await client.join(room_name, nick=nick)
        key_file.write_text(client.guest_key or "")
        report("joined", len(room.unsent()))
        tasks.create_task(post_lines(room.post))
        persisted_ids: set[object] = set()
        sent_count = 0
        async for event in stream:
            if not isinstance(event, OutboxItemChanged):
                continue
            if event.item.persisted and event.item.client_id not in persisted_ids:
                persisted_ids.add(event.item.client_id)
                report("persisted", len(persisted_ids))
            if event.item.state is OutboxItemState.SENT:
                sent_count += 1
                report("sent", sent_count)


async def post_lines(post: Callable[[str], object]) -> None:
    """Post the lines of standard input."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        text = line.rstrip("\n")
        for message in [str(number) for number in range(int(text[1:]))] if text.startswith("!") else [text]:
            post(message)


def report(event: str, count: int) -> None:
    """Print an event with its number."""
    print(event, count, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
