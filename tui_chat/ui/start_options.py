"""What chat-tui was started with."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
DEFAULT_SERVER = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


@dataclass(frozen=True, slots=True)
class StoragePaths:
    """Where things are kept on this computer.

    Attributes:
        state: What must not be lost: what is written and not sent.
        cache: What can come again: the history of rooms; None for nowhere.
    """

    state: Path
    cache: Path | None


@dataclass(frozen=True, slots=True)
class StartOptions:
    """The command line, parsed and not judged yet.

    Attributes:
        server: The address as it was typed, empty when none was.
        room: The room, empty when none was given.
        nick: The nickname, empty when none was given.
        serve: Start a server first.
        host: What that server listens on.
        port: Its TCP port.
        state: Where things are remembered.
        log: The log file, to be named when something goes wrong.
        cache: Where the history of rooms is kept, None for nowhere.
        settings: The file of settings, None to keep them for this run only.
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
