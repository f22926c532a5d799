"""What older versions kept elsewhere, carried to where it belongs now, once."""

from pathlib import Path

from msgspec.structs import replace

from tui_chat.session import remembered, settings
from tui_chat.session.remembered import Remembered
from tui_chat.session.settings_file import SettingsFile


def carry_theme(directory: Path, kept: Remembered, file: SettingsFile) -> Remembered:
    """A theme that was remembered goes into the settings, unless one is set there.

    Args:
        directory: Where `kept` is from.
        kept: What is remembered, perhaps by a version that kept the theme there.
        file: The settings.

    Returns:
        What is remembered now: the same without a theme. It stays there while the settings cannot be written.
    """
    if not kept.theme:
        return kept
    field = settings.fields()["theme"]
    wanted = kept.theme in field.choices and kept.theme != field.default
    if wanted and file.settings.theme == field.default and file.change("theme", kept.theme):
        return kept
    without = replace(kept, theme="")
    remembered.save(directory, without)
    return without
