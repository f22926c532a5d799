"""Profile file with the last join details and the saved guest identities.

- Secrecy: the file has mode 0600, because a guest key is a credential.
"""

import getpass
from contextlib import suppress
from pathlib import Path

import msgspec

from tui_chat.session.store.json_file import describe_read_error, describe_write_error, read_json_file, write_json_file

FILE_NAME = "profile.json"

DEFAULT_ROOM = "lobby"
"""Suggested room without a last room."""


def login_name() -> str:
    """Return the login name of the user on this computer, the default nickname; `guest` if unknown."""
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "guest"


class Identity(msgspec.Struct, frozen=True):
    """Nickname and secret guest key on the server with this base URL."""

    server: str
    nick: str
    guest_key: str


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of the profile file: last join details, and recently used guest identities, newest first."""

    room: str = ""
    nick: str = ""
    server: str = ""
    identities: tuple[Identity, ...] = ()


def load(directory: Path) -> tuple[Profile, str]:
    """Load the profile of a state directory (`read_json_file`).

    Returns:
        Profile, empty for a missing or unusable file; and error sentence, "" for a valid or missing file.
    """
    path = directory / FILE_NAME
    try:
        content, problem = read_json_file(path, Profile)
    except OSError as error:
        return Profile(), describe_read_error(path, error)
    return content or Profile(), problem


def save(directory: Path, profile: Profile) -> str:
    """Save the profile to a state directory, created if missing. Return an error sentence, "" on success."""
    path = directory / FILE_NAME
    try:
        write_json_file(path, profile)
    except OSError as error:
        return describe_write_error(path, error)
    return ""
