from pathlib import Path

import pytest

from tui_chat.cli import migrate_theme
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.profile import Profile


def older(folder: Path, theme: str) -> Profile:
    """What an older version left in this folder."""
    (folder / profile_store.FILE_NAME).write_text(f'{{"room": "tea", "nick": "ann", "theme": "{theme}"}}')
    kept, notice = profile_store.load(folder)
    assert (kept.theme, notice) == (theme, "")
    return kept


def test_a_theme_that_was_remembered_goes_into_the_settings_once(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    kept = migrate_theme(tmp_path, older(tmp_path, "light"), SettingsFile.load(path))
    assert SettingsFile.load(path).settings.theme == "light"
    assert kept == profile_store.load(tmp_path)[0] == Profile(room="tea", nick="ann")
    assert "theme" not in (tmp_path / profile_store.FILE_NAME).read_text()
    file = SettingsFile.load(path)
    file.change("theme", None)
    assert migrate_theme(tmp_path, kept, file) is kept
    assert SettingsFile.load(path).settings.theme == "dark"


def test_a_theme_that_is_set_stays(tmp_path: Path) -> None:
    file = SettingsFile.load(tmp_path / "settings.toml")
    file.change("theme", "warm")
    migrate_theme(tmp_path, older(tmp_path, "light"), file)
    assert SettingsFile.load(tmp_path / "settings.toml").settings.theme == "warm"


@pytest.mark.parametrize("theme", ["dark", "purple"])
def test_the_usual_theme_and_an_unknown_one_leave_no_file(theme: str, tmp_path: Path) -> None:
    kept = migrate_theme(tmp_path, older(tmp_path, theme), SettingsFile.load(tmp_path / "settings.toml"))
    assert kept.theme == ""
    assert not (tmp_path / "settings.toml").exists()


def test_a_theme_is_kept_until_the_settings_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    file = SettingsFile(tmp_path / "file" / "settings.toml")
    kept = older(tmp_path, "light")
    assert migrate_theme(tmp_path, kept, file) is kept
    assert file.settings.theme == "light"
