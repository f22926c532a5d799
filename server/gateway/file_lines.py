"""Files in messages to clients that show text only: one line per file with name and URL after the text."""

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from server.domain.live_room import LiveRoom
from server.domain.uploads import append_file_lines
from server.engineio.connection import ClientConnection
from tui_chat.protocol import events


class FileLines:
    """Renderer of files as lines.

    Args:
        sign_path: Returns the path of a file with a signature.
    """

    def __init__(self, sign_path: Callable[[str], str]) -> None:
        self._sign_path = sign_path

    def render(self, message: events.Message, server_origin: str | None) -> str:
        """Return the text of a message with its files.

        Args:
            message: Message with or without files.
            server_origin: Origin under which the reader reaches the server; None for paths instead of URLs.
        """
        attachments = message.attachments or []
        origin = server_origin or ""
        return append_file_lines(message.message, attachments, lambda path: origin + self._sign_path(path))

    def group(
        self, room: LiveRoom[ClientConnection], message: events.Message, recipients: Iterable[ClientConnection]
    ) -> Iterator[tuple[events.Message, list[ClientConnection]]]:
        """Yield the forms of a message with files, each with its recipients.

        Basic clients, members with `via`, receive the files as lines in the text (`render`).
        """
        basic: dict[str | None, list[ClientConnection]] = {}
        native: list[ClientConnection] = []
        for recipient in recipients:
            participant = room.connections.get(recipient)
            if participant is None or participant.member.via is None:
                native.append(recipient)
            else:
                basic.setdefault(recipient.server_origin, []).append(recipient)
        if native:
            yield message, native
        for server_origin, group in basic.items():
            yield replace(message, message=self.render(message, server_origin), attachments=None), group
