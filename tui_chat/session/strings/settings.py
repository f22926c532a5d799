"""Texts of settings, key bindings and local files."""

from tui_chat.session.i18n import mark, tr

# Files.
SAVED_DATA_DAMAGED = mark("The saved state was damaged and moved to {file}")
FILE_UNREADABLE = mark("{path} cannot be read: {reason}")
FILE_UNWRITABLE = mark("{path} cannot be written: {reason}")


# Values.
NOT_UTF8 = mark("not UTF-8")


def unknown_setting(name: str) -> str:
    """Return the error for an unknown setting name."""
    return tr("Unknown setting: {name}.", name=name[:40])


ALLOWED_VALUES = mark("Allowed values: {expected}")
ALLOWED_ENTRY_VALUES = mark("Allowed values of each entry: {choices}.")


NOTIFICATION_LEVELS = {
    "all": mark("Notifications for {room}: all messages."),
    "mentions": mark("Notifications for {room}: mentions."),
    "none": mark("Notifications for {room} are off."),
}
INVALID_VALUE = mark("Invalid value for {name}. Allowed: {expected}")
EDITABLE_IN_FILE_ONLY = mark("{name} is a table. Edit it in the settings file.")


def settings_file_damaged(path: str, line: int, reason: str) -> str:
    """Return the error for a file that is not valid TOML.

    Args:
        path: Path of the file.
        line: 1-based line number, 0 if unknown.
        reason: Cause of the error.
    """
    location = tr("{path}, line {line}", path=path, line=line) if line else path
    return tr(
        "{location}: {reason}. Using the default settings; the file was not changed.", location=location, reason=reason
    )


def settings_file_problem(path: str, line: int, problem: str) -> str:
    """Return the error for one invalid setting in the file.

    Args:
        path: Path of the file.
        line: 1-based line number, 0 if unknown.
        problem: Complete error sentence.
    """
    location = tr("{path}, line {line}", path=path, line=line) if line else path
    return tr("{location}: {problem}", location=location, problem=problem)


SETTINGS_FILE_NOT_TOML = mark("{path} is not valid TOML and was not changed. The setting applies until you quit.")


SETTINGS_FILE_NOT_UTF8 = mark("{path} is not UTF-8 and was not changed. The setting applies until you quit.")


SETTINGS_FILE_UNREADABLE = mark("{path} cannot be read: {reason}. The setting applies until you quit.")
SETTINGS_FILE_UNWRITABLE = mark("{path} cannot be written: {reason}. The setting applies until you quit.")


# Key bindings.
UNKNOWN_KEY_ACTION = mark("[keys] {name}: unknown action. See docs/keys.md.")
UNKNOWN_KEY = mark("[keys] {name}: unknown key {key}.")
KEY_TYPES_TEXT = mark("[keys] {name}: {key} types text here. Add Ctrl or Alt.")
KEY_IN_USE = mark("[keys] {name}: {key} is bound to {owner}. Rebind {owner} first.")


# Settings, theme, link and copy mode screens.
SETTINGS_TITLE = mark("Settings")
SETTINGS_FOOTER = mark("←→ change · Del default · Esc close")
THEME_TITLE = mark("Theme")
THEME_FOOTER = mark("↑↓ preview · Enter apply · Esc cancel")
THEMES = {
    "dark": mark("dark, low contrast"),
    "light": mark("light, low contrast"),
    "contrast": mark("white on black, high contrast"),
    "warm": mark("brown and amber, less blue"),
    "terminal": mark("the terminal's own 16 colors"),
}
LINK_TITLE = mark("Link")
LINK_OPEN = mark("Enter open · y copy · Esc cancel")
LINK_COPY = mark("Enter copy · Esc cancel")
NO_LINK = mark("This message has no link.")
COPY_MODE_HINT = mark("PgUp PgDn scroll · Esc close")
EDITED_IN = mark("Edit in {path}")
DECODED_HOST = mark("displayed as {host}")
SCREEN_ONLY_SETTING = mark("{name} has no effect in screen-reader mode.")
