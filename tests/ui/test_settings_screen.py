"""Settings screen and theme list, operated by keyboard and mouse."""

from pathlib import Path

from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tui_chat.session.i18n import tr
from tui_chat.session.settings import schema as settings_schema
from tui_chat.ui.screens.settings import SettingsScreen, next_value
from tui_chat.ui.screens.theme import ThemeScreen


async def highlight_setting(driver: ChatAppDriver, name: str) -> None:
    """Move the highlight to a setting with the arrow keys."""
    option_list = driver.app.screen.query_one(OptionList)
    index = list(settings_schema.fields()).index(name)
    while option_list.highlighted != index:
        await driver.press("down")


async def test_every_setting_is_listed_and_a_click_or_a_key_in_a_small_terminal_changes_one(
    tmp_path: Path,
) -> None:
    async with chat_app(tmp_path, size=(80, 24)) as driver:
        await driver.press("f9")
        for field in settings_schema.fields().values():  # 24 rows show a part of the list
            await highlight_setting(driver, field.name)
            await driver.wait_for_text(f" {field.name} ")
        await highlight_setting(driver, "paste_lines")
        await driver.wait_for_text(tr(settings_schema.fields()["paste_lines"].description)[:60])
        await driver.wait_for_text("0–1000")
        await driver.press("escape")
        assert not isinstance(driver.app.screen, SettingsScreen)
        await driver.press("f9")
        await driver.wait_for_text("clock")
        row = next(y for y, text in enumerate(driver.screen_text().splitlines()) if " clock " in text)
        await driver.pilot.click(offset=(20, row))
        await driver.wait_until(lambda: driver.app.settings.clock == "12h")
        await driver.press("escape")
        await driver.pilot.resize_terminal(40, 10)
        await driver.press("f9")
        await highlight_setting(driver, "mouse")
        await driver.press("enter")
        assert driver.app.settings.mouse is False
        assert " mouse " in driver.screen_text()
        assert "Use the mouse" in driver.screen_text()


async def test_changes_apply_immediately_and_are_saved(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(80, 30)) as ann:
        await ann.send_message("/settings")
        await ann.wait_until(lambda: isinstance(ann.app.screen, SettingsScreen))
        await highlight_setting(ann, "theme")
        await ann.press("right")
        assert ann.app.theme == "chat-light"
        await ann.wait_for_text("* theme")
        await ann.press("left", "left")
        assert ann.app.theme == "chat-terminal"
        await ann.press("delete")
        assert ann.app.theme == "chat-dark"
        await highlight_setting(ann, "mouse")
        await ann.press("space")
        await ann.wait_for_text("off [ ]")
        await highlight_setting(ann, "paste_lines")
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
        assert "\ntheme" not in file


async def test_a_list_setting_refers_to_the_settings_file_and_translated_settings_have_titles(tmp_path: Path) -> None:
    settings = {"ignored": ("mallory",), "language": "en"}
    async with chat_app(tmp_path, size=(100, 30), settings=settings) as driver:
        await driver.press("f9")
        assert "  nick_width  " in driver.screen_text()
        await driver.press("right")
        await driver.wait_for_text("昵称宽度  nick_width")
        await driver.press("left")
        await driver.wait_until(lambda: "昵称宽度" not in driver.screen_text())
        await highlight_setting(driver, "ignored")
        await driver.press("enter")
        assert driver.app.settings.ignored == ("mallory",)
        await driver.wait_for_text("Edit in ")


async def test_a_settings_file_that_cannot_be_changed_is_reported(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("theme =")
    async with chat_app(tmp_path, size=(100, 30)) as driver:
        await driver.press("f9")
        await highlight_setting(driver, "mouse")
        await driver.press("space")
        await driver.wait_for_text("was not changed")
        assert driver.app.settings.mouse is False


async def test_the_theme_list_previews_a_theme_until_closed_and_a_double_click_closes_only_the_list(
    server: RunningServer, tmp_path: Path
) -> None:
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
        await ann.send_message("/theme")
        await ann.wait_until(lambda: isinstance(ann.app.screen, ThemeScreen))
        options = ann.app.screen.query_one(OptionList)
        options.highlighted = 1
        for _ in range(2):  # both clicks arrive before the first one has closed the dialog
            options.action_select()
        await ann.wait_until(lambda: not options.is_attached)
        assert ann.app.screen is ann.chat_screen
        assert ann.app.settings.theme == "light"
        await ann.send_message("/theme")
        await ann.wait_until(lambda: isinstance(ann.app.screen, ThemeScreen))
        await ann.press("down")
        await ann.wait_until(lambda: ann.app.theme == "chat-contrast")
        ann.app.close_chat()
        await ann.wait_until(lambda: ann.app.theme == "chat-light")


def test_the_next_value_stays_within_the_allowed_values() -> None:
    fields = settings_schema.fields()
    assert next_value(fields["theme"], "terminal", 1) == "dark"
    assert next_value(fields["mouse"], True, -1) is False
    assert next_value(fields["paste_lines"], 0, -1) == 0
    assert next_value(fields["paste_lines"], 1000, 1) == 1000
    assert next_value(fields["ignored"], ("ann",), 1) == ("ann",)
