"""Commands for ignoring, muting, `/whois`, `/server` and `/me`."""

from pathlib import Path

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.client.client import ChatClient
from tui_chat.session.settings.name_lookup import is_room_muted
from tui_chat.ui.screens.chat import ChatScreen


async def test_an_action_message_is_quoted_and_edited_and_shrug_appends_its_text(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.send_message("hello")
        await ann.send_message("/me waves")
        await bob.wait_for_text("* ann   waves")
        await bob.send_message("/reply hi")
        await ann.wait_for_text("╭ * ann waves")
        await ann.press("up")
        assert ann.composer.text == "/me waves"
        await ann.send_message(" back")
        await bob.wait_for_text("* ann   waves back (edited)")
        assert bob.message_texts()[1] == "/me waves back"
        await ann.send_message("/shrug who knows")
        await bob.wait_for_text(r"who knows ¯\_(ツ)_/¯")


async def test_messages_of_an_ignored_user_are_hidden_until_unignore_and_ignoring_yourself_is_rejected(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann,
        ChatClient(server.url) as bob_client,
    ):
        room = await bob_client.join("tea", nick="bob")
        await room.send("before")
        await ann.wait_for_text("before")
        await ann.send_message("/ignore @BOB")
        await ann.wait_until(lambda: ann.message_texts() == [])
        await room.send("ann: during")
        await room.set_typing(True)
        await bob_client.change_nick("bobby")
        await room.send("under another name")
        await ann.send_message("mine")
        await ann.wait_until(lambda: ann.message_texts() == ["mine"])
        tea = ann.chat_screen.session.rooms["tea"]
        assert (tea.unread_count, tea.mention_count, tea.typing_nicks) == (0, 0, [])
        assert "during" not in ann.screen_text()
        await ann.send_message("/ignore")
        await ann.wait_for_text("Ignored: BOB")
        assert 'ignored = ["BOB"]' in (tmp_path / "ann" / "settings.toml").read_text()
        await ann.send_message("/unignore bob")
        await ann.wait_until(lambda: ann.message_texts() == ["before", "ann: during", "under another name", "mine"])
        await ann.send_message("/unignore bob")
        await ann.wait_for_text("bob is not ignored")
        ann.composer.set_text("")
        await ann.send_message("/ignore ann")
        await ann.wait_for_text("You cannot ignore yourself.")


async def test_a_muted_room_is_skipped_until_it_has_a_mention_and_a_room_with_a_draft_is_marked(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob_client:
        tea = await bob_client.join("tea", nick="bob")
        await ann.join_rooms("dev", "ops")
        await ann.send_message("/mute tea")
        await ann.wait_for_text("Notifications for tea are off")
        await tea.send("something")
        await ann.wait_for_text("(1)")
        await ann.press("alt+a")
        assert ann.displayed_room is ann.chat_screen.session.rooms["ops"]
        await tea.send("@ann?")
        await ann.wait_for_text("@2")
        await ann.press("alt+a")
        assert ann.displayed_room is ann.chat_screen.session.rooms["tea"]
        await ann.send_message("/unmute")
        await ann.wait_for_text("Notifications for tea are on")
        await ann.wait_until(lambda: not is_room_muted(ann.app.settings, server.url, "tea"))
        await ann.press("alt+2")
        await ann.type_text("half")
        assert "✎" not in ann.screen_text()
        await ann.press("alt+1")
        await ann.wait_for_text("✎")
        await ann.press("alt+2", "ctrl+c", "alt+1")
        assert "✎" not in ann.screen_text()


async def test_whois_shows_account_rooms_and_last_activity(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(120, 24)) as ann,
        ChatClient(server.url) as bob_client,
    ):
        room = await bob_client.join("tea", nick="bob")
        await room.send("the kettle is on")
        await ann.wait_for_text("the kettle is on")
        await ann.wait_for_text("2 here")  # the member list can change after the message
        await ann.send_message("/whois @bob")
        await ann.wait_for_text("bob: guest · in tea · last message at")
        await ann.send_message("/whois ann")
        await ann.wait_for_text("ann: that is you")
        await room.leave()
        await ann.wait_for_text("1 here")
        await ann.send_message("/whois BOB")
        await ann.wait_for_text("bob: not in your rooms · last message at")
        await ann.send_message("/whois nobody")
        await ann.wait_for_text("No such nickname: nobody.")


async def test_the_server_command_rejects_an_invalid_address_and_joins_the_same_room_on_another_server(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        running_server(tmp_path / "second") as second_server,
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
    ):
        await ann.send_message("here")
        await ann.wait_until_sent()
        await ann.send_message("/server not a server at all")
        assert ann.composer.text == "/server not a server at all"
        await ann.press("ctrl+u")
        first_screen = ann.chat_screen
        await ann.send_message(f"/server {second_server.url}")
        await ann.wait_until(lambda: ann.app.screen is not first_screen and isinstance(ann.app.screen, ChatScreen))
        await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.name == "tea")
        assert ann.chat_screen.server_link.url == second_server.url
        assert ann.message_texts() == []
