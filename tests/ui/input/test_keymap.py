"""Keys of one's own: how they are written, what is refused, and that they act."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.chat_app import chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.ui.input import key_names, keys
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """A server without rate limits."""
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("alt+n", "alt+n"),
        ("Alt+N", "alt+n"),
        (" control + Right ", "ctrl+right"),
        ("shift+ctrl+home", "ctrl+shift+home"),
        ("Ctrl+\\", "ctrl+backslash"),
        ("ctrl+_", "ctrl+underscore"),
        ("PgDn", "pagedown"),
        ("Esc", "escape"),
        ("F12", "f12"),
        ("alt++", "alt+plus"),
        ("+", "plus"),
        ("?", "question_mark"),
        ("G", "G"),
        ("alt+→", "alt+right"),
    ],
)
def test_a_key_is_written_as_people_write_it(written: str, named: str) -> None:
    assert key_names.parse_key(written) == named


@pytest.mark.parametrize("written", ["", "alt+", "nokey", "alt+foo", "hopla+a", "ctrl+ctrl+a", "a b", "<scroll-up>"])
def test_what_is_no_key_is_none(written: str) -> None:
    assert key_names.parse_key(written) == ""


@pytest.mark.parametrize("key", [name for key in keys.ALL_BINDINGS for name in key.keys])
def test_every_usual_key_can_be_written_as_it_is_shown(key: str) -> None:
    assert key_names.parse_key(key) == key
    assert key_names.parse_key(key_names.display_name(key)) == key


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"next-rom": "alt+n"}, "[keys] next-rom: there is nothing of this name; docs/keys.md has them all."),
        ({"next-room": "alt+nn"}, "[keys] next-room: there is no key alt+nn."),
        ({"next-room": "n"}, "[keys] next-room: n is something to write here; take it with Ctrl or Alt."),
        ({"next-room": "ctrl+f"}, "[keys] next-room: Ctrl+F is taken by cursor-right; give that another key first."),
        ({"quit": "enter"}, "[keys] quit: Enter is taken by join; give that another key first."),
    ],
)
def test_what_cannot_be_costs_one_sentence_and_the_usual_keys_stay(wanted: dict[str, str], problem: str) -> None:
    keymap = Keymap(wanted)
    assert keymap.problems == (problem,)
    assert keymap.textual_keymap() == {}


def test_a_key_that_was_freed_can_be_taken() -> None:
    keymap = Keymap({"next-room": ("ctrl+f", "alt+right"), "cursor-right": "right", "suspend": ""})
    assert keymap.problems == ()
    assert keymap.actions(KeyScope.CHAT)["ctrl+f"] == "step_room(1)"
    assert "ctrl+n" not in keymap.actions(KeyScope.CHAT)
    assert "ctrl+f" not in keymap.actions(KeyScope.COMPOSER)
    assert "ctrl+z" not in keymap.actions(KeyScope.GLOBAL)


def test_two_keys_can_change_places() -> None:
    keymap = Keymap({"next-room": "ctrl+p", "previous-room": "ctrl+n"})
    assert keymap.problems == ()
    assert keymap.actions(KeyScope.CHAT)["ctrl+p"] == "step_room(1)"


def test_of_two_that_want_one_key_one_gets_it() -> None:
    keymap = Keymap({"next-room": "f7", "next-activity": "f7"})
    assert len(keymap.problems) == 1
    assert list(keymap.actions(KeyScope.CHAT)).count("f7") == 1


def test_a_letter_can_be_a_key_where_nothing_is_written() -> None:
    assert Keymap({"picked-reply": "q"}).actions(KeyScope.MESSAGE_CURSOR)["q"] == "screen.reply_to_selected"


async def test_keys_of_ones_own_act_while_writing_and_stand_in_the_footer(
    server: RunningServer, tmp_path: Path
) -> None:
    own = {"keys": {"next-room": "f7", "send": ("ctrl+o",), "help": "f12"}}
    async with chat_app_in_room(tmp_path, server.url, "ann", settings=own, size=(120, 30)) as ann:
        await ann.type_text("/join dev")
        await ann.press("ctrl+o")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        shown = ann.chat_screen.session.current_room
        await ann.press("alt+right")
        assert ann.chat_screen.session.current_room is shown
        await ann.press("f7")
        assert ann.chat_screen.session.current_room is not shown
        assert "Ctrl+O send" in ann.screen_text()
        assert "F7 rooms" in ann.screen_text()


async def test_a_key_of_the_app_moves_and_the_old_one_does_nothing(tmp_path: Path) -> None:
    async with chat_app(tmp_path, settings={"keys": {"help": "f12"}}, size=(120, 130)) as person:
        await person.press("f1")
        assert len(person.app.screen_stack) == 1
        await person.press("f12")
        assert len(person.app.screen_stack) == 2
        assert "F12" in person.screen_text()
        await person.press("f12")
        assert len(person.app.screen_stack) == 1


async def test_what_is_wrong_with_the_keys_is_said_on_the_form(tmp_path: Path) -> None:
    async with chat_app(tmp_path, settings={"keys": {"help": "f99"}}) as person:
        await person.wait_for_text("[keys] help: there is no key f99.")


async def test_what_is_wrong_is_said_in_the_room_when_the_form_is_passed_by(
    server: RunningServer, tmp_path: Path
) -> None:
    own = {"keys": {"help": "f99"}}
    async with chat_app_in_room(tmp_path, server.url, "ann", settings=own) as ann:
        await ann.wait_for_text("[keys] help: there is no key f99.")
