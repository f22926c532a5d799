"""Command line options of chat-tui."""

from pathlib import Path

from msgspec import Struct

from tui_chat.client.net.address import DEFAULT_HOST, DEFAULT_PORT


class StartOptions(Struct, frozen=True):
    """Parsed command line, not yet validated.

    Attributes:
        state: Directory of the saved state.
        log: Log file, named in error messages.
        settings: Settings file, None to keep changes in memory only.
        cache: Directory of the room history cache, None to disable caching.
        server: Server address as typed, empty if omitted.
        room: Room name, possibly with an invite; empty if omitted.
        nick: Nickname, empty if omitted.
        serve: Start a local server before joining.
        host: Listening address of the local server.
        port: Listening TCP port of the local server.
    """

    state: Path
    log: Path
    settings: Path | None = None
    cache: Path | None = None
    server: str = ""
    room: str = ""
    nick: str = ""
    serve: bool = False
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
