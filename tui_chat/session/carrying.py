"""What older versions kept elsewhere, carried to where it belongs now, once."""

from pathlib import Path

from msgspec.structs import replace

from tui_chat.session import remembered, settings
from tui_chat.session.remembered import Profile
from tui_chat.session.settings_file import SettingsFile


def migrate_theme(directory: Path, saved_profile: Profile, file: SettingsFile) -> Profile:
    """A theme that was remembered goes into the settings, unless one is set there.

    Args:
        directory: Where `kept` is from.
        kept: What is remembered, perhaps by a version that kept the theme there.
        file: The settings.

    Returns:
        What is remembered now: the same without a theme. It stays there while the settings cannot be written.
    """
    if not saved_profile.theme:
        return saved_profile
    field = settings.fields()["theme"]
    should_migrate = saved_profile.theme in field.choices and saved_profile.theme != field.default
    if should_migrate and file.settings.theme == field.default and file.change("theme", saved_profile.theme):
        return saved_profile
    cleared = replace(saved_profile, theme="")
    remembered.save(directory, cleared)
    return cleared
