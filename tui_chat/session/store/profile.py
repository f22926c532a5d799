"""Profile file with the last join details and the saved guest identities.

- Secrecy: the file has mode 0600, because a guest key is a credential.
- Atomic writes: a crash leaves either the previous or the new file.
- Corruption: an undecodable file is renamed, not overwritten, and reported in one sentence.
"""

import getpass
from contextlib import suppress
from pathlib import Path

import msgspec

from tui_chat.session.i18n import tr
from tui_chat.session.store.atomic_write import atomic_write
from tui_chat.session.strings import settings as settings_strings

FILE_NAME = "profile.json"

DEFAULT_ROOM = "lobby"
"""Room name without a last room."""


def login_name() -> str:
    """Return the name of the user on this computer, the default nickname; `guest` if unknown."""
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "guest"


class Identity(msgspec.Struct, frozen=True):
    """Guest identity on one server.

    Attributes:
        server: Base URL of the server.
        nick: Nickname of the guest.
        guest_key: Secret credential of the member id.
    """

    server: str
    nick: str
    guest_key: str


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Content of the profile file.

    Attributes:
        room: Last room.
        nick: Last nickname.
        server: Last server address.
        identities: Recently used guest identities, newest first.
    """

    room: str = ""
    nick: str = ""
    server: str = ""
    identities: tuple[Identity, ...] = ()


def load(directory: Path) -> tuple[Profile, str]:
    """Load the profile of a state directory.

    A missing file is not an error. An undecodable file is renamed to end with `.damaged`, in place of an earlier one.

    Returns:
        The profile and an error sentence, "" on success; an unreadable file gives an empty profile.
    """
    path = directory / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Profile), ""
    except FileNotFoundError:
        return Profile(), ""
    except msgspec.MsgspecError:
        backup_path = path.with_suffix(".damaged")
        with suppress(OSError):
            path.replace(backup_path)
        return Profile(), tr(settings_strings.SAVED_DATA_DAMAGED, file=str(backup_path))
    except OSError as error:
        return Profile(), tr(settings_strings.FILE_UNREADABLE, path=str(path), reason=error.strerror or "")


def save(directory: Path, profile: Profile) -> str:
    """Save the profile to a state directory, created if missing.

    An existing file is replaced.

    Returns:
        An error sentence, "" on success.
    """
    path = directory / FILE_NAME
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(path, msgspec.json.format(msgspec.json.encode(profile)))
    except OSError as error:
        return tr("{path} cannot be written: {reason}", path=str(path), reason=error.strerror or "")
    return ""
