"""The settings screen and the list of themes, by keys and clicks."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.session.settings import schema as settings_schema
from tui_chat.ui.screens.settings import SettingsScreen, next_value
from tui_chat.ui.screens.theme import ThemeScreen


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


async def mark(person: ChatAppDriver, name: str) -> None:
    """Put the mark on a setting, by keys."""
    shown = person.app.screen.query_one(OptionList)
    wanted = list(settings_schema.fields()).index(name)
    while shown.highlighted != wanted:
        await person.press("down")


async def test_every_setting_is_there_with_its_value_and_the_marked_one_is_explained(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(80, 24)) as person:
        await person.press("f9")
        for field in settings_schema.fields().values():
            await person.wait_for_text(f" {field.name} ")
        await mark(person, "paste_lines")
        await person.wait_for_text(settings_schema.fields()["paste_lines"].help[:60])
        await person.wait_for_text("0–1000")
        await person.press("escape")
        assert not isinstance(person.app.screen, SettingsScreen)


async def test_what_is_changed_acts_behind_it_and_is_kept(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(80, 30)) as ann:
        await ann.send_message("/settings")
        await ann.wait_until(lambda: isinstance(ann.app.screen, SettingsScreen))
        await mark(ann, "theme")
        await ann.press("right")
        assert ann.app.theme == "chat-light"
        await ann.wait_for_text("* theme")
        await ann.press("left", "left")
        assert ann.app.theme == "chat-terminal"
        await ann.press("delete")
        assert ann.app.theme == "chat-dark"
        await mark(ann, "mouse")
        await ann.press("space")
        await ann.wait_for_text("off [ ]")
        await mark(ann, "paste_lines")
        await ann.press("1", "2")
        assert ann.app.settings.paste_lines == 512
        await ann.press("9")
        assert ann.app.settings.paste_lines == 9
        await ann.press("backspace", "backspace")
        assert ann.app.settings.paste_lines == 0
        await ann.press("f9")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        file = (tmp_path / "ann" / "settings.toml").read_text()
        assert "\nmouse = false\n" in file
        assert "\npaste_lines = 0\n" in file
        assert "\n#theme" in file or "\ntheme" not in file


async def test_a_click_turns_the_setting_that_was_clicked(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(80, 24)) as person:
        await person.press("f9")
        await person.wait_for_text("clock")
        row = next(y for y, text in enumerate(person.screen_text().splitlines()) if " clock " in text)
        await person.pilot.click(offset=(20, row))
        await person.wait_until(lambda: person.app.settings.clock == "12h")


async def test_what_cannot_be_turned_says_where_it_is_changed(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(100, 30), settings={"ignored": ("mallory",)}) as person:
        await person.press("f9")
        await mark(person, "ignored")
        await person.press("enter")
        assert person.app.settings.ignored == ("mallory",)
        await person.wait_for_text("Changed in ")


async def test_it_is_of_use_in_a_very_small_terminal(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(40, 10)) as person:
        await person.press("f9")
        await mark(person, "mouse")
        await person.press("enter")
        assert person.app.settings.mouse is False
        assert " mouse " in person.screen_text()
        assert "Take the mouse" in person.screen_text()


async def test_a_file_that_cannot_be_written_is_said_beside_the_setting(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("theme =")
    async with chat_app(tmp_path, size=(100, 30)) as person:
        await person.press("f9")
        await mark(person, "mouse")
        await person.press("space")
        await person.wait_for_text("left as it is")
        assert person.app.settings.mouse is False


async def test_a_theme_is_tried_and_escape_goes_back(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/theme")
        await ann.wait_until(lambda: isinstance(ann.app.screen, ThemeScreen))
        await ann.press("down")
        await ann.wait_until(lambda: ann.app.theme == "chat-light")
        await ann.press("down")
        await ann.wait_until(lambda: ann.app.theme == "chat-contrast")
        await ann.press("escape")
        await ann.wait_until(lambda: ann.app.theme == "chat-dark")
        assert ann.app.settings.theme == "dark"
        await ann.send_message("/theme")
        await ann.wait_until(lambda: isinstance(ann.app.screen, ThemeScreen))
        await ann.press("up", "up", "enter")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        assert (ann.app.theme, ann.app.settings.theme) == ("chat-warm", "warm")


def test_a_value_turns_within_what_is_allowed() -> None:
    fields = settings_schema.fields()
    assert next_value(fields["theme"], "terminal", 1) == "dark"
    assert next_value(fields["mouse"], True, -1) is False
    assert next_value(fields["paste_lines"], 0, -1) == 0
    assert next_value(fields["paste_lines"], 1000, 1) == 1000
    assert next_value(fields["ignored"], ("ann",), 1) == ("ann",)


async def test_in_another_language_each_name_has_its_title_beside_it(tmp_path: Path) -> None:
    async with chat_app(tmp_path, settings={"language": "en"}) as person:
        await person.press("f9")
        assert "  nick_width  " in person.screen_text()
        await person.press("right")
        await person.wait_for_text("昵称宽度  nick_width")
        await person.press("left")
        await person.wait_until(lambda: "昵称宽度" not in person.screen_text())
