"""Sentences about settings, keys of one's own, and the files they are kept in (see `words`)."""

from tui_chat.session.i18n import mark, tr

# What was remembered.


def saved_data_damaged(backup_path: str) -> str:
    """The file could not be understood."""
    return tr("What was remembered could not be read and was set aside as {aside}", aside=backup_path)


def file_unreadable(path: str, reason: str) -> str:
    """The file could not be read."""
    return tr("{path} cannot be read: {reason}", path=path, reason=reason)


def file_unwritable(path: str, reason: str) -> str:
    """The file could not be written."""
    return tr("{path} cannot be written: {reason}", path=path, reason=reason)


# Settings.
NOT_UTF8 = mark("it is not UTF-8")


def unknown_setting(name: str) -> str:
    """There is no setting of this name."""
    return tr("There is no setting {name}.", name=name[:40])


def allowed_values(expected: str) -> str:
    """What is allowed."""
    return tr("It can be: {expected}", expected=expected)


def notification_level(room: str, level: str) -> str:
    """Of what in a room one is notified."""
    match level:
        case "all":
            return tr("You are notified of all messages in {room}.", room=room)
        case "mentions":
            return tr("You are notified in {room} when somebody names you.", room=room)
        case _:
            return tr("You are not notified of anything in {room}.", room=room)


def invalid_value(name: str, expected: str) -> str:
    """A value that a setting cannot have."""
    return tr("{name} can be: {expected}", name=name, expected=expected)


def editable_in_file_only(name: str) -> str:
    """A setting that is changed in the file."""
    return tr("{name} is a table of its own; the settings file has it.", name=name)


def settings_file_damaged(path: str, line: int, reason: str) -> str:
    """The whole file is not understood (`line` 0: no line is known)."""
    location = tr("{path}, line {line}", path=path, line=line) if line else path
    return tr(
        "{where}: {reason}. The usual settings are used, and the file is left as it is.", where=location, reason=reason
    )


def settings_file_problem(path: str, line: int, problem: str) -> str:
    """One setting of the file is not understood."""
    location = tr("{path}, line {line}", path=path, line=line) if line else path
    return tr("{where}: {problem}", where=location, problem=problem)


def settings_file_not_toml(path: str) -> str:
    """The file cannot be changed."""
    return tr("{path} cannot be understood and is left as it is; this is set until you quit.", path=path)


# Keys of one's own.
def unknown_key_action(name: str) -> str:
    """The settings give a key to something that is none."""
    return tr("[keys] {name}: there is nothing of this name; docs/keys.md has them all.", name=name[:40])


def unknown_key(name: str, key: str) -> str:
    """The settings name a key that no keyboard has."""
    return tr("[keys] {name}: there is no key {key}.", name=name, key=key[:40])


def key_types_text(name: str, key: str) -> str:
    """The settings make a letter a key where letters are written."""
    return tr("[keys] {name}: {key} is something to write here; take it with Ctrl or Alt.", name=name, key=key[:40])


def key_in_use(name: str, key: str, owner: str) -> str:
    """The settings want a key that does something else."""
    return tr("[keys] {name}: {key} is taken by {by}; give that another key first.", name=name, key=key, by=owner)


# The screens of settings, themes and links, and the bare view.
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
    """Where a setting is changed that no key changes."""
    return tr("Changed in {path}", path=path)


def decoded_host(letters: str) -> str:
    """A host in the letters it stands for, which may look like those of another one."""
    return tr("written as {letters}", letters=letters)


def screen_only_setting(name: str) -> str:
    """A setting is kept, and changes nothing in a chat of plain lines."""
    return tr("{name} is about the screen: it acts only where there is one.", name=name)
