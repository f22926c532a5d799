"""Answering, changing, taking back and reacting, in the terminal."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import pytest
from textual import events

from server.runtime import RunningServer
from tests.support.chat_app import Person, in_room
from tests.support.serving import serving
from tests.support.tcp_proxy import tcp_proxy
from tui_chat.client.chat import ChatClient
from tui_chat.session import words
from tui_chat.session.language import tr
from tui_chat.session.lines import MessageLine


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with serving(tmp_path, rate_limit="off") as running:
        yield running


def line(person: Person, seq: int) -> MessageLine:
    found = person.chat.session.rooms["tea"].transcript.find_message(seq)
    assert found is not None
    return found


async def settled(person: Person) -> None:
    await person.until(lambda: person.chat.session.unsent_count == 0)


async def test_an_answer_shows_what_it_answers_to_everybody(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann, in_room(tmp_path, server.url, "bob") as bob:
        await bob.say("tea or coffee?")
        await ann.sees("tea or coffee?")
        await ann.type("a draft")
        await ann.press("ctrl+s", "r")
        assert "answering bob: tea or coffee?" in ann.screen()
        assert ann.app.focused is ann.composer
        await ann.press("ctrl+u")
        await ann.say("tea")
        await bob.sees("╭ bob: tea or coffee?")
        await settled(ann)
        assert line(bob, 2).reply_to == 1
        assert "answering" not in ann.screen()
        await ann.say("plain again")
        await settled(ann)
        assert line(ann, 3).reply_to is None


async def test_escape_leaves_an_answer_and_keeps_the_text(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("one")
        await settled(ann)
        await ann.press("ctrl+s", "r")
        await ann.type("not an answer")
        await ann.press("escape")
        assert ann.composer.text == "not an answer"
        assert "answering" not in ann.screen()


async def test_a_change_is_seen_in_place_by_everybody(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann, in_room(tmp_path, server.url, "bob") as bob:
        await ann.say("teh tea")
        await settled(ann)
        await ann.type("a draft")
        await ann.press("ctrl+s", "e")
        assert ann.composer.text == "teh tea"
        assert "changing what you said" in ann.screen()
        await ann.press("ctrl+u")
        await ann.say("the tea")
        assert ann.composer.text == "a draft"
        await bob.sees("the tea (edited)")
        await ann.sees("the tea (edited)")
        assert "teh" not in bob.screen()


async def test_what_begins_with_a_slash_is_changed_as_it_is_typed(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("//shrug")
        await settled(ann)
        await ann.press("up")
        assert ann.composer.text == "//shrug"
        await ann.say(" it off")
        await ann.until(lambda: line(ann, 1).text == "/shrug it off")


async def test_up_in_an_empty_composer_changes_the_last_message_and_then_walks_on(
    server: RunningServer, tmp_path: Path
) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        for text in ("first", "second"):
            await ann.say(text)
        await settled(ann)
        await ann.press("up")
        assert ann.composer.text == "second"
        assert "changing what you said" in ann.screen()
        await ann.press("up")
        assert ann.composer.text == "first"
        assert "changing what you said" not in ann.screen()
        await ann.press("down", "down", "up")
        await ann.type("!")
        await ann.press("up")
        assert ann.composer.text == "second!"
        await ann.press("enter")
        await ann.sees("second! (edited)")
        assert len([each for each in ann.timeline.lines if isinstance(each, MessageLine)]) == 2


async def test_a_message_is_taken_back_when_asked_twice(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann, in_room(tmp_path, server.url, "bob") as bob:
        await ann.say("a secret")
        await bob.sees("a secret")
        await settled(ann)
        await ann.press("ctrl+s", "d")
        assert tr(words.CONFIRM_DELETE) in ann.screen()
        await ann.press("d")
        await bob.sees("message deleted")
        await ann.sees("message deleted")
        assert "a secret" not in bob.screen()
        await bob.say("not yours")
        await ann.sees("not yours")
        await ann.press("ctrl+s", "d")
        assert tr(words.NOT_OWN_MESSAGE) in ann.screen()
        await ann.press("e")
        assert ann.composer.text == ""


async def test_reactions_stand_under_the_line_with_yours_marked(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann, in_room(tmp_path, server.url, "bob") as bob:
        await bob.say("cake in the kitchen")
        await ann.sees("cake in the kitchen")
        await ann.type("a draft")
        await ann.press("ctrl+s", "a")
        await ann.press("4", "enter")
        assert ann.composer.text == "a draft"
        await ann.sees("[🎉 1]")
        await bob.sees(" 🎉 1")
        assert "[🎉" not in bob.screen()
        await bob.say("/react :tada:")
        await bob.sees("[🎉 2]")
        await ann.press("ctrl+s", "a", "4", "enter")
        await ann.until(lambda: "[🎉" not in ann.screen() and " 🎉 1" in ann.screen())
        await bob.say("/react I am so happy about it")
        await bob.sees("A reaction is one emoji, or a word of at most 8 columns.")


async def test_commands_do_the_same(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann, in_room(tmp_path, server.url, "bob") as bob:
        await bob.say("hello")
        await ann.sees("hello")
        await ann.say("/reply hello yourself")
        await bob.sees("╭ bob: hello")
        await settled(ann)
        await ann.say("/edit hello you")
        await bob.sees("hello you (edited)")
        await ann.say("/edit")
        assert ann.composer.text == "hello you"
        await ann.press("ctrl+c")
        assert ann.composer.text == ""
        assert "changing" not in ann.screen()


async def test_nothing_to_answer_or_change_is_said(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        for command in ("/edit", "/reply yes", "/react 👍"):
            await ann.say(command)
            assert tr(words.NO_SUCH_MESSAGE) in ann.screen()
            await ann.press("ctrl+u")


async def test_an_answer_stays_with_its_room(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("one")
        await settled(ann)
        await ann.press("ctrl+s", "r")
        await ann.type("to one")
        ann.chat.go_to_room("dev")
        await ann.until(lambda: len(ann.chat.session.rooms) == 2)
        assert "answering" not in ann.screen()
        assert ann.composer.text == ""
        await ann.press("alt+1")
        assert "answering ann: one" in ann.screen()
        assert ann.composer.text == "to one"
        await ann.press("enter")
        await settled(ann)
        assert line(ann, 2).reply_to == 1


async def test_changes_made_offline_are_made_when_back(server: RunningServer, tmp_path: Path) -> None:
    async with tcp_proxy(server.port) as proxy, ChatClient(server.url) as other:
        cup = await other.join("tea", nick="bob")
        async with in_room(tmp_path, proxy.url, "ann") as ann:
            await ann.say("one")
            await settled(ann)
            proxy.refuse()
            proxy.cut()
            await ann.sees("offline")
            await ann.say("/edit first")
            await ann.sees("1 unsent")
            proxy.accept()
            await ann.say("/reconnect")
            await ann.sees("first (edited)")
            assert cup.log[1].message == "first"


async def test_what_failed_is_sent_again_dropped_or_written_anew(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        post = ann.chat.connection.post
        post("tea", "to drop", 50)
        await ann.sees("not sent: There is no such message")
        await ann.press("ctrl+s", "d")
        await ann.until(lambda: not ann.timeline.lines or "to drop" not in ann.screen())
        post("tea", "to send again", 1)
        await ann.sees("not sent: There is no such message")
        await ann.say("the first")
        await settled(ann)
        await ann.press("ctrl+s", "r")
        await ann.until(lambda: ann.timeline.lines[-1].key == "message-2")
        assert line(ann, 2).text == "to send again"
        assert ann.chat.connection.discard("tea", UUID(int=1)) is None


async def test_enter_on_an_answer_leads_to_what_it_answers_and_esc_back(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as other:
        cup = await other.join("tea", nick="bob")
        await cup.send("the very first")
        for number in range(150):
            await cup.send(f"line {number}")
        await cup.send("about that", reply_to=1)
        async with in_room(tmp_path, server.url, "ann") as ann:
            await ann.sees("about that")
            assert "an earlier message" in ann.screen()
            await ann.press("ctrl+s", "enter")
            await ann.until(lambda: ann.timeline.cursor_key == "message-1")
            assert "the very first" in ann.screen()
            assert "about that" not in ann.screen()
            await ann.press("escape")
            await ann.sees("about that")
            assert "╭ bob: the very first" in ann.screen()
            assert ann.app.focused is ann.composer
            row = next(y for y, text in enumerate(ann.screen().split("\n")) if "╭ bob" in text)
            await ann.pilot.click(offset=(40, row))
            await ann.until(lambda: ann.timeline.cursor_key == "message-1")


async def test_keys_that_follow_at_once_are_for_the_picked_message(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("copy me")
        await ann.sees("✓ copy me")
        ann.app.post_message(events.Key("ctrl+s", None))
        ann.app.post_message(events.Key("y", "y"))
        await ann.until(lambda: ann.app.clipboard == "copy me")
        assert ann.composer.text == ""
