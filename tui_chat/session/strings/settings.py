"""Texts of settings, key bindings and local files."""

from collections.abc import Iterable

from tui_chat.session.i18n import mark, tr

# Files.


def saved_data_damaged(backup_path: str) -> str:
    """Return the notice that a damaged file was renamed."""
    return tr("The saved state was damaged and moved to {file}", file=backup_path)


def file_unreadable(path: str, reason: str) -> str:
    """Return the error for a failed read."""
    return tr("{path} cannot be read: {reason}", path=path, reason=reason)


def file_unwritable(path: str, reason: str) -> str:
    """Return the error for a failed write."""
    return tr("{path} cannot be written: {reason}", path=path, reason=reason)


# Values.
NOT_UTF8 = mark("not UTF-8")


def unknown_setting(name: str) -> str:
    """Return the error for an unknown setting name."""
    return tr("Unknown setting: {name}.", name=name[:40])


def allowed_values(expected: str) -> str:
    """Return the list of valid values."""
    return tr("Allowed values: {expected}", expected=expected)


def allowed_entry_values(choices: Iterable[str]) -> str:
    """Return the list of valid values of each entry of a table."""
    return tr("Allowed values of each entry: {choices}.", choices=", ".join(choices))


def notification_level(room: str, level: str) -> str:
    """Return the notification level of a room as a sentence."""
    match level:
        case "all":
            return tr("Notifications for {room}: all messages.", room=room)
        case "mentions":
            return tr("Notifications for {room}: mentions.", room=room)
        case _:
            return tr("Notifications for {room} are off.", room=room)


def invalid_value(name: str, expected: str) -> str:
    """Return the error for an invalid value of a setting."""
    return tr("Invalid value for {name}. Allowed: {expected}", name=name, expected=expected)


def editable_in_file_only(name: str) -> str:
    """Return the error for a table setting after `/set`."""
    return tr("{name} is a table. Edit it in the settings file.", name=name)


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


def settings_file_not_toml(path: str) -> str:
    """Return the notice that a change was not saved because the file is not valid TOML."""
    return tr("{path} is not valid TOML and was not changed. The setting applies until you quit.", path=path)


def settings_file_not_utf8(path: str) -> str:
    """Return the notice that a change was not saved because the file is not UTF-8."""
    return tr("{path} is not UTF-8 and was not changed. The setting applies until you quit.", path=path)


def settings_file_unreadable(path: str, reason: str) -> str:
    """Return the notice that a change was not saved because of a failed read."""
    return tr("{path} cannot be read: {reason}. The setting applies until you quit.", path=path, reason=reason)


def settings_file_unwritable(path: str, reason: str) -> str:
    """Return the notice that a change was not saved because of a failed write."""
    return tr("{path} cannot be written: {reason}. The setting applies until you quit.", path=path, reason=reason)


# Key bindings.
def unknown_key_action(name: str) -> str:
    """Return the error for a key binding of an unknown action."""
    return tr("[keys] {name}: unknown action. See docs/keys.md.", name=name[:40])


def unknown_key(name: str, key: str) -> str:
    """Return the error for an unknown key name."""
    return tr("[keys] {name}: unknown key {key}.", name=name, key=key[:40])


def key_types_text(name: str, key: str) -> str:
    """Return the error for a printable key in a text scope."""
    return tr("[keys] {name}: {key} types text here. Add Ctrl or Alt.", name=name, key=key[:40])


def key_in_use(name: str, key: str, owner: str) -> str:
    """Return the error for a key of another action."""
    return tr("[keys] {name}: {key} is bound to {owner}. Rebind {owner} first.", name=name, key=key, owner=owner)


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


def edited_in(path: str) -> str:
    """Return the hint that a setting is edited in the settings file."""
    return tr("Edit in {path}", path=path)


def decoded_host(host: str) -> str:
    """Return the decoded form of an internationalised host name."""
    return tr("displayed as {host}", host=host)


def screen_only_setting(name: str) -> str:
    """Return the notice that a setting has no effect in the screen-reader mode."""
    return tr("{name} has no effect in screen-reader mode.", name=name)
