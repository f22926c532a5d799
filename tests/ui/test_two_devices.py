"""Read markers and rooms of an account in two terminals, on a real server."""

from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.chat_app import chat_app_in_room
from tui_chat.client.client import ChatClient
from tui_chat.session import read_marker_sync


async def test_two_devices_share_rooms_counts_and_read_markers(server: RunningServer, tmp_path: Path) -> None:
    anns_login, bobs_login = [await create_account(server, name) for name in ("ann", "bob")]
    laptop_home, phone_home = tmp_path / "laptop", tmp_path / "phone"
    for home in (laptop_home, phone_home):
        save_login(server, anns_login, home / "ann" / "state")
    async with (
        ChatClient(server.url, token=bobs_login.token, account="bob") as bob,
        chat_app_in_room(laptop_home, server.url, "ann", size=(110, 24)) as laptop,
    ):
        bobs_tea = await bob.join("tea", nick="bob")
        await laptop.join_rooms("dev")
        laptops_tea = laptop.chat_screen.session.rooms["tea"]
        for text in ("one", "@ann two", "three"):
            await bobs_tea.send(text)
        await laptop.wait_until(lambda: (laptops_tea.unread_count, laptops_tea.mention_count) == (3, 1))
        direct = await bob.user.open_direct([bobs_tea.members[laptops_tea.member_id]])
        await direct.send("psst")

        async with chat_app_in_room(phone_home, server.url, "ann", room="ops", size=(110, 24)) as phone:
            session = phone.chat_screen.session
            await phone.wait_for_text("Not open")
            await phone.wait_until(
                lambda: (
                    {room.name: (room.unread_count, room.mention_count) for room in session.closed_rooms}
                    == {"tea": (3, 1), "dev": (0, 0)}
                )
            )
            await phone.wait_for_text("@bob")
            (phones_direct,) = [view for view in session.rooms.values() if view.room.is_direct]
            assert phones_direct.title == "bob"
            await phone.wait_until(lambda: phones_direct.unread_count == 1)

            await phone.press("alt+a")
            await phone.wait_for_text("@ann two")
            phones_tea = session.rooms["tea"]
            await laptop.wait_until(lambda: laptops_tea.unread_count == 0)

            await phone.press("ctrl+s", "k", "U")
            await phone.wait_for_text("Unread from here: bob: @ann two")
            await laptop.wait_until(lambda: (laptops_tea.unread_count, laptops_tea.mention_count) == (2, 1))
            await phone.wait_until(lambda: phones_tea.unread_count == 2)
            assert phone.displayed_room is phones_tea
            await laptop.press("alt+a")
            await laptop.wait_for_text("@ann two")
            await phone.wait_until(lambda: phones_tea.unread_count == 0)

            await phone.send_message("/mentions")
            await phone.wait_for_text("tea · bob: @ann two")
            await phone.send_message("/query bob")
            await phone.wait_until(lambda: phone.displayed_room is phones_direct)
            await phone.wait_for_text("psst")
            await phone.send_message("/unread")
            await phone.wait_until(lambda: phones_direct.unread_count == 1)
            await phone.send_message("/unread 5")
            await phone.wait_for_text("No such message.")

    async with ChatClient(server.url, token=anns_login.token, account="ann") as ann:
        listed = {room.name: room.read.unread for room in await ann.owned_rooms.list_memberships()}
        assert listed == {"tea": 0, "dev": 0, "ops": 0, direct.name: 1}


async def test_a_marker_moved_just_before_the_exit_is_sent(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_marker_sync, "FLUSH_TIMEOUT", 20.0)
    login = await create_account(server, "ann")
    save_login(server, login, tmp_path / "ann" / "state")
    async with ChatClient(server.url) as bob, ChatClient(server.url, token=login.token, account="ann") as ann:
        async with chat_app_in_room(tmp_path, server.url, "ann") as app:
            await (await bob.join("tea", nick="bob")).send("a last message")
            await app.wait_for_text("a last message")
            await app.press("ctrl+q")
            await app.wait_until(lambda: not app.app.is_running)
        (listed,) = await ann.owned_rooms.list_memberships()
        assert listed.read.unread == 0


async def test_a_guest_marks_messages_as_unread_on_this_device(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob:
        async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
            tea = await bob.join("tea", nick="bob")
            for text in ("one", "two"):
                await tea.send(text)
            await ann.wait_for_text("two")
            view = ann.chat_screen.session.rooms["tea"]
            await ann.send_message("/unread 2")
            await ann.wait_for_text("Unread from here: bob: one")
            assert view.unread_count == 2
            await ann.send_message("read again")
            await ann.wait_until(lambda: view.unread_count == 0)
            await ann.send_message("/unread")
            await ann.wait_until(lambda: view.unread_count == 1)
            await ann.send_message("/unread none")
            await ann.wait_for_text("Usage: /unread")
        async with chat_app_in_room(tmp_path, server.url, "ann", room="dev") as ann:
            await ann.send_message("/join tea")
            await ann.wait_for_text("─ new ─")
