"""Texts of settings, key bindings and local files."""

from tui_chat.session.i18n import mark, tr

# Files.


def saved_data_damaged(backup_path: str) -> str:
    """Return the notice that a damaged file was renamed."""
    return tr("What was remembered could not be read and was set aside as {aside}", aside=backup_path)


def file_unreadable(path: str, reason: str) -> str:
    """Return the error for a failed read."""
    return tr("{path} cannot be read: {reason}", path=path, reason=reason)


def file_unwritable(path: str, reason: str) -> str:
    """Return the error for a failed write."""
    return tr("{path} cannot be written: {reason}", path=path, reason=reason)


# Values.
NOT_UTF8 = mark("it is not UTF-8")


def unknown_setting(name: str) -> str:
    """Return the error for an unknown setting name."""
    return tr("There is no setting {name}.", name=name[:40])


def allowed_values(expected: str) -> str:
    """Return the list of valid values."""
    return tr("It can be: {expected}", expected=expected)


def notification_level(room: str, level: str) -> str:
    """Return the notification level of a room as a sentence."""
    match level:
        case "all":
            return tr("You are notified of all messages in {room}.", room=room)
        case "mentions":
            return tr("You are notified in {room} when somebody names you.", room=room)
        case _:
            return tr("You are not notified of anything in {room}.", room=room)


def invalid_value(name: str, expected: str) -> str:
    """Return the error for an invalid value of a setting."""
    return tr("{name} can be: {expected}", name=name, expected=expected)


def editable_in_file_only(name: str) -> str:
    """Return the error for a table setting after `/set`."""
    return tr("{name} is a table of its own; the settings file has it.", name=name)


def settings_file_damaged(path: str, line: int, reason: str) -> str:
    """Return the error for a file that is not valid TOML.

    Args:
        path: Path of the file.
        line: 1-based line number, 0 if unknown.
        reason: Cause of the error.
    """
    location = tr("{path}, line {line}", path=path, line=line) if line else path
    return tr(
        "{where}: {reason}. The usual settings are used, and the file is left as it is.", where=location, reason=reason
    )


def settings_file_problem(path: str, line: int, problem: str) -> str:
    """Return the error for one invalid setting in the file.

    Args:
        path: Path of the file.
        line: 1-based line number, 0 if unknown.
        problem: Complete error sentence.
    """
    location = tr("{path}, line {line}", path=path, line=line) if line else path
    return tr("{where}: {problem}", where=location, problem=problem)


def settings_file_not_toml(path: str) -> str:
    """Return the notice that a change was not saved because the file is not valid TOML."""
    return tr("{path} cannot be understood and is left as it is; this is set until you quit.", path=path)


# Key bindings.
def unknown_key_action(name: str) -> str:
    """Return the error for a key binding of an unknown action."""
    return tr("[keys] {name}: there is nothing of this name; docs/keys.md has them all.", name=name[:40])


def unknown_key(name: str, key: str) -> str:
    """Return the error for an unknown key name."""
    return tr("[keys] {name}: there is no key {key}.", name=name, key=key[:40])


def key_types_text(name: str, key: str) -> str:
    """Return the error for a printable key in a text scope."""
    return tr("[keys] {name}: {key} is something to write here; take it with Ctrl or Alt.", name=name, key=key[:40])


def key_in_use(name: str, key: str, owner: str) -> str:
    """Return the error for a key of another action."""
    return tr("[keys] {name}: {key} is taken by {by}; give that another key first.", name=name, key=key, by=owner)


# Settings, theme, link and copy mode screens.
SETTINGS_TITLE = mark("Settings")
SETTINGS_FOOTER = mark("←→ change · Del usual · Esc close")
THEME_TITLE = mark("Theme")
THEME_FOOTER = mark("↑↓ try · Enter keep · Esc back")
THEMES = {
    "dark": mark("quiet, for a dark room"),
    "light": mark("quiet, for daylight"),
    "contrast": mark("white on black, high contrast"),
    "warm": mark("brown and amber, less blue"),
    "terminal": mark("your terminal's own 16 colours"),
}
LINK_TITLE = mark("This leads to")
LINK_OPEN = mark("Enter open · y copy · Esc leave it")
LINK_COPY = mark("Enter copy · Esc leave it")
NO_LINK = mark("There is no link in that message.")
COPY_MODE_HINT = mark("Esc: back to the chat · PgUp, PgDn")


def edited_in(path: str) -> str:
    """Return the hint at the file that contains a setting."""
    return tr("Changed in {path}", path=path)


def decoded_host(letters: str) -> str:
    """Return the decoded form of an internationalised host name."""
    return tr("written as {letters}", letters=letters)


def screen_only_setting(name: str) -> str:
    """Return the notice that a setting has no effect in the screen-reader mode."""
    return tr("{name} is about the screen: it acts only where there is one.", name=name)
