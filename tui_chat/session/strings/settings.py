"""Texts of settings, key bindings and local files."""

from tui_chat.session.i18n import mark, tr

# Files.
FILE_LINE = mark("{path}, line {line}")
SAVED_DATA_DAMAGED = mark("The saved state was damaged and moved to {file}")
FILE_UNREADABLE = mark("{path} cannot be read: {reason}")


# Values.


def unknown_setting(name: str) -> str:
    """Return the error for an unknown setting name, with its first 40 characters."""
    return tr("Unknown setting: {name}.", name=name[:40])


ALLOWED_VALUES = mark("Allowed values: {expected}")


NOTIFICATION_LEVELS = {
    "all": mark("Notifications for {room}: all messages."),
    "mentions": mark("Notifications for {room}: mentions."),
    "none": mark("Notifications for {room} are off."),
}
INVALID_VALUE = mark("Invalid value for {name}. Allowed: {expected}")


def settings_file_damaged(location: str, reason: str) -> str:
    """Return the error for a settings file that cannot be decoded.

    Args:
        location: Path of the file, with the line if known.
        reason: Translated cause or message of the parser, without a full stop.
    """
    return tr(
        "{location}: {reason}. Using the default settings; the file was not changed.", location=location, reason=reason
    )


# Settings, theme, link and copy mode screens.
THEMES = {
    "dark": mark("dark, low contrast"),
    "light": mark("light, low contrast"),
    "contrast": mark("white on black, high contrast"),
    "warm": mark("brown and amber, less blue"),
    "terminal": mark("the terminal's own 16 colors"),
}
