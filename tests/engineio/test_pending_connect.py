"""CONNECT packets whose token is still being verified when the session ends."""

import asyncio

import pytest
from msgspec import Raw

from server.engineio.connection import ClientConnection, FrameSink
from server.engineio.session import EngineIOSession
from tests.support.session_host import RecordingHost
from tui_chat.protocol.errors import ChatError, Unauthorized


class SlowDispatcher:
    """Dispatcher that completes CONNECT after a permission of the test.

    Attributes:
        permission: Result of the verification; an exception rejects the connection.
        connected: Accepted connections that are not disconnected.
        disconnected: Disconnected connections.
    """

    def __init__(self) -> None:
        self.permission: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.connected = set[ClientConnection]()
        self.disconnected = list[ClientConnection]()

    async def on_connect(
        self,
        sink: FrameSink,
        address: str,
        auth: Raw | None,
        authorization: str,
        previous: ClientConnection | None,
    ) -> ClientConnection:
        await self.permission
        connection = ClientConnection(sink.push, sink.close, "sid", address, {})
        self.connected.add(connection)
        return connection

    async def dispatch(
        self, connection: ClientConnection, event: str, arguments: list[Raw], *, wants_ack: bool
    ) -> bytes | None:
        raise AssertionError(event)

    def on_disconnect(self, connection: ClientConnection) -> None:
        self.connected.discard(connection)
        self.disconnected.append(connection)


@pytest.fixture
async def host() -> RecordingHost:
    """Host with a `SlowDispatcher`."""
    host = RecordingHost()
    host.dispatcher = SlowDispatcher()
    return host


def frames(session: EngineIOSession) -> list[bytes]:
    """Return the queued frames."""
    return [frame.polling_bytes for frame in session.send_queue.frames]


@pytest.mark.parametrize("end", ["close", "close_now", "abort"])
async def test_a_session_that_ends_during_connect_leaves_no_connection(host: RecordingHost, end: str) -> None:
    session, dispatcher = EngineIOSession(host, "sid", "127.0.0.1"), host.dispatcher
    assert isinstance(dispatcher, SlowDispatcher)
    handling = asyncio.ensure_future(session.handle_packet(b"40"))
    await asyncio.sleep(0)
    getattr(session, end)("test")
    await asyncio.sleep(0)
    dispatcher.permission.set_result(None)
    await handling
    assert not dispatcher.connected
    assert len(dispatcher.disconnected) == 1
    assert not [frame for frame in frames(session) if frame.startswith(b"40")]


async def test_a_rejection_after_the_end_of_the_session_has_no_effect(host: RecordingHost) -> None:
    session, dispatcher = EngineIOSession(host, "sid", "127.0.0.1"), host.dispatcher
    assert isinstance(dispatcher, SlowDispatcher)
    handling = asyncio.ensure_future(session.handle_packet(b"40"))
    await asyncio.sleep(0)
    session.close_now("test")
    error: ChatError = Unauthorized("token_invalid")
    dispatcher.permission.set_exception(error)
    assert await handling
    assert frames(session) == []
    assert host.closed == [session]


async def test_a_session_stays_usable_after_a_delayed_connect(host: RecordingHost) -> None:
    session, dispatcher = EngineIOSession(host, "sid", "127.0.0.1"), host.dispatcher
    assert isinstance(dispatcher, SlowDispatcher)
    handling = asyncio.ensure_future(session.handle_packet(b"40"))
    await asyncio.sleep(0)
    dispatcher.permission.set_result(None)
    assert await handling
    assert len(dispatcher.connected) == 1
    assert frames(session) == [b'40{"sid":"sid"}']
    assert await session.handle_packet(b"41")
    assert not dispatcher.connected
    assert await session.handle_packet(b"40")
    assert len(dispatcher.connected) == 1
