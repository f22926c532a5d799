"""Host of engine sessions without a server."""

from collections import Counter

from msgspec import Raw

from server.engineio.connection import ClientConnection, EventDispatcher, FrameSink
from server.engineio.flush_scheduler import FlushScheduler
from server.engineio.options import EngineIOOptions
from server.engineio.session import EngineIOSession
from server.observability.supervision import Supervisor


class RecordingHost:
    """Session host that records the ends of sessions, and dispatcher without events."""

    def __init__(self, connect_timeout: float = 10.0) -> None:
        self.options = EngineIOOptions(25.0, 20.0, connect_timeout, 1_000_000, 30.0, (), ())
        self.flush_scheduler = FlushScheduler(Supervisor())
        self.dispatcher: EventDispatcher = self
        self.closed: list[EngineIOSession] = []
        self.aborts = Counter[str]()

    def on_session_closed(self, session: EngineIOSession) -> None:
        self.closed.append(session)

    async def on_connect(
        self,
        sink: FrameSink,
        address: str,
        auth: Raw | None,
        authorization: str,
        previous: ClientConnection | None,
    ) -> ClientConnection:
        raise AssertionError(address)

    async def dispatch(
        self, connection: ClientConnection, event: str, arguments: list[Raw], *, wants_ack: bool
    ) -> bytes | None:
        raise AssertionError(event)

    def on_disconnect(self, connection: ClientConnection) -> None:
        raise AssertionError(connection)
