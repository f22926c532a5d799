"""What one person makes of the others: ignoring, muting, asking who they are; and `/me`."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.runtime import RunningServer
from tests.support.chat_app import Person, in_room
from tests.support.serving import serving
from tui_chat.client.chat import ChatClient
from tui_chat.session.lines import MessageLine


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with serving(tmp_path, rate_limit="off") as running:
        yield running


def said(person: Person, room: str = "tea") -> list[str]:
    lines = person.chat.session.rooms[room].transcript.lines
    return [line.text for line in lines if isinstance(line, MessageLine)]


async def test_me_says_what_you_do_to_everybody(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann, in_room(tmp_path, server.url, "bob") as bob:
        await ann.say("hello")
        await ann.say("/me waves")
        await bob.sees("* ann   waves")
        await bob.say("/reply hi")
        await ann.sees("╭ * ann waves")
        await ann.press("up")
        assert ann.composer.text == "/me waves"
        await ann.say(" back")
        await bob.sees("* ann   waves back (edited)")
        assert said(bob)[1] == "/me waves back"
        await ann.say("/shrug who knows")
        await bob.sees(r"who knows ¯\_(ツ)_/¯")


async def test_what_an_ignored_person_says_is_hidden_until_they_are_not(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        await room.send("before")
        await ann.sees("before")
        await ann.say("/ignore @BOB")
        await ann.until(lambda: said(ann) == [])
        await room.send("ann: during")
        await room.set_typing(True)
        await other.change_nick("bobby")
        await room.send("under another name")
        await ann.say("mine")
        await ann.until(lambda: said(ann) == ["mine"])
        tea = ann.chat.session.rooms["tea"]
        assert (tea.unread_count, tea.mention_count, tea.typing_nicks) == (0, 0, [])
        assert "during" not in ann.screen()
        await ann.say("/ignore")
        await ann.sees("Ignored: BOB")
        assert 'ignored = ["BOB"]' in (tmp_path / "ann" / "settings.toml").read_text()
        await ann.say("/unignore bob")
        await ann.until(lambda: said(ann) == ["before", "ann: during", "under another name", "mine"])
        await ann.say("/unignore bob")
        await ann.sees("bob is not ignored")


async def test_you_cannot_ignore_yourself(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("/ignore ann")
        await ann.sees("You cannot ignore yourself.")


async def test_a_muted_room_is_quiet_and_a_mention_in_it_is_not(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        tea = await other.join("tea", nick="bob")
        for room in ("dev", "ops"):
            await ann.say(f"/join {room}")
            await ann.until(lambda room=room: ann.chat.displayed_room is ann.chat.session.rooms.get(room))
        await ann.say("/mute tea")
        await ann.sees("tea is muted")
        await tea.send("something")
        await ann.sees("(1)")
        await ann.press("alt+a")
        assert ann.chat.displayed_room is ann.chat.session.rooms["ops"]
        await tea.send("ann?")
        await ann.sees("@2")
        await ann.press("alt+a")
        assert ann.chat.displayed_room is ann.chat.session.rooms["tea"]
        await ann.say("/unmute")
        await ann.sees("tea is not muted")
        await ann.until(lambda: not ann.app.settings.is_muted("tea"))


async def test_a_room_with_a_draft_is_marked_in_the_list(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("/join dev")
        await ann.sees("2 dev")
        await ann.type("half")
        assert "✎" not in ann.screen()
        await ann.press("alt+1")
        await ann.sees("✎")
        await ann.press("alt+2", "ctrl+c", "alt+1")
        assert "✎" not in ann.screen()


async def test_whois_says_who_somebody_is_and_where(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", size=(120, 24)) as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        await room.send("hi")
        await ann.sees("hi")
        await ann.sees("2 here")  # who is here may be told a moment after what they say
        await ann.say("/whois @bob")
        await ann.sees("bob: a guest, without an account · in tea · last said something at")
        await ann.say("/whois ann")
        await ann.sees("ann: that is you")
        await room.leave()
        await ann.sees("1 here")
        await ann.say("/whois BOB")
        await ann.sees("bob: not in your rooms now · last said something at")
        await ann.say("/whois nobody")
        await ann.sees("Nobody here is called nobody.")


async def test_another_server_is_entered_with_the_nickname_and_room_there_are(
    server: RunningServer, tmp_path: Path
) -> None:
    async with serving(tmp_path / "second") as second, in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("here")
        await ann.say("/server not a server at all")
        await ann.until(lambda: ann.chat.status.is_mounted and ann.composer.text.startswith("/server"))
        await ann.press("ctrl+u")
        first = ann.chat
        await ann.say(f"/server {second.url}")
        await ann.until(lambda: ann.app.screen is not first and ann.app.screen.__class__ is first.__class__)
        await ann.until(lambda: ann.chat.displayed_room is not None and ann.chat.displayed_room.name == "tea")
        assert ann.chat.connection.url == second.url
        assert said(ann) == []
