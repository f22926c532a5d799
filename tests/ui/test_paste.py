"""Dialog for large pastes, in the app and in a terminal."""

from pathlib import Path

from textual import events

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.ui.screens.paste import PasteScreen

SIX_LINES: str = "\n".join(("one", "two", "three", "/quit", "five", "six"))


async def paste(driver: ChatAppDriver, text: str) -> None:
    """Paste a large text into the composer, and wait for the dialog."""
    driver.composer.post_message(events.Paste(text))
    await driver.wait_until(lambda: isinstance(driver.app.screen, PasteScreen) and driver.app.screen.focused)


async def test_a_long_paste_opens_a_dialog_that_applies_the_selected_mode_without_control_characters(
    server: RunningServer, tmp_path: Path
) -> None:
    cases: list[tuple[str, str, str, list[str]]] = [
        ("e", "say: ", f"say: {SIX_LINES}", []),
        ("s", "say: ", "", [f"say: {SIX_LINES}"]),
        ("l", "say: ", "say: ", SIX_LINES.split("\n")),
        ("escape", "say: ", "say: ", []),
        ("enter", "say: ", f"say: {SIX_LINES}", []),
        ("e", "", SIX_LINES, []),
        ("s", "", "", [SIX_LINES]),
        ("l", "", "", SIX_LINES.split("\n")),
    ]
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for number, (key, draft, composer, messages) in enumerate(cases):
            room = f"{key}-{number}"
            await ann.join_rooms(room)
            if draft:
                await ann.type_text(draft)
            await paste(ann, f"{SIX_LINES}\r\n" if draft else f"{SIX_LINES}\x1b\x07\r\n")
            assert "6 lines" in ann.screen_text()
            assert ann.message_texts(room) == []
            await ann.press(key)
            await ann.wait_until(
                lambda: ann.app.screen is ann.chat_screen and ann.chat_screen.session.pending_count == 0
            )
            await ann.wait_until(lambda room=room, messages=messages: ann.message_texts(room) == messages)
            assert ann.composer.text == composer
            assert ann.app.focused is ann.composer
            ann.composer.set_text("")


async def test_a_paste_is_neither_executed_as_a_command_nor_sent_by_enter_right_after_it(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("half")
        ann.app.post_message(events.Paste(SIX_LINES))
        ann.app.post_message(events.Key("enter", "\r"))
        await ann.wait_until(lambda: isinstance(ann.app.screen, PasteScreen) and ann.app.screen.focused)
        await ann.pilot.pause()
        assert ann.message_texts() == []
        await ann.press("escape")
        assert ann.composer.text == "half"
        ann.composer.set_text("")
        text = "/quit\n" * 6
        await paste(ann, text)
        await ann.press("s")
        await ann.wait_until(lambda: ann.message_texts() == [text.strip()])
        assert ann.app.is_running
        await ann.wait_until(lambda: ann.chat_screen.session.pending_count == 0)
        await ann.press("up", "up")
        assert ann.composer.text == f"/{text.strip()}"


async def test_a_paste_longer_than_a_message_is_sent_in_chunks(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"paste_lines": 0}) as ann:
        line = "x" * 1500
        await paste(ann, "\n".join([line] * 4))
        await ann.wait_for_text("2 messages")
        await ann.press("s")
        await ann.wait_until(lambda: ann.message_texts() == [f"{line}\n{line}"] * 2)


async def test_a_megabyte_is_pasted_as_a_file_and_typing_continues(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("1 here")
        ann.write_keys("before ")
        await ann.paste("0123456789abcde\n" * 65_536)
        await ann.wait_for_text("discard")
        assert "1,048,575 characters" in ann.screen_text()
        assert "insert into the composer" not in ann.screen_text()
        ann.write_keys("f")
        await ann.wait_for_text("[file paste.txt · text/plain · 1.0 MiB]")
        ann.write_keys("after\r")
        await ann.wait_for_text("✓ before after")


async def test_the_dialog_shows_the_configured_keys(server: RunningServer, tmp_path: Path) -> None:
    settings = {"keys": {"paste-edit": "f6", "paste-lines": ""}}
    async with chat_app_in_room(tmp_path, server.url, "ann", settings=settings) as ann:
        await paste(ann, SIX_LINES)
        await ann.wait_for_text("F6  insert into the composer")
        assert "s  send as one message" in ann.screen_text()
        assert "l  send each line" not in ann.screen_text()
