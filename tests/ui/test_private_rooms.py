"""Owned and private rooms of the chat screen, from the creation to the invite link, on a real server."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.protocol.errors import NotFound
from tui_chat.ui.screens.confirm import ConfirmScreen
from tui_chat.ui.screens.search import SearchScreen


def member_nicks(driver: ChatAppDriver) -> list[str]:
    """Return the nicknames of the members of the displayed room."""
    return [member.nick_name for member in driver.displayed_room.members] if driver.displayed_room is not None else []


async def answer_question(driver: ChatAppDriver, text: str, key: str) -> None:
    """Wait for a question with this text, press a key in it, and wait until the question is closed."""
    await driver.wait_until(lambda: isinstance(driver.app.screen, ConfirmScreen))
    await driver.wait_until(lambda: text in " ".join(driver.screen_text().replace("│", " ").split()))
    await driver.press(key)
    await driver.wait_until(lambda: not isinstance(driver.app.screen, ConfirmScreen))


async def test_an_owner_invites_by_link_and_moderates_a_private_room(server: RunningServer, tmp_path: Path) -> None:
    save_login(server, await create_account(server, "ann"), tmp_path / "ann" / "state")
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as eve:
        await ann.send_message("/create --private Board")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.title == "Board")
        assert ann.displayed_room is not None
        address = ann.displayed_room.name
        assert address.startswith("~")
        assert address not in ann.screen_text()
        await ann.send_message("/invite")
        await ann.wait_until(lambda: "?invite=" in ann.app.clipboard)
        url = ann.app.clipboard
        assert url.startswith("chat://127.0.0.1:")
        hook = await ann.sdk_client.owned_rooms.create_hook(address, "CI")
        await ann.wait_for_text("ann created the webhook CI.")
        async with ClientSession() as session, session.post(hook.url, json={"text": "build 7 failed"}) as response:
            assert response.status == 200
        await ann.wait_for_text("CI [bot]")
        await ann.wait_for_text("build 7 failed")
        await ann.press("alt+s")
        await ann.wait_until(lambda: isinstance(ann.app.screen, SearchScreen) and ann.app.screen.focused is not None)
        await ann.type_text("build")
        await ann.wait_for_text("Board · CI")
        await ann.press("alt+s")
        await ann.wait_for_text("in Board")
        assert address not in ann.screen_text()
        await ann.press("escape")
        await ann.send_message("/ban CI noise")  # without the question before the ban of a guest
        await ann.wait_for_text("ann banned CI (noise).")
        await ann.send_message("/unhook nobody")
        await ann.wait_for_text("No such webhook.")
        await ann.press("ctrl+u")
        with pytest.raises(NotFound):
            await eve.join(address, nick="eve")
        assert [room.name for room in await eve.list_rooms()] == ["tea"]
        async with chat_app(tmp_path / "bob", server=url, nick="bob") as bob:
            await bob.wait_for_text("Board")
            await bob.wait_until(lambda: bob.sdk_room(address).was_joined)
            await ann.wait_until(lambda: "bob" in member_nicks(ann))
            await ann.send_message("/policy speak moderators")
            await bob.wait_for_text("ann changed the room: speak = moderators")
            await ann.send_message("/policy guestpost maybe")
            await ann.wait_for_text("guestPost: expected true, false.")
            await ann.press("ctrl+u")
            await ann.send_message("/policy speak everyone")
            await ann.send_message("/silence bob 1m calm down")
            await bob.wait_for_text("ann silenced bob (until")
            await bob.send_message("psst")
            await bob.wait_for_text("silenced in this room")
            await ann.send_message("/names")
            await ann.wait_for_text("(owner)")
            await ann.send_message("/unsilence bob")
            await ann.wait_for_text("ann ended the silence of bob.")
            await ann.send_message("/kick bob calm down")
            await bob.wait_for_text("You are no longer in Board: ann removed")
        async with chat_app(tmp_path / "bob", server=url, nick="bob") as bob:
            await bob.wait_for_text("Board")
            await bob.wait_until(lambda: bob.sdk_room(address).was_joined)
            await ann.wait_until(lambda: "bob" in member_nicks(ann))
            await ann.send_message("/ban bob spam")
            await ann.wait_until(lambda: isinstance(ann.app.screen, ConfirmScreen))
            await ann.press("y")
            await bob.wait_for_text("You are no longer in Board: ann banned")
            await ann.send_message("/unban bob")
            await ann.wait_for_text("ann ended the ban of bob.")


async def test_a_guest_opens_a_private_room_only_by_its_invite_link_and_creates_no_room(
    server: RunningServer, tmp_path: Path
) -> None:
    token = (await create_account(server, "ann")).token
    async with (
        ChatClient(server.url, token=token, account="ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        board = await ann.owned_rooms.create(title="Board")
        invite = await ann.owned_rooms.create_invite(board.name)
        await bob.send_message(f"/join {board.name}")
        await bob.wait_for_text("No such room.")
        await bob.send_message(f"/join {server.url}/#/{board.name}?invite={invite.code}")
        await bob.wait_until(lambda: bob.displayed_room is not None and bob.displayed_room.title == "Board")
        assert board.name not in bob.screen_text()
        await bob.send_message("/policy")
        await bob.wait_for_text("visibility = private")
        await bob.send_message("/create mine")
        await bob.wait_for_text("requires an account")


@pytest.mark.parametrize("server_options", [{"conversations": "on"}], ids=["conversations"])
async def test_an_owner_revokes_invites_renames_transfers_and_leaves_rooms(
    server: RunningServer, tmp_path: Path
) -> None:
    save_login(server, await create_account(server, "ann"), tmp_path / "ann" / "state")
    token = (await create_account(server, "bob")).token
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 30)) as ann,
        ChatClient(server.url, token=token, account="bob") as bob,
    ):
        await ann.send_message("/create --private Board")
        await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.title == "Board")
        assert ann.displayed_room is not None
        address = ann.displayed_room.name
        await ann.send_message("/group-code")
        await ann.wait_for_text("New group code of Board:")
        await ann.wait_until(lambda: bool(ann.app.clipboard))
        assert ann.app.clipboard in ann.screen_text()
        await ann.send_message("/invites")
        await ann.wait_for_text("No valid invites.")
        await ann.send_message("/invite many")
        await ann.wait_for_text("such as /invite 1 2h.")
        await ann.press("ctrl+u")
        await ann.send_message("/invite 1 2h")
        await ann.wait_for_text("Invite for 1 person until")
        first, second = [await ann.sdk_client.owned_rooms.create_invite(address) for _ in range(2)]
        await ann.send_message("/invites")
        await ann.wait_for_text(f"{first.id}: for 10 more people until")
        await ann.send_message(f"/uninvite {first.id}")
        await ann.wait_for_text(f"Invite {first.id} is revoked.")
        await ann.send_message(f"/uninvite {first.id}")
        await ann.wait_for_text("No such invite.")
        await ann.press("ctrl+u")
        with pytest.raises(NotFound):
            await bob.join(address, nick="bob", invite=first.code)
        board = await bob.join(address, nick="bob", invite=second.code)
        await ann.send_message("/rename Steering Group")
        await ann.wait_for_text("ann changed the room: name = Steering Group")
        await ann.wait_until(lambda: "Steering Group" in ann.first_row_of(ann.chat_screen.view.header))
        await ann.send_message("/forget")
        await answer_question(ann, "Leave Steering Group for good? You can return only with an invite.", "y")
        await ann.wait_for_text("You are the last owner.")
        assert ann.displayed_room.name == address
        await ann.send_message("/transfer bob")
        await answer_question(ann, "You become a moderator and cannot undo this.", "y")
        await ann.wait_for_text("ann made ann moderator.")
        await wait_until(lambda: board.role == "owner")
        await ann.send_message("/delete-room")
        await ann.wait_for_text("Only an owner of the room can do this.")
        await ann.press("ctrl+u")
        await ann.send_message("/forget")
        await answer_question(ann, "Leave Steering Group for good?", "y")
        await ann.wait_until(lambda: list(ann.chat_screen.session.rooms) == ["tea"])
        assert [room.name for room in await ann.sdk_client.owned_rooms.list_memberships()] == ["tea"]
        await ann.send_message("/create mine")
        await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.name == "mine")
        await ann.send_message("/delete-room")
        await answer_question(ann, "Delete mine with all messages, for everyone?", "escape")
        await ann.send_message("/delete-room")
        await answer_question(ann, "Delete mine with all messages, for everyone?", "y")
        await ann.wait_for_text("You are no longer in mine")
        assert [room.name for room in await ann.sdk_client.list_rooms()] == ["tea"]
