"""Status of the user of one client, with its changes by other connections of the user."""

from collections.abc import Generator
from contextlib import contextmanager

from tui_chat.protocol.requests import SetStatus


class UserStatus:
    """Status of the user: away with a text, or present.

    - Pushes are ignored during a request for the status, and over a new connection until the status is repeated there,
      because the server may send these pushes before it receives the status.

    Attributes:
        away: Request that repeats the status after a reconnect, None if the user is not away.
        change_count: Number of changes by other connections.
    """

    def __init__(self) -> None:
        self.away: SetStatus | None = None
        self.change_count = 0
        self._request_count = 0
        self._connection: object = None  # connection over which the status was repeated

    @contextmanager
    def request_running(self) -> Generator[None]:
        """Ignore pushes within the block."""
        self._request_count += 1
        try:
            yield
        finally:
            self._request_count -= 1

    def accept_pushes(self, connection: object) -> None:
        """Accept the pushes over a connection, after the repetition of the status."""
        self._connection = connection

    def apply_push(self, text: str | None, connection: object) -> None:
        """Apply the status of the user in a push over a connection; None for a present user."""
        away = None if text is None else SetStatus(away=True, status_text=text)
        is_outdated = self._request_count > 0 or (self.away is not None and self._connection is not connection)
        if away != self.away and not is_outdated:
            self.away, self._connection = away, connection
            self.change_count += 1
