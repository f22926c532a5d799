"""Settings and theme of the app, without an app."""

from pathlib import Path

import pytest
from textual.theme import Theme

from tui_chat.session.i18n import tr
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.strings import app as app_strings
from tui_chat.ui import theme as themes
from tui_chat.ui.settings_controller import SettingsController


def test_a_changed_setting_is_saved_and_reported(tmp_path: Path) -> None:
    changed: list[str] = []
    controller = SettingsController(SettingsFile.load(tmp_path / "settings.toml"), {}, changed.append)
    assert controller.change("mouse", False) == ""
    assert not controller.settings.mouse
    assert changed == ["mouse"]
    assert not SettingsFile.load(tmp_path / "settings.toml").settings.mouse


def test_an_unsaved_setting_takes_effect_and_returns_the_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    changed: list[str] = []
    controller = SettingsController(SettingsFile.load(tmp_path / "file" / "settings.toml"), {}, changed.append)
    assert controller.change("mouse", False) != ""
    assert not controller.settings.mouse
    assert changed == ["mouse"]


@pytest.mark.usefixtures("restored_language")
def test_new_keys_and_language_are_effective_before_the_report() -> None:
    observed: list[str] = []
    controller: SettingsController

    def observe(_: str) -> None:
        observed.extend((controller.keymap.display_key("help"), tr(app_strings.JOIN_HINT)))

    controller = SettingsController(SettingsFile(), {}, observe)
    english_hint = tr(app_strings.JOIN_HINT)
    controller.change("keys", {"help": "f8"})
    controller.change("language", "zh")
    assert observed[:3] == ["F8", english_hint, "F8"]
    assert observed[3] != english_hint


@pytest.mark.parametrize(("few_colors", "expected"), [(False, themes.THEMES_BY_NAME["warm"]), (True, themes.TERMINAL)])
def test_a_terminal_with_few_colors_shows_the_terminal_theme(few_colors: bool, expected: Theme) -> None:
    assert themes.effective_theme("warm", few_colors) is expected
