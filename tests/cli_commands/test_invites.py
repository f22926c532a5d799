"""Commands `send`, `tail` and `who` of `chat-tui` with the link of an invite to a private room."""

from pathlib import Path

from server.app import RunningServer, serve
from server.settings import ServerSettings
from tests.support.accounts import PASSWORD, create_account
from tests.support.cli_command import run_command
from tests.support.storage import ManualClock
from tui_chat.client.client import ChatClient

INVALID_INVITE = "chat-tui: No such room, or the invite has expired, was revoked or is used up.\n"


async def test_an_invite_link_admits_a_guest_and_an_account_until_it_is_used_up(
    server: RunningServer, command_home: Path
) -> None:
    token = (await create_account(server, "ann")).token
    await create_account(server, "bob", password=PASSWORD)
    async with ChatClient(server.url, token=token, account="ann") as ann:
        board = await ann.owned_rooms.create(title="Board")
        invite = await ann.owned_rooms.create_invite(board.name, uses=2)
        link = ("--server", f"{server.url.replace('http', 'chat')}/{board.name}?invite={invite.code}")
        room = ("--server", server.url, "--room", board.name)
        assert await run_command(command_home, "who", *room) == (1, "", "chat-tui: No such room.\n")
        assert await run_command(command_home, "send", *link, "--nick", "cat", "from a guest") == (
            *(0, ""),
            "chat-tui: joined Board as cat\n",
        )
        assert await run_command(command_home, "send", *room, "--nick", "cat", "without the invite") == (0, "", "")
        code, output, errors = await run_command(command_home, "tail", *room, "--nick", "cat", "--no-follow")
        assert (code, errors) == (0, "chat-tui: joined Board as cat\n")
        assert [line.split(" ", 2)[2] for line in output.splitlines()] == [
            "cat: from a guest",
            "cat: without the invite",
        ]
        assert (await run_command(command_home, "login", server.url, "--account", "bob", stdin=PASSWORD))[0] == 0
        assert await run_command(command_home, "who", *link) == (
            *(0, "ann\t(account ann)\n"),
            "chat-tui: joined Board as bob\n",
        )
        assert await run_command(command_home, "who", *link) == (0, "ann\t(account ann)\n", "")
        assert await run_command(command_home, "send", *room, "from an account") == (0, "", "")
        assert (await run_command(command_home, "logout", server.url))[0] == 0
        used_up = await run_command(command_home, "send", *link, "--nick", "dan", "hi")
        assert used_up == (1, "", INVALID_INVITE)


async def test_a_revoked_expired_or_unknown_invite_is_reported(tmp_path: Path, command_home: Path) -> None:
    clock = ManualClock()
    settings = ServerSettings(port=0, database=str(tmp_path / "chat.db"), rate_limit="off")
    async with serve(settings, now=clock) as server:
        token = (await create_account(server, "ann")).token
        async with ChatClient(server.url, token=token, account="ann") as ann:
            board = await ann.owned_rooms.create(title="Board")
            revoked = await ann.owned_rooms.create_invite(board.name)
            await ann.owned_rooms.revoke_invite(board.name, revoked.id)
            expired = await ann.owned_rooms.create_invite(board.name, expires_in=60)
        clock.now += 60_000
        address = f"{server.url.replace('http', 'chat')}/{board.name}"
        for command, code in (("send", revoked.code), ("tail", expired.code), ("who", "missing")):
            text = ("hi",) if command == "send" else ()
            outcome = await run_command(command_home, command, "--server", f"{address}?invite={code}", *text)
            assert outcome == (1, "", INVALID_INVITE), command
