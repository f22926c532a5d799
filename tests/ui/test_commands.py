"""Commands in the app and their results on the screen."""

from pathlib import Path

from textual import events

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tests.support.raw_client import raw_client
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.screens.command_palette import CommandPalette
from tui_chat.ui.screens.help import HelpScreen
from tui_chat.ui.widgets.line_input import LineInput


async def test_an_unknown_command_is_not_sent_and_a_double_slash_sends_a_leading_slash(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/foobar now")
        await ann.wait_for_text("Unknown command /foobar. See /help; //foobar sends it.")
        assert ann.composer.text == "/foobar now"
        assert not any(isinstance(line, MessageLine) for line in ann.timeline.lines)
        ann.composer.set_text("")
        await ann.send_message("//shrug")
        await ann.wait_until(
            lambda: (
                [(line.seq, line.text) for line in ann.timeline.lines if isinstance(line, MessageLine)]
                == [(1, "/shrug")]
            )
        )


async def test_the_names_nick_list_and_part_commands_show_their_results(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(100, 30)) as ann,
        raw_client(server.url) as bot,
    ):
        assert (await bot.request("sendMessage", {"room": "idle", "message": "hi", "as": {"nickName": "bot"}}))["ok"]
        await ann.send_message("/names")
        await ann.wait_for_text("1 here: ann")
        await ann.send_message("/nick anna")
        await ann.wait_for_text("You are now anna.")
        await ann.send_message("/join dev")
        await ann.wait_for_text("2 dev")
        await ann.send_message("/list")
        await ann.wait_for_text("3 rooms")
        await ann.wait_for_text("idle · 0 here")
        await ann.send_message("/part")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 1)
        await ann.send_message("/part")
        await ann.wait_for_text(tr("You left the last room."))
        assert tr(app_strings.BUTTON_JOIN) in ann.screen_text()
        await ann.press("enter")  # joins with the changed nickname
        await ann.wait_for_text("1 here")
        assert ann.chat_screen.session.rooms["tea"].nick == "anna"


async def test_a_taken_nickname_gets_a_numeric_suffix(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await bob.send_message("/nick ann")
        await bob.wait_for_text("You are now ann2.")
        await ann.wait_for_text("ann2")


async def test_help_opens_by_key_and_command_and_the_palette_lists_and_runs_commands(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("f1")
        await ann.wait_for_text("/join room")
        await ann.press("escape")
        assert not isinstance(ann.app.screen, HelpScreen)
        await ann.send_message("/help")
        await ann.wait_for_text("/join room")
        await ann.press("escape")
        await ann.press("ctrl+backslash")
        await ann.wait_for_text("search commands")
        await ann.type_text("names")
        await ann.wait_for_text("/names [part of a name]")
        await ann.wait_for_text("list or search the members of this room")
        await ann.press("enter")
        await ann.wait_for_text("1 here: ann")


async def test_the_palette_sanitizes_pastes_finds_descriptions_and_aliases_and_inserts_commands_with_arguments(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:

        async def search(text: str) -> None:
            await ann.press("ctrl+u")
            ann.app.post_message(events.Paste(text))

        await ann.press("ctrl+backslash")
        await ann.wait_for_text("search commands")
        await search("no \x1b[31msuch\ncommand\u202e 👩\u200d🚀")
        await ann.press("alt+x")
        await ann.wait_for_text("No command matches.")
        assert ann.app.screen.query_one(LineInput).value == "no such command 👩\u200d🚀"
        await ann.press("enter", "backspace")
        assert ann.app.screen.query_one(LineInput).value == "no such command "
        await search("leave")  # alias of /part
        await ann.wait_for_text("/part [room]")
        await search("discard your newest")
        await ann.wait_for_text("/cancel")
        await ann.press("ctrl+backslash")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        await ann.press("ctrl+backslash")
        await ann.wait_for_text("↑↓ select · Enter choose · Esc close")
        await ann.press("down", "pagedown")
        assert isinstance(ann.app.screen, CommandPalette)
        assert ann.app.screen.highlighted_index > 1
        await ann.type_text("join")
        await ann.press("enter")
        await ann.wait_until(lambda: ann.composer.text == "/join ")


async def test_a_theme_change_is_saved_and_an_unknown_theme_is_rejected_with_the_allowed_values(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/theme light")
        await ann.wait_until(lambda: ann.app.theme == "chat-light")
        assert 'theme = "light"' in (tmp_path / "ann" / "settings.toml").read_text()
        await ann.send_message("/theme pink")
        await ann.wait_for_text("Invalid value for theme. Allowed: dark, light")


async def test_the_topic_command_sets_and_shows_the_topic(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/topic")
        await ann.wait_for_text(tr("This room has no topic."))
        await ann.send_message("/topic green or black")
        await ann.wait_for_text("ann set the topic: green or black")
        assert ann.first_row_of(ann.chat_screen.query_one("ChatHeader")).startswith("tea  green or black")
