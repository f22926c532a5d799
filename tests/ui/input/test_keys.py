from itertools import combinations
from pathlib import Path

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from tests.support.chat_app import chat_app
from tui_chat.session.commands import registry
from tui_chat.session.i18n import tr
from tui_chat.ui.app import ChatApp
from tui_chat.ui.input import keys, keys_doc
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.chat_view import RoomTimeline
from tui_chat.ui.screens.copy_mode import CopyModeScreen
from tui_chat.ui.screens.help import HelpScreen
from tui_chat.ui.screens.join import JoinScreen
from tui_chat.ui.screens.link import LinkScreen
from tui_chat.ui.screens.paste import PasteScreen
from tui_chat.ui.screens.room_switcher import RoomSwitcher
from tui_chat.ui.screens.search import SearchScreen
from tui_chat.ui.screens.settings import SettingsScreen
from tui_chat.ui.screens.theme import ThemeScreen
from tui_chat.ui.terminal import alt_keys
from tui_chat.ui.widgets.composer import Composer

HOLDERS = {
    KeyScope.JOIN_FORM: (JoinScreen,),
    KeyScope.CHAT: (ChatScreen,),
    KeyScope.COMPOSER: (Composer,),
    KeyScope.ROOM_SWITCHER: (RoomSwitcher,),
    KeyScope.PASTE_DIALOG: (PasteScreen,),
    KeyScope.MESSAGE_SEARCH: (SearchScreen,),
    KeyScope.HISTORY_SEARCH: (Composer,),
    KeyScope.MESSAGE_CURSOR: (RoomTimeline,),
    KeyScope.HELP: (HelpScreen,),
    KeyScope.SETTINGS: (SettingsScreen,),
    KeyScope.THEME_LIST: (ThemeScreen,),
    KeyScope.LINK_DIALOG: (LinkScreen,),
    KeyScope.COPY_MODE: (CopyModeScreen,),
}


def test_docs_keys_md_is_what_the_registry_says() -> None:
    written = (Path(__file__).parents[3] / "docs" / "keys.md").read_text(encoding="utf-8")
    assert written == keys_doc.render_markdown(), "python -m tui_chat.ui.input.keys_doc > docs/keys.md"


@pytest.mark.parametrize("key", keys.ALL_BINDINGS, ids=lambda key: key.id)
def test_every_key_has_an_action_where_it_counts(key: keys.KeyBinding) -> None:
    namespace, _, name = key.action.partition("(")[0].rpartition(".")
    holders: tuple[type, ...] = {"app": (ChatApp,), "screen": (ChatScreen,)}.get(namespace) or HOLDERS[key.scope]
    assert all(hasattr(holder, f"action_{name}") for holder in holders)


def test_no_key_stands_twice_where_both_would_count() -> None:
    for one, other in keys.OVERLAPPING_SCOPES:
        taken = {name for key in keys.bindings_in(one) for name in key.keys} & {
            n for key in keys.bindings_in(other) for n in key.keys
        }
        assert taken <= {"f1"}, f"{one} and {other}"
    for place in KeyScope:
        for one, other in combinations(keys.bindings_in(place), 2):
            assert not set(one.keys) & set(other.keys)


def test_every_id_stands_once() -> None:
    ids = [key.id for key in keys.ALL_BINDINGS]
    assert len(ids) == len(set(ids))


async def test_the_help_has_every_key_and_every_command(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(120, 200)) as person:
        await person.press("f1")
        shown = person.screen_text()
        for command in registry.COMMANDS:
            assert command.usage in shown
        for place in KeyScope:
            if place is not KeyScope.HELP:
                for names, key in Keymap().list_bindings(place):
                    assert "  ".join(names) in shown
                    assert key.help is None or tr(key.help) in shown


async def test_what_is_typed_searches_the_help(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(100, 40)) as person:
        await person.press("f1")
        await person.type_text("emoji under")
        await person.wait_for_text("/react")
        assert "/join" not in person.screen_text()
        await person.type_text("[zz")
        await person.wait_for_text("[zz▏ 0 lines")
        await person.press(*["backspace"] * 20)
        await person.wait_for_text("/join")
        await person.press("escape")
        assert len(person.app.screen_stack) == 1


@pytest.mark.parametrize(("sent", "key"), [("\x1b\r", "alt+enter"), ("\x1b1", "alt+1"), ("\x1b9", "alt+9")])
def test_alt_is_told_apart_in_terminals_that_send_escape_before_the_key(sent: str, key: str) -> None:
    alt_keys.register_alt_keys()
    parsed = [token for token in XTermParser().feed(sent) if isinstance(token, events.Key)]
    assert [(token.key, token.is_printable) for token in parsed] == [(key, False)]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1bsred", ["alt+s", "r", "e", "d"]),
        ("\x1bOP\x1bAx", ["f1", "alt+shift+a", "x"]),
        ("\x1b.x", ["full_stop", "x"]),
    ],
)
def test_alt_is_told_apart_when_more_comes_at_once(sent: str, keys: list[str]) -> None:
    alt_keys.register_alt_keys()
    assert [token.key for token in XTermParser().feed(sent) if isinstance(token, events.Key)] == keys


async def test_the_help_stands_in_one_column_where_it_is_narrow(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(40, 100)) as person:
        await person.press("f1")
        rows = [row.strip("│ ▇▄▆█▂▁▃▅") for row in person.screen_text().splitlines()]
        at = rows.index("/join room")
        assert " ".join(rows[at + 1 : at + 3]).startswith("go into a room; the others stay open")
        assert "/part [room]" in rows[at + 2 : at + 4]


def test_the_keys_that_lead_nowhere_else_are_what_the_registry_and_the_settings_say() -> None:
    there = {key.action for place in (KeyScope.CHAT, KeyScope.COMPOSER) for key in keys.bindings_in(place)}
    assert there >= keys.LOCAL_ACTIONS
    usual, wanted = Keymap(), Keymap({"page-up": "alt+p", "send": "alt+s"})
    assert {"pageup", "backspace", "left"} <= usual.local_keys
    assert not {"enter", "escape", "tab", "up", "ctrl+k", "alt+1"} & usual.local_keys
    assert "alt+p" in wanted.local_keys
    assert "pageup" not in wanted.local_keys
