"""Tokens of the accounts in use on this computer, one per server.

- Secrecy: the file has mode 0600 and is the only file with a token. No file has a password.
- Concurrency: each change reads the file again, so that concurrent programs preserve each other's logins.
"""

from pathlib import Path

import msgspec

from tui_chat.session.store.json_file import describe_read_error, describe_write_error, read_json_file, write_json_file

FILE_NAME = "logins.json"


class SavedLogin(msgspec.Struct, frozen=True):
    """Account and secret token on the server with this base URL."""

    server: str
    account: str
    token: str


class _LoginFile(msgspec.Struct):
    logins: tuple[SavedLogin, ...] = ()


class LoginStore:
    """Storage of the logins in a private state directory, which is created on demand.

    An undecodable file counts as empty and is renamed (`read_json_file`). The error sentence of the call reports this,
    although the call succeeds.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def find(self, server: str) -> tuple[SavedLogin | None, str]:
        """Return the login on a server (exact base URL), None without one; and an error sentence, "" on success.

        An unreadable file has no login.
        """
        try:
            logins, problem = self._load()
        except OSError as error:
            return None, describe_read_error(self._path, error)
        return next((login for login in logins if login.server == server), None), problem

    def save(self, login: SavedLogin) -> str:
        """Store a login in place of an earlier one on its server; return an error sentence, "" on success.

        An unreadable file is not changed.
        """
        return self._replace(login.server, (login,))

    def remove(self, server: str) -> str:
        """Remove the login on a server, if any; return an error sentence, "" on success."""
        login, problem = self.find(server)
        return self._replace(server, ()) if login is not None else problem

    def _replace(self, server: str, new_logins: tuple[SavedLogin, ...]) -> str:
        """Replace the login on a server with the new ones, and return an error sentence."""
        try:
            logins, problem = self._load()
            others = tuple(login for login in logins if login.server != server)
            write_json_file(self._path, _LoginFile((*new_logins, *others)))
        except OSError as error:
            return describe_write_error(self._path, error)
        return problem

    def _load(self) -> tuple[tuple[SavedLogin, ...], str]:
        """Return the logins and an error sentence as `read_json_file`."""
        content, problem = read_json_file(self._path, _LoginFile)
        return (content.logins if content is not None else ()), problem
