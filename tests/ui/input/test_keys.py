import tomllib
from itertools import combinations
from pathlib import Path

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from tests.support.chat_app import chat_app
from tests.support.recorded_session import RecordedSession
from tools.generated_docs import keys_page
from tui_chat.session.commands import registry
from tui_chat.session.i18n import tr
from tui_chat.session.session_target import SessionTarget
from tui_chat.ui.app import ChatApp
from tui_chat.ui.input import keys
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope
from tui_chat.ui.screens.account_form import AccountFormScreen
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.command_palette import CommandPalette
from tui_chat.ui.screens.confirm import ConfirmScreen
from tui_chat.ui.screens.copy_mode import CopyModeScreen
from tui_chat.ui.screens.devices import DevicesScreen
from tui_chat.ui.screens.help import HelpScreen
from tui_chat.ui.screens.join import JoinScreen
from tui_chat.ui.screens.link import LinkScreen
from tui_chat.ui.screens.member_menu import MemberMenu
from tui_chat.ui.screens.member_picker import MemberPicker
from tui_chat.ui.screens.output import OutputScreen
from tui_chat.ui.screens.paste import PasteScreen
from tui_chat.ui.screens.room_switcher import RoomSwitcher
from tui_chat.ui.screens.search import SearchScreen
from tui_chat.ui.screens.settings import SettingsScreen
from tui_chat.ui.screens.theme import ThemeScreen
from tui_chat.ui.terminal import alt_keys
from tui_chat.ui.timeline.widget import Timeline
from tui_chat.ui.widgets.composer import Composer

ACTION_OWNERS = {
    KeyScope.JOIN_FORM: (JoinScreen,),
    KeyScope.ACCOUNT_FORM: (AccountFormScreen,),
    KeyScope.DEVICE_LIST: (DevicesScreen,),
    KeyScope.COMPOSER: (Composer,),
    KeyScope.COMMAND_PALETTE: (CommandPalette,),
    KeyScope.ROOM_SWITCHER: (RoomSwitcher,),
    KeyScope.MEMBER_PICKER: (MemberPicker,),
    KeyScope.MEMBER_MENU: (MemberMenu,),
    KeyScope.PASTE_DIALOG: (PasteScreen,),
    KeyScope.CONFIRM_DIALOG: (ConfirmScreen,),
    KeyScope.MESSAGE_SEARCH: (SearchScreen,),
    KeyScope.HISTORY_SEARCH: (Composer,),
    KeyScope.MESSAGE_CURSOR: (Timeline,),
    KeyScope.HELP: (HelpScreen,),
    KeyScope.SETTINGS: (SettingsScreen,),
    KeyScope.THEME_LIST: (ThemeScreen,),
    KeyScope.LINK_DIALOG: (LinkScreen,),
    KeyScope.COPY_MODE: (CopyModeScreen,),
    KeyScope.OUTPUT: (OutputScreen,),
}


def test_docs_keys_md_matches_the_registry_and_has_a_valid_example() -> None:
    page = (Path(__file__).parents[3] / "docs" / "keys.md").read_text(encoding="utf-8")
    assert page == keys_page(), "make docs"
    example = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    assert len(example["keys"]) == 3
    assert Keymap(example["keys"]).problems == ()


def test_every_binding_has_an_action_in_its_scope(tmp_path: Path) -> None:
    target = SessionTarget("http://localhost", "tea", "ann", restore_rooms=False)
    chat_screen = ChatScreen(RecordedSession(target, tmp_path).controller)
    for binding in keys.ALL_BINDINGS:
        namespace, _, name = binding.action.partition("(")[0].rpartition(".")
        if namespace == "screen" or (not namespace and binding.scope is KeyScope.CHAT):
            owners: tuple[object, ...] = (chat_screen,)
        else:
            owners = (ChatApp,) if namespace == "app" else ACTION_OWNERS[binding.scope]
        assert all(hasattr(owner, f"action_{name}") for owner in owners), binding.id


def test_bindings_in_overlapping_scopes_share_only_the_help_key() -> None:
    for first, second in keys.OVERLAPPING_SCOPES:
        shared = {key for binding in keys.bindings_in(first) for key in binding.keys} & {
            key for binding in keys.bindings_in(second) for key in binding.keys
        }
        assert shared <= {"f1"}, f"{first} and {second}"
    for scope in KeyScope:
        for first, second in combinations(keys.bindings_in(scope), 2):
            assert not set(first.keys) & set(second.keys)


def test_binding_ids_are_unique() -> None:
    ids = [binding.id for binding in keys.ALL_BINDINGS]
    assert len(ids) == len(set(ids))


async def test_the_help_lists_every_key_and_every_command(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(120, 320)) as driver:
        await driver.press("f1")
        await driver.wait_for_text("/join room")
        text = driver.screen_text()
        unwrapped_text = " ".join(text.replace("│", " ").split())
        for command in registry.COMMANDS:
            assert command.usage in text
        for scope in KeyScope:
            if scope is not KeyScope.HELP:
                for key_names, binding in Keymap().list_bindings(scope):
                    assert "  ".join(key_names) in text
                    assert binding.help is None or tr(binding.help) in unwrapped_text


async def test_typed_text_filters_the_help(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(100, 40)) as driver:
        await driver.press("f1")
        await driver.type_text("remove a reaction")
        await driver.wait_until(lambda: "/react" in driver.screen_text() and "/join" not in driver.screen_text())
        await driver.type_text("[zz")
        await driver.wait_for_text("[zz▏ 0 lines")
        await driver.press(*["backspace"] * 20)
        await driver.wait_for_text("/join")
        await driver.press("escape")
        assert len(driver.app.screen_stack) == 1


@pytest.mark.parametrize(("data", "key"), [("\x1b\r", "alt+enter"), ("\x1b1", "alt+1"), ("\x1b9", "alt+9")])
def test_alt_keys_sent_with_an_escape_prefix_are_recognized(data: str, key: str) -> None:
    alt_keys.register_alt_keys()
    parsed = [token for token in XTermParser().feed(data) if isinstance(token, events.Key)]
    assert [(token.key, token.is_printable) for token in parsed] == [(key, False)]


@pytest.mark.parametrize(
    ("data", "expected_keys"),
    [
        ("\x1bsred", ["alt+s", "r", "e", "d"]),
        ("\x1bOP\x1bAx", ["f1", "alt+shift+a", "x"]),
        ("\x1b.x", ["full_stop", "x"]),
    ],
)
def test_a_burst_with_escape_sequences_is_split_into_single_keys(data: str, expected_keys: list[str]) -> None:
    alt_keys.register_alt_keys()
    assert [token.key for token in XTermParser().feed(data) if isinstance(token, events.Key)] == expected_keys


async def test_the_help_has_one_column_in_a_narrow_terminal(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(40, 100)) as driver:
        await driver.press("f1")
        await driver.wait_for_text("/join room")
        rows = [row.strip("│ ▇▄▆█▂▁▃▅") for row in driver.screen_text().splitlines()]
        index = rows.index("/join room")
        assert " ".join(rows[index + 1 : index + 3]).startswith("join a room; other rooms stay open")
        assert "/part [room]" in rows[index + 2 : index + 4]


def test_local_keys_follow_the_registry_and_the_key_settings() -> None:
    available = {binding.action for scope in (KeyScope.CHAT, KeyScope.COMPOSER) for binding in keys.bindings_in(scope)}
    assert available >= keys.LOCAL_ACTIONS
    defaults, custom = Keymap(), Keymap({"page-up": "alt+p", "send": "alt+s"})
    assert {"pageup", "backspace", "left"} <= defaults.local_keys
    assert not {"enter", "escape", "tab", "up", "ctrl+k", "alt+1"} & defaults.local_keys
    assert "alt+p" in custom.local_keys
    assert "pageup" not in custom.local_keys
