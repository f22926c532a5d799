"""Commands of the screen-reader mode in one session with an account that owns the room."""

from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

READER = (*CHAT_TUI, "--screen-reader", "--room", "lobby", "--nick", "ann")

OWNER_COMMANDS = (
    ("/topic leaves", "ann set the topic: leaves"),
    ("/topic", "Topic: leaves"),
    ("/search hello", " bob says: hello"),
    ("/list te", "tea · 3 here · leaves"),
    ("/notify all", "Notifications for tea: all messages."),
    ("/notify none", "Notifications for tea are off."),
    ("/away lunch", "You are away."),
    ("/back", "You are back."),
    ("/ignore eve", "eve is ignored."),
    ("/unignore eve", "eve is no longer ignored."),
    ("/msg bob psst", "You are in bob,"),
    ("/go tea", "You are in tea,"),
    ("/silence eve 2h noise", "ann silenced eve (until"),
    ("/unsilence eve", "ann ended the silence of eve."),
    ("/kick eve spam", "ann removed eve (spam)."),
    ("/op bob", "ann made bob moderator."),
    ("/deop bob", "ann made bob member."),
    ("/policy speak members", "ann changed the room: speak = members"),
    ("/policy", "\nspeak = members"),
    ("/invite 1 2h", "Invite for 1 person until"),
    ("/invites", "1: for 1 more person until"),
    ("/uninvite 1", "Invite 1 is revoked."),
    ("/hook CI", "Webhook CI created: http"),
    ("/hooks", "CI: by ann, "),
    ("/unhook ci", "ann revoked the webhook CI."),
    ("/hooks", "No webhooks."),
    ("/rename Green tea", "ann changed the room: name = Green tea"),
    ("/audit", " ann ended the silence of eve."),
    ("/group-code", "Only private rooms have a group code."),
    ("/create --private Board", "You are in Board,"),
    ("/group-code", "New group code of Board: "),
    ("/go Green", "You are in Green tea,"),
    ("/transfer bob", "Make bob the owner of Green tea?"),
    ("y", "ann made bob owner."),
    ("/forget", "You are in lobby,"),
    ("/go Board", "You are in Board,"),
    ("/delete-room", "Delete Board with all messages"),
    ("y", "You are no longer in Board"),
    ("/settings", "/settings is not available in screen-reader mode."),
)
"""Input lines with a part of their announcement."""


@pytest.mark.parametrize("server_options", [{"conversations": "on"}], ids=["conversations"])
async def test_commands_of_an_owner_are_executed_and_their_results_announced(
    server: RunningServer, tmp_path: Path
) -> None:
    anns_login, bobs_login = [await create_account(server, name) for name in ("ann", "bob")]
    save_login(server, anns_login, tmp_path / ".local/state/tui-chat")
    async with (
        terminal((*READER, server.url), tmp_path, rows=60) as tui,
        ChatClient(server.url, token=anns_login.token, account="ann") as ann,
        ChatClient(server.url, token=bobs_login.token, account="bob") as bob,
        ChatClient(server.url) as eve,
    ):

        async def run(line: str, expected: str) -> None:
            tui.reset_screen()
            tui.write_keys(f"{line}\r")
            await tui.wait_for_text(expected)

        await tui.wait_for_text("/quit exits.")
        await run("/create tea", "You are in tea")
        tea, eves_tea = await bob.join("tea", nick="bob"), await eve.join("tea", nick="eve")
        await eves_tea.send("hi")
        hello = (await tea.send("hello")).seq
        await tui.wait_for_text("bob says: hello")
        tui.write_keys("/reply indeed\r/react +1\r")
        await wait_until(lambda: any(message.reply_to == hello for message in tea.log.messages()))
        await wait_until(lambda: any(message.reactions for message in tea.log.messages()))
        for line, expected in OWNER_COMMANDS:
            await run(line, expected)
        await wait_until(lambda: (tea.name, tea.role, tea.policy.speak) == ("Green tea", "owner", "members"))
        memberships = [room.name for room in await ann.owned_rooms.list_memberships()]
        assert sorted(name[0] for name in memberships) == ["l", "~"], memberships  # `lobby` and the direct room
        tui.write_keys("/quit\r")
        assert await tui.wait_closed() == 0
