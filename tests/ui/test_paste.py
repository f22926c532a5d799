from pathlib import Path

from textual import events

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.session.lines import MessageLine
from tui_chat.ui.screens.paste import PasteScreen

SIX_LINES: str = "\n".join(("one", "two", "three", "/quit", "five", "six"))


def message_texts(driver: ChatAppDriver, room: str = "tea") -> list[str]:
    lines = driver.chat_screen.session.rooms[room].transcript.lines
    return [line.text for line in lines if isinstance(line, MessageLine)]


async def paste(driver: ChatAppDriver, text: str) -> None:
    driver.composer.post_message(events.Paste(text))
    await driver.wait_until(lambda: isinstance(driver.app.screen, PasteScreen) and driver.app.screen.focused)


async def test_a_long_paste_opens_a_dialog_and_applies_the_selected_mode(server: RunningServer, tmp_path: Path) -> None:
    cases: dict[str, tuple[str, list[str]]] = {
        "e": (f"say: {SIX_LINES}", []),
        "s": ("", [f"say: {SIX_LINES}"]),
        "l": ("say: ", SIX_LINES.split("\n")),
        "escape": ("say: ", []),
        "enter": (f"say: {SIX_LINES}", []),
    }
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for key, (composer, messages) in cases.items():
            await ann.join_rooms(key)
            await ann.type_text("say: ")
            await paste(ann, f"{SIX_LINES}\r\n")
            assert "6 lines" in ann.screen_text()
            assert message_texts(ann, key) == []
            await apply_paste(ann, key, composer, messages)
            assert ann.app.focused is ann.composer
            await ann.press("ctrl+c")


async def test_control_characters_are_removed_from_a_paste(server: RunningServer, tmp_path: Path) -> None:
    cases: dict[str, tuple[str, list[str]]] = {
        "e": (SIX_LINES, []),
        "s": ("", [SIX_LINES]),
        "l": ("", SIX_LINES.split("\n")),
    }
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for key, (composer, messages) in cases.items():
            await ann.join_rooms(key)
            await paste(ann, f"{SIX_LINES}\x1b\x07\r\n")
            await apply_paste(ann, key, composer, messages)
            await ann.press("ctrl+c")


async def apply_paste(ann: ChatAppDriver, key: str, composer: str, messages: list[str]) -> None:
    """Press a key of the paste dialog in the room of the same name and check the result."""
    await ann.press(key)
    await ann.wait_until(lambda: ann.app.screen is ann.chat_screen and ann.chat_screen.session.pending_count == 0)
    await ann.wait_until(lambda: message_texts(ann, key) == messages)
    assert ann.composer.text == composer


async def test_a_paste_with_a_leading_slash_is_sent_as_text_and_not_executed(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        text = "/quit\n" * 6
        await paste(ann, text)
        await ann.press("s")
        await ann.wait_until(lambda: message_texts(ann) == [text.strip()])
        assert ann.app.is_running
        await ann.wait_until(lambda: ann.chat_screen.session.pending_count == 0)
        await ann.press("up", "up")
        assert ann.composer.text == f"/{text.strip()}"


async def test_enter_right_after_a_long_paste_sends_nothing(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("half")
        ann.app.post_message(events.Paste(SIX_LINES))
        ann.app.post_message(events.Key("enter", "\r"))
        await ann.wait_until(lambda: isinstance(ann.app.screen, PasteScreen) and ann.app.screen.focused)
        await ann.pilot.pause()
        assert message_texts(ann) == []
        await ann.press("escape")
        assert ann.composer.text == "half"


async def test_a_paste_longer_than_a_message_is_sent_in_chunks(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"paste_lines": 0}) as ann:
        line = "x" * 1500
        await paste(ann, "\n".join([line] * 4))
        await ann.wait_for_text("2 messages")
        await ann.press("s")
        await ann.wait_until(lambda: message_texts(ann) == [f"{line}\n{line}"] * 2)


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
