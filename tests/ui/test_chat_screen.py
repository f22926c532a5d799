from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from textual import events

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.help import HelpScreen


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """A server without rate limits."""
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


async def test_two_people_talk(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.wait_for_text("bob joined")
        await ann.send_message("hello bob")
        await bob.wait_for_text("hello bob")
        await bob.send_message("你好 ann")
        await ann.wait_for_text("你好 ann")
        assert ann.screen_text().count("hello bob") == 1
        assert "2 here" in ann.screen_text()


async def test_the_header_shows_room_topic_and_connection(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        await room.set_topic("green or black")
        await ann.wait_for_text("green or black")
        header = ann.first_row_of(ann.chat_screen.query_one("ChatHeader"))
        assert header.startswith("tea  green or black")
        assert "● online" in header


async def test_an_unknown_command_is_an_error_and_is_not_sent(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/frobnicate now")
        await ann.wait_for_text("No command /frobnicate")
        assert ann.composer.text == "/frobnicate now"
        assert not any(isinstance(line, MessageLine) for line in ann.timeline.lines)
        await ann.press("ctrl+u")
        await ann.send_message("//shrug")
        await ann.wait_for_text("/shrug")
        line = ann.timeline.lines[-1]
        assert isinstance(line, MessageLine)
        assert line.text == "/shrug"


async def test_a_draft_stays_with_its_room_even_when_keys_come_at_once(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/join dev")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        burst = [events.Key(character, character) for character in "for dev"]
        burst += [events.Key("alt+1", None), *(events.Key(c, c) for c in "for tea"), events.Key("alt+2", None)]
        for key in burst:
            ann.app.post_message(key)
        await ann.wait_until(lambda: ann.composer.text == "for dev")
        await ann.press("alt+left")
        assert ann.composer.text == "for tea"
        ann.app.post_message(events.Key("enter", "\r"))
        ann.app.post_message(events.Key("alt+2", None))
        tea = ann.chat_screen.session.rooms["tea"]
        await ann.wait_until(lambda: any(isinstance(line, MessageLine) for line in tea.transcript.lines))
        dev = ann.chat_screen.session.rooms["dev"]
        assert not any(isinstance(line, MessageLine) for line in dev.transcript.lines)
        assert ann.composer.text == "for dev"


async def test_unread_counts_stand_in_the_room_list_until_the_room_is_read(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        await ann.send_message("/join dev")
        await ann.wait_for_text("2 dev")
        await room.send("one")
        await room.send("ann: two")
        tea = ann.chat_screen.session.rooms["tea"]
        await ann.wait_until(lambda: tea.unread_count == 2)
        await ann.wait_for_text("@2")
        await ann.press("alt+a")
        await ann.wait_for_text("ann: two")
        await ann.wait_until(lambda: tea.unread_count == 0)
        assert "@2" not in ann.screen_text()


async def test_nothing_is_read_while_the_terminal_is_elsewhere(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        ann.app.post_message(events.AppBlur())
        await ann.pilot.pause()
        await room.send("while away")
        await ann.wait_until(lambda: tea.unread_count == 1)
        ann.app.post_message(events.AppFocus())
        await ann.wait_until(lambda: tea.unread_count == 0)


async def test_scrolled_up_the_place_is_kept_and_what_is_new_is_counted(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        for number in range(40):
            await room.send(f"line {number}")
        await ann.wait_for_text("line 39")
        await ann.press("pageup")
        assert "line 39" not in ann.screen_text()
        await room.send("news")
        await ann.wait_for_text("1 new below")
        assert ann.chat_screen.session.rooms["tea"].unread_count == 1
        await ann.press("escape")
        await ann.wait_for_text("news")
        await ann.wait_until(lambda: ann.chat_screen.session.rooms["tea"].unread_count == 0)


async def test_older_history_comes_when_one_scrolls_up(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        for number in range(120):
            await room.send(f"line {number}")
        async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
            await ann.wait_for_text("line 119")
            await ann.press("alt+home")
            await ann.wait_until(lambda: len(ann.timeline.lines) >= 120)
            await ann.press("alt+home")
            await ann.wait_for_text("line 0")


async def test_names_list_nick_and_part(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(100, 30)) as ann:
        await ann.send_message("/names")
        await ann.wait_for_text("1 here: ann")
        await ann.send_message("/nick anna")
        await ann.wait_for_text("You are now anna.")
        await ann.send_message("/join dev")
        await ann.wait_for_text("2 dev")
        await ann.send_message("/list")
        await ann.wait_for_text("2 rooms")
        await ann.send_message("/part")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 1)
        await ann.send_message("/part")
        await ann.wait_for_text(tr(chat_strings.LEFT_LAST_ROOM))
        assert tr(chat_strings.BUTTON_JOIN) in ann.screen_text()
        await ann.press("enter")
        await ann.wait_for_text("1 here")


async def test_a_second_room_gives_you_the_nickname_you_have(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await bob.send_message("/nick ann")
        await bob.wait_for_text("You are now ann2.")
        await ann.wait_for_text("ann2")


async def test_ctrl_c_clears_the_line_and_quits_only_at_the_second_time(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("half")
        await ann.press("ctrl+c")
        assert ann.composer.text == ""
        await ann.press("ctrl+c")
        await ann.wait_for_text(tr(chat_strings.CONFIRM_QUIT))
        await ann.press("ctrl+c")
        await ann.wait_until(lambda: not ann.app.is_running)


async def test_what_is_searched_among_what_was_sent_is_shown(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for text in ("tea at four", "and cake"):
            await ann.send_message(text)
        await ann.type_text("half")
        await ann.press("ctrl+r")
        await ann.type_text("te")
        await ann.wait_for_text("sent here before: te")
        assert ann.composer.text == "tea at four"
        await ann.type_text("x")
        await ann.wait_for_text("nothing that you sent here holds: tex")
        await ann.press("escape")
        assert ann.composer.text == "half"
        await ann.wait_until(lambda: "holds: tex" not in ann.screen_text())


async def test_what_ctrl_c_cleared_comes_back_with_undo(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("a long thought")
        await ann.press("ctrl+c")
        await ann.wait_for_text("Ctrl+_")
        assert ann.composer.text == ""
        await ann.press("ctrl+underscore")
        assert ann.composer.text == "a long thought"


async def test_quitting_right_behind_a_message_sends_it_first(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        for key in ("b", "y", "e", "enter", "ctrl+q"):
            ann.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await wait_until(lambda: not ann.app.is_running)
        await wait_until(lambda: [message.message for message in room.log.messages()] == ["bye"])


async def test_quitting_offline_with_something_unsent_warns_once(tmp_path: Path) -> None:
    async with AsyncExitStack() as running:
        first = await running.enter_async_context(running_server(tmp_path))
        async with chat_app_in_room(tmp_path, first.url, "ann") as ann:
            await running.aclose()
            await ann.wait_for_text("offline")
            await ann.send_message("unsent")
            await ann.press("ctrl+q")
            await ann.wait_for_text(tr(chat_strings.CONFIRM_QUIT_UNSENT)[:40])
            assert ann.app.is_running
            await ann.press("ctrl+q")
            await wait_until(lambda: not ann.app.is_running)


async def test_f1_shows_every_key_and_command_and_closes_again(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("f1")
        await ann.wait_for_text("/join room")
        await ann.press("escape")
        assert not isinstance(ann.app.screen, HelpScreen)
        await ann.send_message("/help")
        await ann.wait_for_text("/join room")


async def test_the_palette_has_the_commands(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("ctrl+backslash")
        await ann.wait_for_text("/join room")
        await ann.type_text("names")
        await ann.wait_for_text("say who is here")
        await ann.press("enter")
        await ann.wait_for_text("1 here: ann")


async def test_the_theme_changes_and_is_remembered(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/theme light")
        await ann.wait_until(lambda: ann.app.theme == "chat-light")
        assert 'theme = "light"' in (tmp_path / "ann" / "settings.toml").read_text()
        await ann.send_message("/theme pink")
        await ann.wait_for_text("theme can be: dark, light")


async def test_panes_fold_away_when_it_is_narrow_and_come_on_request(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(40, 10)) as ann:
        assert "1 here" not in ann.screen_text()
        await ann.send_message("hi")
        await ann.wait_for_text("hi")
        await ann.press("f3")
        await ann.wait_for_text("1 here")


async def test_a_picked_message_can_be_answered(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        await room.send("question?")
        await ann.wait_for_text("question?")
        await ann.press("ctrl+s")
        assert ann.timeline.cursor_key is not None
        await ann.press("m")
        assert ann.composer.text == "bob: "
        assert ann.app.focused is ann.composer


async def test_what_failed_says_why_and_can_be_taken_back(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        ann.chat_screen.connection.post("tea", "an answer to nothing", 1)
        await ann.wait_for_text("There is no such message")
        await ann.press("ctrl+s", "e")
        assert ann.composer.text == "an answer to nothing"
        assert "There is no such message" not in ann.screen_text()


async def test_what_failed_is_sent_again_on_enter(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        ann.chat_screen.connection.post("tea", "an answer", 1)
        await ann.wait_for_text("There is no such message")
        await ann.send_message("the question")
        await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)
        await ann.press("ctrl+s", "enter")
        await ann.wait_until(lambda: ann.timeline.lines[-1].key == "message-2")
        assert "There is no such message" not in ann.screen_text()


async def test_what_others_write_is_never_markup_nor_an_escape(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as other:
        room = await other.join("tea", nick="[b]bold[/b]")
        await room.send("[red]not red[/] [@click=app.quit]x[/] [")
        await room.set_topic("[blink]topic[/]")
        async with chat_app_in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann:
            await ann.wait_for_text("[red]not red[/] [@click=app.quit]x[/] [")
            await ann.wait_for_text("[blink]topic[/]")
            assert ann.screen_text().count("[b]bold[/b]") == 2


async def test_offline_is_shown_and_what_was_typed_meanwhile_is_sent_once(tmp_path: Path) -> None:
    async with AsyncExitStack() as running:
        first = await running.enter_async_context(running_server(tmp_path))
        async with chat_app_in_room(tmp_path, first.url, "ann") as ann:
            await running.aclose()
            await ann.wait_for_text("offline")
            await ann.send_message("meanwhile")
            assert ann.chat_screen.session.unsent_count == 1
            async with running_server(tmp_path, port=first.port):
                await ann.wait_for_text("online")
                await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)
                assert ann.screen_text().count("meanwhile") == 1
                async with ChatClient(first.url) as other:
                    room = await other.join("tea", nick="bob")
                    assert [message.message for message in room.log.messages()] == ["meanwhile"]


async def test_the_topic_can_be_set_and_shown(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/topic")
        await ann.wait_for_text(tr(chat_strings.NO_TOPIC))
        await ann.send_message("/topic green or black")
        await ann.wait_for_text("The topic is now: green or black")
        assert ann.first_row_of(ann.chat_screen.query_one("ChatHeader")).startswith("tea  green or black")


async def test_who_is_typing_is_shown_until_they_speak(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await bob.type_text("h")
        await ann.wait_for_text("bob is typing")
        await bob.press("enter")
        await ann.wait_until(lambda: "bob is typing" not in ann.screen_text())


async def test_picking_in_an_empty_room_leaves_the_caret_where_it_is(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("ctrl+s")
        await ann.type_text("still here")
        assert ann.composer.text == "still here"


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (20, 5), (300, 100)])
async def test_no_size_breaks_it(server: RunningServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("wide 你好 text")
        await ann.pilot.resize_terminal(*size)
        await ann.press("f2", "f3", "f1", "f1")
        await ann.pilot.resize_terminal(80, 24)
        await ann.wait_for_text("wide 你好 text")
