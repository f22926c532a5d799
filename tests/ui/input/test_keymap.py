"""Custom key bindings: notation, validation and effect."""

from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.chat_app import chat_app, chat_app_in_room
from tui_chat.ui.input import key_names, keys
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope


@pytest.mark.parametrize(
    ("notation", "expected"),
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
def test_common_key_notations_are_parsed(notation: str, expected: str) -> None:
    assert key_names.parse_key(notation) == expected


@pytest.mark.parametrize("notation", ["", "alt+", "nokey", "alt+foo", "hopla+a", "ctrl+ctrl+a", "a b", "<scroll-up>"])
def test_invalid_key_notations_are_rejected(notation: str) -> None:
    assert key_names.parse_key(notation) == ""


def test_display_names_of_default_keys_are_parsed_back() -> None:
    for key in {key for binding in keys.ALL_BINDINGS for key in binding.keys}:
        assert key_names.parse_key(key) == key
        assert key_names.parse_key(key_names.display_name(key)) == key


@pytest.mark.parametrize(
    ("key", "name"),
    [("alt+question_mark", "Alt+?"), ("slash", "/"), ("ctrl+j", "Ctrl+J"), ("g", "g"), ("alt+delete", "Alt+Del")],
)
def test_named_characters_are_displayed_as_characters(key: str, name: str) -> None:
    assert key_names.display_name(key) == name
    assert key_names.parse_key(name) == key


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"next-rom": "alt+n"}, "[keys] next-rom: unknown action. See docs/keys.md."),
        ({"next-room": "alt+nn"}, "[keys] next-room: unknown key alt+nn."),
        ({"next-room": "n"}, "[keys] next-room: n types text here. Add Ctrl or Alt."),
        ({"next-room": "ctrl+f"}, "[keys] next-room: Ctrl+F is bound to cursor-right. Rebind cursor-right first."),
        ({"quit": "enter"}, "[keys] quit: Enter is bound to join. Rebind join first."),
    ],
)
def test_an_invalid_override_is_reported_and_the_defaults_stay(overrides: dict[str, str], problem: str) -> None:
    keymap = Keymap(overrides)
    assert keymap.problems == (problem,)
    assert keymap.textual_keymap() == {}


def test_a_released_key_is_available_to_another_action() -> None:
    keymap = Keymap({"next-room": ("ctrl+f", "alt+right"), "cursor-right": "right", "suspend": ""})
    assert keymap.problems == ()
    assert keymap.actions[KeyScope.CHAT]["ctrl+f"] == "step_room(1)"
    assert "ctrl+n" not in keymap.actions[KeyScope.CHAT]
    assert "ctrl+f" not in keymap.actions[KeyScope.COMPOSER]
    assert "ctrl+z" not in keymap.actions[KeyScope.GLOBAL]


def test_two_actions_swap_their_keys() -> None:
    keymap = Keymap({"next-room": "ctrl+p", "previous-room": "ctrl+n"})
    assert keymap.problems == ()
    assert keymap.actions[KeyScope.CHAT]["ctrl+p"] == "step_room(1)"


def test_a_key_requested_by_two_actions_is_assigned_once() -> None:
    keymap = Keymap({"next-room": "f7", "next-activity": "f7"})
    assert len(keymap.problems) == 1
    assert list(keymap.actions[KeyScope.CHAT]).count("f7") == 1


def test_a_letter_is_a_valid_key_in_scopes_without_text_input() -> None:
    assert Keymap({"message-reply": "q"}).actions[KeyScope.MESSAGE_CURSOR]["q"] == "screen.reply_to_selected"


async def test_custom_keys_replace_the_default_keys_and_appear_in_the_footer(
    server: RunningServer, tmp_path: Path
) -> None:
    settings = {
        "keys": {
            "next-room": "f7",
            "send": ("ctrl+o",),
            "help": "f12",
            "switch-go": "alt+g",
            "switch-close": ("ctrl+g", "escape"),
        }
    }
    async with chat_app_in_room(tmp_path, server.url, "ann", settings=settings, size=(120, 30)) as ann:
        await ann.type_text("/join dev")
        await ann.press("ctrl+o")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        first_room = ann.chat_screen.session.current_room
        await ann.press("alt+right")
        assert ann.chat_screen.session.current_room is first_room
        await ann.press("f7")
        assert ann.chat_screen.session.current_room is not first_room
        assert "Ctrl+O send" in ann.screen_text()
        assert "F7 rooms" in ann.screen_text()
        await ann.press("f4")
        await ann.wait_for_text("↑↓ select · Alt+G switch · Ctrl+G close")


async def test_a_rebound_app_key_releases_its_default(tmp_path: Path) -> None:
    async with chat_app(tmp_path, settings={"keys": {"help": "f12"}}, size=(120, 130)) as driver:
        await driver.press("f1")
        assert len(driver.app.screen_stack) == 1
        await driver.press("f12")
        assert len(driver.app.screen_stack) == 2
        await driver.press("f12")
        assert len(driver.app.screen_stack) == 1


async def test_key_binding_problems_are_shown_on_the_join_form(tmp_path: Path) -> None:
    async with chat_app(tmp_path, settings={"keys": {"help": "f99"}}) as driver:
        await driver.wait_for_text("[keys] help: unknown key f99.")


async def test_key_binding_problems_are_shown_in_the_room_when_the_join_form_is_skipped(
    server: RunningServer, tmp_path: Path
) -> None:
    settings = {"keys": {"help": "f99"}}
    async with chat_app_in_room(tmp_path, server.url, "ann", settings=settings) as ann:
        await ann.wait_for_text("[keys] help: unknown key f99.")
