"""What is kept from one start to the next: the last room, nickname and server, and guest keys.

Rule 1  The file is only its owner's to read (0600): a guest key is a secret.
Rule 2  It is replaced whole (written beside, then renamed), so a crash leaves the
        old or the new one.
Rule 3  A damaged file is set aside, never overwritten, and costs one notice.
"""

from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct, field

from tui_chat.session.store.atomic_write import atomic_write
from tui_chat.session.strings import settings as settings_strings

FILE_NAME = "remembered.json"


class Identity(Struct, frozen=True):
    """Who one was on a server.

    Attributes:
        server: Its base URL.
        nick: The nickname as it was typed or given.
        guest_key: The secret that brings the same member back.
    """

    server: str
    nick: str
    guest_key: str


class Profile(Struct, frozen=True, omit_defaults=True):
    """All that is kept.

    Attributes:
        server: What was typed as the server's address.
        identities: Those used last, newest first.
        theme: What older versions kept here; `carrying` takes it to the settings.
    """

    room: str = ""
    nick: str = ""
    server: str = ""
    identities: tuple[Identity, ...] = field(default=())
    theme: str = ""

    def guest_key(self, server: str, nick: str) -> str | None:
        """The key of an earlier visit to `server` under `nick`."""
        folded_nick = nick.casefold()
        return next(
            (i.guest_key for i in self.identities if i.server == server and i.nick.casefold() == folded_nick), None
        )

    def with_identity(self, identity: Identity, limit: int = 100) -> "Profile":
        """The same with one more identity, or a newer key of a known one."""
        identity_key = (identity.server, identity.nick.casefold())
        other_identities = tuple(i for i in self.identities if (i.server, i.nick.casefold()) != identity_key)
        return msgspec.structs.replace(self, identities=(identity, *other_identities)[:limit])


def load(directory: Path) -> tuple[Profile, str]:
    """What was kept in `directory`, and a sentence on what is wrong with it (empty: nothing)."""
    path = directory / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Profile), ""
    except FileNotFoundError:
        return Profile(), ""
    except msgspec.MsgspecError:
        backup_path = path.with_suffix(".damaged")
        with suppress(OSError):
            path.replace(backup_path)
        return Profile(), settings_strings.saved_data_damaged(str(backup_path))
    except OSError as error:
        return Profile(), settings_strings.file_unreadable(str(path), error.strerror or "")


def save(directory: Path, profile: Profile) -> str:
    """Keep it in `directory`, which is made if it is not there.

    Returns:
        A sentence on why it could not be kept, empty when it was.
    """
    path = directory / FILE_NAME
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(path, msgspec.json.format(msgspec.json.encode(profile)))
    except OSError as error:
        return settings_strings.file_unwritable(str(path), error.strerror or "")
    return ""
