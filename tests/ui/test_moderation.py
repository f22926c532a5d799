"""Moderation commands of the chat screen on a real server."""

import re
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import RoomLost
from tui_chat.protocol.errors import Forbidden
from tui_chat.session import auto_away, delayed_deletions
from tui_chat.ui import app
from tui_chat.ui.screens.confirm import ConfirmScreen
from tui_chat.ui.screens.join import JoinScreen


async def save_admin_login(server: RunningServer, tmp_path: Path) -> None:
    """Create the administrator `root`, and log in the client of this nickname."""
    save_login(server, await create_account(server, "root", role="admin"), tmp_path / "root" / "state")


async def test_a_guest_learns_the_reasons_of_refusals_and_of_a_kick(server: RunningServer, tmp_path: Path) -> None:
    token = (await create_account(server, "root", role="admin")).token
    async with (
        ChatClient(server.url, token=token, account="root") as root_client,
        chat_app_in_room(tmp_path, server.url, "ann lee") as ann,
    ):
        tea = await root_client.join("tea", nick="root")
        await ann.wait_for_text("2 here")
        for command in ("/kick root", "/silence root 2h", "/audit"):
            await ann.send_message(command)
            await ann.wait_for_text("Only moderators can do this.")
        await tea.moderation.kick(ann.sdk_room("tea").member_id, "spam")
        await ann.wait_until(lambda: isinstance(ann.app.screen, JoinScreen))
        await ann.wait_for_text("You are no longer in tea: root removed “ann")


async def test_an_administrator_deletes_silences_and_bans_with_commands_and_a_nickname_with_a_space(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delayed_deletions, "UNDO_SECONDS", 0.01)
    await save_admin_login(server, tmp_path)
    async with ChatClient(server.url) as guest, chat_app_in_room(tmp_path, server.url, "root") as root:
        events = guest.events()
        tea = await guest.join("tea", nick="ann lee")
        await root.wait_for_text("2 here")
        await tea.send("rude")
        await root.wait_for_text("rude")
        await root.send_message("/delete ann lee")
        await root.wait_for_text("Delete this message of ann lee for everyone?")
        await root.press("y")
        await root.wait_for_text("message deleted")
        await wait_until(lambda: any(message.deleted for message in tea.log.messages()))
        await root.send_message("/silence ann lee 7x")
        await root.wait_for_text("7x is not a duration")
        await root.send_message("/silence @ann lee: 2h calm down")
        await root.wait_for_text("root silenced “ann lee” (until")
        with pytest.raises(Forbidden, match="silenced"):
            await tea.send("hi")
        await root.send_message("/sanctions")
        await root.wait_for_text("/unsilence ann lee ends it")
        await root.send_message("/unsilence ann lee")
        await root.wait_for_text("root ended the silence of “ann lee”.")
        await root.send_message("/unsilence ann lee")
        await root.wait_for_text("No change for “ann lee”.")
        await tea.send("buy now")
        await root.wait_for_text("buy now")
        await root.send_message("/ban nobody")
        await root.wait_for_text("No such nickname: nobody.")
        await root.send_message("/ban ann lee --delete 8d")
        await root.wait_for_text("Add a duration of at most 7 days after --delete")
        await ban_after_question(root)
        async for event in events:
            if isinstance(event, RoomLost):
                break
        await root.wait_until(lambda: "buy now" not in root.screen_text())
        await root.send_message("/unban ann lee")
        await root.wait_for_text("root ended the ban of “ann lee”.")
        await guest.join("tea", nick="ann lee")
        await root.send_message("/audit")
        audit_line = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d root ended the ban of")
        await root.wait_until(lambda: audit_line.search(root.screen_text()))


async def ban_after_question(root: ChatAppDriver) -> None:
    """Ban a guest and delete its messages; the first of two questions, which name all effects, is cancelled."""
    for key in ("escape", "y"):
        await root.send_message("/ban ann lee --delete 1h 7d spam")
        await root.wait_until(lambda: isinstance(root.app.screen, ConfirmScreen))
        await root.wait_for_text("All guests with the same network address")
        await root.wait_for_text("of the last 1h are deleted")
        await root.press(key)
        await root.wait_until(lambda: not isinstance(root.app.screen, ConfirmScreen))
    await root.wait_for_text("root banned “ann lee” (until")


async def test_a_manual_or_automatic_status_is_visible_to_others(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "IDLE_CHECK_INTERVAL", 0.02)
    monkeypatch.setattr(auto_away, "MINUTE", 0.01)
    async with (
        ChatClient(server.url) as bob_client,
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann,
    ):
        tea = await bob_client.join("tea", nick="bob")
        await bob_client.user.set_status(away=True, text="lunch")
        await ann.wait_until(lambda: any("bob" in row and "away" in row for row in ann.screen_text().splitlines()))
        await ann.send_message("/whois bob")
        await ann.wait_for_text("away: lunch")
        await ann.send_message("/away tea break")
        await ann.wait_for_text("You are away.")
        await ann.wait_until(lambda: [member.away for member in tea.members.values()].count("tea break") == 1)
        await ann.send_message("/back")
        own_id = ann.sdk_room("tea").member_id
        await ann.wait_until(lambda: tea.members[own_id].away is None)
        await ann.send_message("/set away_after 1")
        await ann.wait_until(lambda: tea.members[own_id].away == "")
        await ann.send_message("/set away_after 0")
        await ann.wait_until(lambda: tea.members[own_id].away is None)


async def test_mentions_of_all_rooms_are_listed(server: RunningServer, tmp_path: Path) -> None:
    await save_admin_login(server, tmp_path)
    async with ChatClient(server.url) as bob, chat_app_in_room(tmp_path, server.url, "root") as root:
        await root.send_message("/mentions")
        await root.wait_for_text("No mentions.")
        tea = await bob.join("tea", nick="bob")
        await tea.send("@root look")
        await root.send_message("/mentions")
        await root.wait_for_text("tea · bob: @root look")
