"""Rooms of accounts in the terminal client."""

from pathlib import Path

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.chat_app import chat_app_in_room
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient


async def test_a_renamed_room_continues_under_its_new_name_with_its_notification_level(
    server: RunningServer, tmp_path: Path
) -> None:
    issued = await create_account(server, "owner")
    async with ChatClient(server.url, token=issued.token, account="owner") as chat:
        room = await chat.owned_rooms.create("tea")
        async with chat_app_in_room(tmp_path, server.url, "ann", size=(110, 30)) as driver:
            driver.app.change_setting("room_notifications", {f"{server.url}/tea": "all"})
            await room.send("before")
            await driver.wait_for_text("before")
            await chat.owned_rooms.update("tea", name="coffee")
            await driver.wait_until(lambda: list(driver.chat_screen.session.rooms) == ["coffee"])
            assert driver.app.settings.room_notifications == {f"{server.url}/coffee": "all"}
            await driver.send_message("after")
            await driver.wait_until_sent()
            await wait_until(lambda: [message.message for message in room.log.messages()] == ["before", "after"])
            await driver.wait_for_text(" coffee  ")
            saved_rooms = await driver.chat_screen.server_link.composer_store.load_room_names()
            assert saved_rooms == ["coffee"]
