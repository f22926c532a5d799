"""What chat-tui was started with."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
DEFAULT_SERVER = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


@dataclass(frozen=True, slots=True)
class Start:
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
    """

    state: Path
    log: Path
    server: str = ""
    room: str = ""
    nick: str = ""
    serve: bool = False
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
