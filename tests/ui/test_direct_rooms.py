"""Direct messages of the chat screen on a real server."""

from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.chat_app import chat_app_in_room
from tui_chat.client.client import ChatClient
from tui_chat.protocol.errors import Forbidden


async def test_a_direct_message_opens_a_room_of_two_in_the_list(server: RunningServer, tmp_path: Path) -> None:
    save_login(server, await create_account(server, "ann"), tmp_path / "ann" / "state")
    save_login(server, await create_account(server, "bob"), tmp_path / "bob" / "state")
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann,
        chat_app_in_room(tmp_path, server.url, "bob", size=(110, 24)) as bob,
    ):
        await ann.wait_for_text("2 here")
        await ann.send_message("/msg bob")
        await ann.wait_for_text("Enter a text after the nickname.")
        await ann.send_message("/msg nobody hi")
        await ann.wait_for_text("No such nickname: nobody.")
        await ann.join_rooms("empty")
        await ann.send_message("/msg bob psst")
        await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.title == "bob")
        await bob.wait_for_text("@ann")
        (direct,) = [view for view in bob.chat_screen.session.rooms.values() if view.room.is_direct]
        await bob.wait_until(lambda: direct.unread_count == 1)
        assert direct.name not in bob.screen_text()
        await bob.send_message("/query ann")
        await bob.wait_until(lambda: bob.displayed_room is direct)
        await bob.wait_for_text("psst")
        await bob.send_message("yes?")
        await ann.wait_for_text("yes?")
        await bob.send_message("/forget")
        await bob.wait_for_text("Not available in direct messages.")
        await bob.press("ctrl+u")
        await bob.type_text("later")
        await bob.press("alt+1")
        await bob.send_message(f"/part {direct.name}")
        await bob.wait_until(lambda: bob.chat_screen.session.find_room(direct.name) is None)
        await ann.send_message("again")
        await bob.wait_until(lambda: bob.chat_screen.session.find_room(direct.name) is not None)
        reopened = bob.chat_screen.session.find_room(direct.name)
        assert reopened is not None
        assert reopened.draft == "later"
        async with ChatClient(server.url) as guest:
            await guest.join("tea", nick="bob lee")
            tea = ann.chat_screen.session.rooms["tea"]
            await ann.wait_until(lambda: any(member.nick_name == "bob lee" for member in tea.members))
            await ann.send_message("/msg bob lee hello")
            await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.title == "bob lee")
            await ann.wait_for_text("hello")


async def test_a_blocked_member_is_hidden_and_cannot_send_direct_messages(
    server: RunningServer, tmp_path: Path
) -> None:
    login = await create_account(server, "ann")
    save_login(server, login, tmp_path / "ann" / "state")
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann,
        ChatClient(server.url, token=login.token, account="ann") as phone,
        ChatClient(server.url) as bob,
    ):
        tea = await bob.join("tea", nick="bob")
        await tea.send("before")
        await ann.wait_for_text("before")
        await ann.send_message("/block ann")
        await ann.wait_for_text("You cannot block yourself.")
        await ann.send_message("/unblock bob")
        await ann.wait_for_text("bob is not blocked.")
        await ann.send_message("/block @bob")
        await ann.wait_for_text("bob is blocked: no direct messages and no mentions")
        await ann.wait_until(lambda: "before" not in ann.screen_text())
        with pytest.raises(Forbidden, match="does not accept direct messages"):
            await bob.user.open_direct([ann.sdk_room("tea").members[ann.sdk_room("tea").member_id]])
        await tea.send("@ann during")
        await ann.send_message("mine")
        await ann.wait_for_text("✓ mine")
        await ann.send_message("/whois bob")
        await ann.wait_for_text("blocked: messages are hidden")
        assert "during" not in ann.screen_text()
        await ann.send_message("/unblock bob")
        await ann.wait_for_text("@ann during")
        await ann.send_message("/blocks")
        await ann.wait_for_text("You have not blocked anybody.")
        await phone.user.block(tea.member_id)
        await ann.wait_until(lambda: "@ann during" not in ann.screen_text())
        await phone.user.unblock(tea.member_id)
        await ann.wait_for_text("@ann during")
