"""Subcommand `chat-tui who`: print the members of a room."""

import msgspec

from tui_chat.cli_commands.room_visit import CliTarget, ExitCode, open_room
from tui_chat.client.errors import UnsupportedByServer


async def who(target: CliTarget, *, as_json: bool) -> ExitCode:
    """Print the nickname of each other member, one per line.

    The order is alphabetical, without case. A room without other members gives no output and `SUCCESS`.

    Args:
        target: Server, room and identity.
        as_json: Output in JSON Lines, with the fields of the wire protocol.

    Raises:
        UnsupportedByServer: The server is basic and sends no member list; an empty output would mean an empty room.
    """
    async with open_room(target, 1) as room:
        if room.is_basic_server:
            raise UnsupportedByServer("basic_server_only_sends")
        other_members = [member for member in room.members.values() if member.member_id != room.member_id]
    for member in sorted(other_members, key=lambda member: member.nick_name.casefold()):
        print(msgspec.json.encode(member).decode() if as_json else member.nick_name, flush=True)
    return ExitCode.SUCCESS
