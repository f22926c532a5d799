"""Tokens of the accounts in use on this computer, one per server.

- Secrecy: the file has mode 0600 and is the only place with a token. Passwords are stored nowhere.
- Atomic writes: a crash leaves either the previous or the new file.
- Corruption: an undecodable file is renamed, not overwritten, and reported in one sentence.
- Concurrency: each change reads the file again, so that several programs keep the logins of each other.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from tui_chat.session.i18n import tr
from tui_chat.session.store.atomic_write import atomic_write
from tui_chat.session.strings import settings as settings_strings

FILE_NAME = "logins.json"


class SavedLogin(msgspec.Struct, frozen=True):
    """Login on one server.

    Attributes:
        server: Base URL of the server.
        account: Account name.
        token: Secret credential.
    """

    server: str
    account: str
    token: str


class _LoginFile(msgspec.Struct):
    logins: tuple[SavedLogin, ...] = ()


class LoginStore:
    """Storage of the logins in a state directory.

    Args:
        directory: Private directory of the user; created on demand.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def find(self, server: str) -> tuple[SavedLogin | None, str]:
        """Return the login on a server, None without one, and an error sentence, "" on success."""
        try:
            logins, problem = self._load()
        except OSError as error:
            return None, tr(settings_strings.FILE_UNREADABLE, path=str(self._path), reason=error.strerror or "")
        return next((login for login in logins if login.server == server), None), problem

    def save(self, login: SavedLogin) -> str:
        """Store a login in place of an earlier one on its server; return an error sentence, "" on success."""
        return self._replace(login.server, (login,))

    def remove(self, server: str) -> str:
        """Remove the login on a server, if any; return an error sentence, "" on success."""
        login, problem = self.find(server)
        return self._replace(server, ()) if login is not None else problem

    def _replace(self, server: str, new_logins: tuple[SavedLogin, ...]) -> str:
        try:
            logins, problem = self._load()
            others = tuple(login for login in logins if login.server != server)
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic_write(self._path, msgspec.json.format(msgspec.json.encode(_LoginFile((*new_logins, *others)))))
        except OSError as error:
            return tr("{path} cannot be written: {reason}", path=str(self._path), reason=error.strerror or "")
        return problem

    def _load(self) -> tuple[tuple[SavedLogin, ...], str]:
        """Return the logins and an error sentence, "" on success; an undecodable file is renamed to end `.damaged`.

        Raises:
            OSError: The file cannot be read.
        """
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_LoginFile).logins, ""
        except FileNotFoundError:
            return (), ""
        except (msgspec.MsgspecError, RecursionError):
            backup_path = self._path.with_suffix(".damaged")
            with suppress(OSError):
                self._path.replace(backup_path)
            return (), tr(settings_strings.SAVED_DATA_DAMAGED, file=str(backup_path))
