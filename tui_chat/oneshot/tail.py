"""`chat-tui tail`: what was said last, and then what is said."""

from collections.abc import Iterable
from datetime import datetime, tzinfo

import msgspec

from server.protocol.entries import Entry, Message
from server.protocol.limits import HISTORY_PAGE
from tui_chat.client.room import Room
from tui_chat.oneshot.visiting import Exit, Place, visit
from tui_chat.session import told


async def tail(place: Place, lines: int, *, follow: bool, as_json: bool, zone: tzinfo | None = None) -> Exit:
    """Print it.

    Args:
        place: Where.
        lines: How many of the last messages.
        follow: Go on until stopped.
        as_json: One JSON object a line, as on the wire.
        zone: The time zone of the times; the system's if None.
    """
    async with visit(place, min(max(lines, 1), HISTORY_PAGE)) as room:
        _print(await _last(room, lines), as_json, zone)
        if follow:
            async for entry in room:
                _print((entry,), as_json, zone)
    return Exit.DONE


async def _last(room: Room, count: int) -> list[Message]:
    if not count:
        return []
    while len(held := list(room.log.messages())) < count and await room.load_older():
        pass
    return held[-count:]


def _print(entries: Iterable[Entry], as_json: bool, zone: tzinfo | None) -> None:
    for entry in entries:
        if as_json:
            print(msgspec.json.encode(entry).decode(), flush=True)
        else:
            print(told.stamped(entry, datetime.fromtimestamp(entry.ts / 1000, zone)), flush=True)
