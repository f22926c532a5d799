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

from tui_chat.session import setting_words
from tui_chat.session.whole_file import replace_whole

FILE = "remembered.json"


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


class Remembered(Struct, frozen=True, omit_defaults=True):
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
        wanted = nick.casefold()
        return next((i.guest_key for i in self.identities if i.server == server and i.nick.casefold() == wanted), None)

    def with_identity(self, identity: Identity, limit: int = 100) -> "Remembered":
        """The same with one more identity, or a newer key of a known one."""
        same = (identity.server, identity.nick.casefold())
        others = tuple(i for i in self.identities if (i.server, i.nick.casefold()) != same)
        return msgspec.structs.replace(self, identities=(identity, *others)[:limit])


def load(directory: Path) -> tuple[Remembered, str]:
    """What was kept in `directory`, and a sentence on what is wrong with it (empty: nothing)."""
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Remembered), ""
    except FileNotFoundError:
        return Remembered(), ""
    except msgspec.MsgspecError:
        aside = path.with_suffix(".damaged")
        with suppress(OSError):
            path.replace(aside)
        return Remembered(), setting_words.remembered_damaged(str(aside))
    except OSError as fault:
        return Remembered(), setting_words.remembered_unreadable(str(path), fault.strerror or "")


def save(directory: Path, remembered: Remembered) -> str:
    """Keep it in `directory`, which is made if it is not there.

    Returns:
        A sentence on why it could not be kept, empty when it was.
    """
    path = directory / FILE
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_whole(path, msgspec.json.format(msgspec.json.encode(remembered)))
    except OSError as fault:
        return setting_words.remembered_unwritable(str(path), fault.strerror or "")
    return ""
