"""`chat-tui who`: who is in a room."""

import msgspec

from tui_chat.cli_commands.room_visit import CliTarget, ExitCode, open_room
from tui_chat.client.errors import UnsupportedByServer


async def who(target: CliTarget, *, as_json: bool) -> ExitCode:
    """Print it, one member a line.

    Args:
        place: Where.
        as_json: One JSON object a line, as on the wire.

    Raises:
        NotServed: A plain server does not tell; nobody printed would mean nobody there.
    """
    async with open_room(target, 1) as room:
        if room.is_basic_server:
            raise UnsupportedByServer("this is a plain server: it knows only joining and talking")
        other_members = [member for member in room.members.values() if member.member_id != room.member_id]
    for member in sorted(other_members, key=lambda member: member.nick_name.casefold()):
        print(msgspec.json.encode(member).decode() if as_json else member.nick_name, flush=True)
    return ExitCode.SUCCESS
