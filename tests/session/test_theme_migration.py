from pathlib import Path

import pytest

from tui_chat.cli import migrate_theme
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.profile import Profile


def load_old_profile(folder: Path, theme: str) -> Profile:
    """Write a profile in the format of an older version and load the file."""
    (folder / profile_store.FILE_NAME).write_text(f'{{"room": "tea", "nick": "ann", "theme": "{theme}"}}')
    profile, notice = profile_store.load(folder)
    assert (profile.theme, notice) == (theme, "")
    return profile


def test_a_theme_in_the_profile_is_migrated_to_the_settings_once(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    profile = migrate_theme(tmp_path, load_old_profile(tmp_path, "light"), SettingsFile.load(path))
    assert SettingsFile.load(path).settings.theme == "light"
    assert profile == profile_store.load(tmp_path)[0] == Profile(room="tea", nick="ann")
    assert "theme" not in (tmp_path / profile_store.FILE_NAME).read_text()
    file = SettingsFile.load(path)
    file.change("theme", None)
    assert migrate_theme(tmp_path, profile, file) is profile
    assert SettingsFile.load(path).settings.theme == "dark"


def test_a_theme_in_the_settings_is_not_overwritten(tmp_path: Path) -> None:
    file = SettingsFile.load(tmp_path / "settings.toml")
    file.change("theme", "warm")
    migrate_theme(tmp_path, load_old_profile(tmp_path, "light"), file)
    assert SettingsFile.load(tmp_path / "settings.toml").settings.theme == "warm"


@pytest.mark.parametrize("theme", ["dark", "purple"])
def test_the_default_theme_and_an_unknown_theme_create_no_settings_file(theme: str, tmp_path: Path) -> None:
    profile = migrate_theme(tmp_path, load_old_profile(tmp_path, theme), SettingsFile.load(tmp_path / "settings.toml"))
    assert profile.theme == ""
    assert not (tmp_path / "settings.toml").exists()


def test_the_profile_retains_the_theme_while_the_settings_are_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    file = SettingsFile(tmp_path / "file" / "settings.toml")
    profile = load_old_profile(tmp_path, "light")
    assert migrate_theme(tmp_path, profile, file) is profile
    assert file.settings.theme == "light"
