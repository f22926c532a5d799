"""Replies, edits, deletions and reactions in the terminal."""

from pathlib import Path

from textual import events

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.tcp_proxy import tcp_proxy
from tui_chat.client.client import ChatClient
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.strings import chat as chat_strings


def find_line(driver: ChatAppDriver, seq: int) -> MessageLine:
    """Return the line of a message of the room `tea`, which must be loaded."""
    found = driver.chat_screen.session.rooms["tea"].transcript.find_message(seq)
    assert found is not None
    return found


async def test_replies_and_edits_by_key_and_command_are_shown_to_all_members(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await bob.send_message("tea or coffee?")
        await ann.wait_for_text("tea or coffee?")
        await ann.type_text("a draft")
        await ann.press("ctrl+s", "r")
        assert "replying to bob: tea or coffee?" in ann.screen_text()
        assert ann.app.focused is ann.composer
        await ann.press("ctrl+u")
        await ann.send_message("tea")
        await bob.wait_for_text("╭ bob: tea or coffee?")
        await ann.wait_until_sent()
        assert find_line(bob, 2).reply_to == 1
        assert "replying to" not in ann.screen_text()
        await ann.send_message("plain again")
        await ann.wait_until_sent()
        assert find_line(ann, 3).reply_to is None
        await ann.send_message("teh tea")
        await ann.wait_until_sent()
        await ann.type_text("a draft")
        await ann.press("ctrl+s", "e")
        assert ann.composer.text == "teh tea"
        assert "editing your message" in ann.screen_text()
        await ann.press("ctrl+u")
        await ann.send_message("the tea")
        assert ann.composer.text == "a draft"
        await bob.wait_for_text("the tea (edited)")
        await ann.wait_for_text("the tea (edited)")
        assert "teh" not in bob.screen_text()
        ann.composer.set_text("")
        await bob.send_message("hello")
        await ann.wait_for_text("hello")
        await ann.send_message("/reply hello yourself")
        await bob.wait_for_text("╭ bob: hello")
        await ann.wait_until_sent()
        await ann.send_message("/edit hello you")
        await bob.wait_for_text("hello you (edited)")
        await ann.wait_for_text("hello you (edited)")
        await ann.send_message("/edit")
        assert ann.composer.text == "hello you"
        await ann.press("ctrl+c")
        assert ann.composer.text == ""
        assert "editing" not in ann.screen_text()


async def test_reactions_and_confirmed_deletions_are_shown_to_all_members(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await bob.send_message("cake in the kitchen")
        await ann.wait_for_text("cake in the kitchen")
        await ann.type_text("a draft")
        await ann.press("ctrl+s", "a")
        await ann.press("4", "enter")
        assert ann.composer.text == "a draft"
        await ann.wait_for_text("[🎉 1]")
        await bob.wait_for_text(" 🎉 1")
        assert "[🎉" not in bob.screen_text()
        await bob.send_message("/react :tada:")
        await bob.wait_for_text("[🎉 2]")
        await ann.press("ctrl+s", "a", "4", "enter")
        await ann.wait_until(lambda: "[🎉" not in ann.screen_text() and " 🎉 1" in ann.screen_text())
        await bob.send_message("/react I am so happy about it")
        await bob.wait_for_text("Use one emoji or a word of at most 8 columns.")
        ann.composer.set_text("")
        bob.composer.set_text("")
        await ann.send_message("a secret")
        await bob.wait_for_text("a secret")
        await ann.wait_until_sent()
        await ann.press("ctrl+s", "d")
        await ann.wait_for_text(tr("Delete this message for everyone?"))
        await ann.press("y")
        await ann.wait_for_text("deleting · /undo")
        assert "a secret" in bob.screen_text()
        await bob.wait_for_text("message deleted")
        await ann.wait_for_text("message deleted")
        assert "a secret" not in bob.screen_text()
        await bob.send_message("not yours")
        await ann.wait_for_text("not yours")
        await ann.press("ctrl+s", "d")
        assert tr(chat_strings.NOT_OWN_MESSAGE) in ann.screen_text()
        await ann.press("e")
        assert ann.composer.text == ""


async def test_message_keys_and_commands_select_reply_edit_copy_or_report_a_missing_target(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for command in ("/edit", "/reply yes", "/react 👍"):
            await ann.send_message(command)
            assert tr(chat_strings.NO_SUCH_MESSAGE) in ann.screen_text()
            await ann.press("ctrl+u")
        await ann.send_message("copy me")
        await ann.wait_for_text("✓ copy me")
        ann.app.post_message(events.Key("ctrl+s", None))
        ann.app.post_message(events.Key("y", "y"))
        await ann.wait_until(lambda: ann.app.clipboard == "copy me")
        assert ann.composer.text == ""
        await ann.press("escape")
        await ann.send_message("one")
        await ann.wait_until_sent()
        await ann.press("ctrl+s", "r")
        await ann.type_text("not an answer")
        await ann.press("escape")
        assert ann.composer.text == "not an answer"
        assert "replying to" not in ann.screen_text()
        ann.composer.set_text("")
        await ann.send_message("//shrug")
        await ann.wait_until_sent()
        await ann.press("up")
        assert ann.composer.text == "//shrug"
        await ann.send_message(" it off")
        await ann.wait_until(lambda: find_line(ann, 3).text == "/shrug it off")
        for text in ("first", "second"):
            await ann.send_message(text)
        await ann.wait_until_sent()
        await ann.press("up")
        assert ann.composer.text == "second"
        assert "editing your message" in ann.screen_text()
        await ann.press("up")
        assert ann.composer.text == "first"
        assert "editing your message" not in ann.screen_text()
        await ann.press("down", "down", "up")
        await ann.type_text("!")
        await ann.press("up")
        assert ann.composer.text == "second!"
        await ann.press("enter")
        await ann.wait_for_text("second! (edited)")
        assert len([entry for entry in ann.timeline.lines if isinstance(entry, MessageLine)]) == 5


async def test_a_reply_in_progress_stays_with_its_room(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("one")
        await ann.wait_until_sent()
        await ann.press("ctrl+s", "r")
        await ann.type_text("to one")
        ann.chat_screen.room_navigation.go_to_room("dev")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        assert "replying to" not in ann.screen_text()
        assert ann.composer.text == ""
        await ann.press("alt+1")
        assert "replying to ann: one" in ann.screen_text()
        assert ann.composer.text == "to one"
        await ann.press("enter")
        await ann.wait_until_sent()
        assert find_line(ann, 2).reply_to == 1


async def test_offline_edits_are_sent_after_a_reconnect(server: RunningServer, tmp_path: Path) -> None:
    async with tcp_proxy(server.port) as proxy, ChatClient(server.url) as bob_client:
        tea = await bob_client.join("tea", nick="bob")
        async with chat_app_in_room(tmp_path, proxy.url, "ann") as ann:
            await ann.send_message("one")
            await ann.wait_until_sent()
            proxy.refuse_connections()
            proxy.reset_all()
            await ann.wait_for_text("offline")
            await ann.send_message("/edit first")
            await ann.wait_for_text("1 unsent")
            proxy.accept_connections()
            await ann.send_message("/reconnect")
            await ann.wait_for_text("first (edited)")
            await ann.wait_until(lambda: tea.log[1].message == "first")


async def test_failed_messages_are_discarded_retried_or_changed_and_failed_edits_dropped(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        post = ann.sdk_room("tea").post
        post("to drop", 50)
        await ann.wait_for_text("not sent: No such message")
        await ann.press("ctrl+s", "d")
        await ann.wait_until(lambda: not ann.timeline.lines or "to drop" not in ann.screen_text())
        post("to send again", 1)
        await ann.wait_for_text("not sent: No such message")
        await ann.send_message("the first")
        await ann.wait_until_sent()
        await ann.press("ctrl+s", "r")
        await ann.wait_until(lambda: ann.timeline.lines[-1].key == "message-2")
        assert find_line(ann, 2).text == "to send again"
        post("to change", 3)
        await ann.wait_for_text("not sent: No such message")
        await ann.send_message("the third")
        await ann.wait_until_sent()
        await ann.press("ctrl+s", "e", "enter")
        await ann.wait_until(lambda: ann.timeline.lines[-1].key == "message-4")
        assert (find_line(ann, 4).text, find_line(ann, 4).reply_to) == ("to change", 3)
        ann.sdk_room("tea").post_edit(50, "otherwise")
        await ann.wait_for_text("otherwise")
        assert "Change rejected:" in ann.screen_text()
        await ann.wait_until(lambda: not ann.sdk_room("tea").unsent())


async def test_enter_on_a_reply_jumps_to_the_parent_message_and_escape_returns(
    server: RunningServer, tmp_path: Path
) -> None:
    async with ChatClient(server.url) as bob_client:
        tea = await bob_client.join("tea", nick="bob")
        await tea.send("the very first")
        for number in range(150):
            await tea.send(f"line {number}")
        await tea.send("about that", reply_to=1)
        async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
            await ann.wait_for_text("about that")
            assert "an earlier message" in ann.screen_text()
            await ann.press("ctrl+s", "enter")
            await ann.wait_until(lambda: ann.timeline.highlighted_key == "message-1")
            assert "the very first" in ann.screen_text()
            assert "about that" not in ann.screen_text()
            await ann.press("escape")
            await ann.wait_for_text("about that")
            assert "╭ bob: the very first" in ann.screen_text()
            assert ann.app.focused is ann.composer
            row = next(y for y, text in enumerate(ann.screen_text().split("\n")) if "╭ bob" in text)
            await ann.pilot.click(offset=(40, row))
            await ann.wait_until(lambda: ann.timeline.highlighted_key == "message-1")
