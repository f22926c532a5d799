"""Subcommand `chat-tui tail`: print recent messages and follow new entries."""

from collections.abc import Iterable
from datetime import datetime, tzinfo

import msgspec

from tui_chat.cli_commands.room_visit import CliTarget, ExitCode, open_room
from tui_chat.client.room import Room
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.limits import HISTORY_PAGE
from tui_chat.session import log_format


async def tail(target: CliTarget, lines: int, *, follow: bool, as_json: bool, zone: tzinfo | None = None) -> ExitCode:
    """Print the last messages of a room; with `follow`, also each new entry.

    With `lines` 0, only new entries are printed. Fewer messages are printed if the log is shorter. Without `follow`,
    the command returns after the last message.

    Args:
        target: Server, room and identity.
        lines: Number of recent messages to print first.
        follow: Continue with live entries until interrupted.
        as_json: Output in JSON Lines, with the fields of the wire protocol.
        zone: Time zone of the timestamps; None for the system time zone.
    """
    async with open_room(target, min(max(lines, 1), HISTORY_PAGE)) as room:
        _print_entries(await _latest_messages(room, lines), as_json, zone)
        if follow:
            async for entry in room:
                _print_entries((entry,), as_json, zone)
    return ExitCode.SUCCESS


async def _latest_messages(room: Room, count: int) -> list[Message]:
    if not count:
        return []
    while len(messages := list(room.log.messages())) < count and await room.load_older():
        pass
    return messages[-count:]


def _print_entries(entries: Iterable[Entry], as_json: bool, zone: tzinfo | None) -> None:
    for entry in entries:
        if as_json:
            print(msgspec.json.encode(entry).decode(), flush=True)
        else:
            moment = datetime.fromtimestamp(entry.ts / 1000, zone)
            print(f"{moment:%Y-%m-%d %H:%M:%S} {log_format.format_entry(entry)}", flush=True)
