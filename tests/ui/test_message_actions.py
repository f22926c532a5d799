"""Answering, changing, taking back and reacting, in the terminal."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import pytest
from textual import events

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.tcp_proxy import tcp_proxy
from tui_chat.client.client import ChatClient
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.strings import chat as chat_strings


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


def line(person: ChatAppDriver, seq: int) -> MessageLine:
    found = person.chat_screen.session.rooms["tea"].transcript.find_message(seq)
    assert found is not None
    return found


async def settled(person: ChatAppDriver) -> None:
    await person.wait_until(lambda: person.chat_screen.session.unsent_count == 0)


async def test_an_answer_shows_what_it_answers_to_everybody(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await bob.send_message("tea or coffee?")
        await ann.wait_for_text("tea or coffee?")
        await ann.type_text("a draft")
        await ann.press("ctrl+s", "r")
        assert "answering bob: tea or coffee?" in ann.screen_text()
        assert ann.app.focused is ann.composer
        await ann.press("ctrl+u")
        await ann.send_message("tea")
        await bob.wait_for_text("╭ bob: tea or coffee?")
        await settled(ann)
        assert line(bob, 2).reply_to == 1
        assert "answering" not in ann.screen_text()
        await ann.send_message("plain again")
        await settled(ann)
        assert line(ann, 3).reply_to is None


async def test_escape_leaves_an_answer_and_keeps_the_text(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("one")
        await settled(ann)
        await ann.press("ctrl+s", "r")
        await ann.type_text("not an answer")
        await ann.press("escape")
        assert ann.composer.text == "not an answer"
        assert "answering" not in ann.screen_text()


async def test_a_change_is_seen_in_place_by_everybody(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.send_message("teh tea")
        await settled(ann)
        await ann.type_text("a draft")
        await ann.press("ctrl+s", "e")
        assert ann.composer.text == "teh tea"
        assert "changing what you said" in ann.screen_text()
        await ann.press("ctrl+u")
        await ann.send_message("the tea")
        assert ann.composer.text == "a draft"
        await bob.wait_for_text("the tea (edited)")
        await ann.wait_for_text("the tea (edited)")
        assert "teh" not in bob.screen_text()


async def test_what_begins_with_a_slash_is_changed_as_it_is_typed(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("//shrug")
        await settled(ann)
        await ann.press("up")
        assert ann.composer.text == "//shrug"
        await ann.send_message(" it off")
        await ann.wait_until(lambda: line(ann, 1).text == "/shrug it off")


async def test_up_in_an_empty_composer_changes_the_last_message_and_then_walks_on(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for text in ("first", "second"):
            await ann.send_message(text)
        await settled(ann)
        await ann.press("up")
        assert ann.composer.text == "second"
        assert "changing what you said" in ann.screen_text()
        await ann.press("up")
        assert ann.composer.text == "first"
        assert "changing what you said" not in ann.screen_text()
        await ann.press("down", "down", "up")
        await ann.type_text("!")
        await ann.press("up")
        assert ann.composer.text == "second!"
        await ann.press("enter")
        await ann.wait_for_text("second! (edited)")
        assert len([each for each in ann.timeline.lines if isinstance(each, MessageLine)]) == 2


async def test_a_message_is_taken_back_when_asked_twice(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.send_message("a secret")
        await bob.wait_for_text("a secret")
        await settled(ann)
        await ann.press("ctrl+s", "d")
        assert tr(chat_strings.CONFIRM_DELETE) in ann.screen_text()
        await ann.press("d")
        await bob.wait_for_text("message deleted")
        await ann.wait_for_text("message deleted")
        assert "a secret" not in bob.screen_text()
        await bob.send_message("not yours")
        await ann.wait_for_text("not yours")
        await ann.press("ctrl+s", "d")
        assert tr(chat_strings.NOT_OWN_MESSAGE) in ann.screen_text()
        await ann.press("e")
        assert ann.composer.text == ""


async def test_reactions_stand_under_the_line_with_yours_marked(server: RunningServer, tmp_path: Path) -> None:
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
        await bob.wait_for_text("A reaction is one emoji, or a word of at most 8 columns.")


async def test_commands_do_the_same(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await bob.send_message("hello")
        await ann.wait_for_text("hello")
        await ann.send_message("/reply hello yourself")
        await bob.wait_for_text("╭ bob: hello")
        await settled(ann)
        await ann.send_message("/edit hello you")
        await bob.wait_for_text("hello you (edited)")
        await ann.send_message("/edit")
        assert ann.composer.text == "hello you"
        await ann.press("ctrl+c")
        assert ann.composer.text == ""
        assert "changing" not in ann.screen_text()


async def test_nothing_to_answer_or_change_is_said(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for command in ("/edit", "/reply yes", "/react 👍"):
            await ann.send_message(command)
            assert tr(chat_strings.NO_SUCH_MESSAGE) in ann.screen_text()
            await ann.press("ctrl+u")


async def test_an_answer_stays_with_its_room(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("one")
        await settled(ann)
        await ann.press("ctrl+s", "r")
        await ann.type_text("to one")
        ann.chat_screen.go_to_room("dev")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        assert "answering" not in ann.screen_text()
        assert ann.composer.text == ""
        await ann.press("alt+1")
        assert "answering ann: one" in ann.screen_text()
        assert ann.composer.text == "to one"
        await ann.press("enter")
        await settled(ann)
        assert line(ann, 2).reply_to == 1


async def test_changes_made_offline_are_made_when_back(server: RunningServer, tmp_path: Path) -> None:
    async with tcp_proxy(server.port) as proxy, ChatClient(server.url) as other:
        cup = await other.join("tea", nick="bob")
        async with chat_app_in_room(tmp_path, proxy.url, "ann") as ann:
            await ann.send_message("one")
            await settled(ann)
            proxy.refuse_connections()
            proxy.reset_all()
            await ann.wait_for_text("offline")
            await ann.send_message("/edit first")
            await ann.wait_for_text("1 unsent")
            proxy.accept_connections()
            await ann.send_message("/reconnect")
            await ann.wait_for_text("first (edited)")
            assert cup.log[1].message == "first"


async def test_what_failed_is_sent_again_dropped_or_written_anew(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        post = ann.chat_screen.connection.post
        post("tea", "to drop", 50)
        await ann.wait_for_text("not sent: There is no such message")
        await ann.press("ctrl+s", "d")
        await ann.wait_until(lambda: not ann.timeline.lines or "to drop" not in ann.screen_text())
        post("tea", "to send again", 1)
        await ann.wait_for_text("not sent: There is no such message")
        await ann.send_message("the first")
        await settled(ann)
        await ann.press("ctrl+s", "r")
        await ann.wait_until(lambda: ann.timeline.lines[-1].key == "message-2")
        assert line(ann, 2).text == "to send again"
        assert ann.chat_screen.connection.discard("tea", UUID(int=1)) is None


async def test_enter_on_an_answer_leads_to_what_it_answers_and_esc_back(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as other:
        cup = await other.join("tea", nick="bob")
        await cup.send("the very first")
        for number in range(150):
            await cup.send(f"line {number}")
        await cup.send("about that", reply_to=1)
        async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
            await ann.wait_for_text("about that")
            assert "an earlier message" in ann.screen_text()
            await ann.press("ctrl+s", "enter")
            await ann.wait_until(lambda: ann.timeline.cursor_key == "message-1")
            assert "the very first" in ann.screen_text()
            assert "about that" not in ann.screen_text()
            await ann.press("escape")
            await ann.wait_for_text("about that")
            assert "╭ bob: the very first" in ann.screen_text()
            assert ann.app.focused is ann.composer
            row = next(y for y, text in enumerate(ann.screen_text().split("\n")) if "╭ bob" in text)
            await ann.pilot.click(offset=(40, row))
            await ann.wait_until(lambda: ann.timeline.cursor_key == "message-1")


async def test_keys_that_follow_at_once_are_for_the_picked_message(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("copy me")
        await ann.wait_for_text("✓ copy me")
        ann.app.post_message(events.Key("ctrl+s", None))
        ann.app.post_message(events.Key("y", "y"))
        await ann.wait_until(lambda: ann.app.clipboard == "copy me")
        assert ann.composer.text == ""
