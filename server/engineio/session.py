"""One Engine.IO session, on whichever transport it is.

Rule 1  Everything to the client leaves through `push`, in that order.
Rule 2  Packets are worked off one at a time, in the order they came.
Rule 3  An ending session says so first (`hang_up`): it owes its client what it owed, then
        the close. What the client sends meanwhile is read and dropped. It has
        `close_timeout` to take it all and close on its side; then it is cut.
Rule 4  `finish` is reached once, however the session ends, and tells the gateway.
"""

import asyncio
import logging
import time
from typing import Protocol

from aiohttp import web

from server.engineio.connection import EventDispatcher
from server.engineio.flush_scheduler import FlushScheduler
from server.engineio.frames import Frame
from server.engineio.namespace import Namespace
from server.engineio.options import EngineIOOptions
from server.engineio.packets import InvalidPacket
from server.engineio.send_queue import SendQueue

log = logging.getLogger("chat.engine")

PACKET_OPEN, PACKET_CLOSE, PACKET_PING, PACKET_PONG, PACKET_MESSAGE, PACKET_UPGRADE, PACKET_NOOP = b"0123456"

NOOP_FRAME = Frame(bytes((PACKET_NOOP,)))
CLOSE_FRAME = Frame(bytes((PACKET_CLOSE,)), ws_bytes=b"\x88\x02\x03\xe8")  # to a WebSocket: a close frame, code 1000
_PING_FRAME = Frame(bytes((PACKET_PING,)))


class SessionHost(Protocol):
    """What a session needs of the server that it is at."""

    dispatcher: EventDispatcher
    options: EngineIOOptions
    flush_scheduler: FlushScheduler

    def on_session_abort(self, reason: str) -> None:
        """A session was cut."""
        ...

    def on_session_closed(self, session: "EngineIOSession") -> None:
        """A session is over."""
        ...


class EngineIOSession:
    """One client's session.

    Attributes:
        sid: Its Engine.IO id, which its client alone knows.
        address: Where it comes from.
        out: What it owes its client.
        posting: A POST is being worked off.
        probe: The WebSocket to which it may be upgraded.
        upgrading: That WebSocket answered the probe.
        on_websocket: It began on one, or was upgraded.
        broken: Its client sent what is no packet.
        closing: It has hung up.
        working: A packet is being worked off.
        ended: It is over.
    """

    __slots__ = (
        "_close_deadline",
        "_host",
        "_last_busy_at",
        "_namespace",
        "_ping_sent_at",
        "_pong_received",
        "address",
        "closed",
        "is_closing",
        "is_handling_packet",
        "is_upgrading",
        "on_websocket",
        "post_in_progress",
        "probe_request",
        "protocol_error",
        "push",
        "send_queue",
        "sid",
    )

    def __init__(self, host: SessionHost, sid: str, address: str) -> None:
        now = time.monotonic()
        options = host.options
        self._host = host
        self.sid = sid
        self.address = address
        self.send_queue = SendQueue(host.flush_scheduler.schedule, self._on_overflow, options.max_unsent_bytes, now)
        self.push = self.send_queue.push
        self.post_in_progress = self.is_upgrading = self.on_websocket = False
        self.protocol_error = self.is_closing = self.closed = False
        self.probe_request: web.Request | None = None
        self._namespace = Namespace(host.dispatcher, self, address, options.connect_timeout, now)
        self._ping_sent_at = now
        self._pong_received = True
        self._last_busy_at = now
        self.is_handling_packet = False
        self._close_deadline = 0.0

    # -- in

    async def handle_packet(self, packet: bytes) -> None:
        """Work off one Engine.IO packet."""
        self.is_handling_packet = True
        try:
            packet_type = packet[0] if packet else -1
            if packet_type == PACKET_MESSAGE:
                event = self._namespace.handle_message(packet[1:])
                if event is not None:
                    await self._namespace.dispatch_event(event)
            elif packet_type == PACKET_PONG:
                self._pong_received = True
            elif packet_type == PACKET_CLOSE:
                self._on_close_packet()
            elif packet_type != PACKET_NOOP:
                raise InvalidPacket("a packet that is not of the Engine.IO protocol")
        except InvalidPacket as error:
            self.protocol_error = True
            self.close(str(error))
        except Exception:
            log.exception("a packet could not be worked off")
            self.protocol_error = True
            self.close("a fault of the server")
        finally:
            self.is_handling_packet = False

    def _on_close_packet(self) -> None:
        if self.on_websocket:
            self.close("the client left", logging.DEBUG)
        else:
            self.send_queue.resolve_poll(NOOP_FRAME)
            self.close_now("the client left", logging.DEBUG)

    def upgrade_to(self, transport: asyncio.Transport) -> None:
        """From now on the session is on this WebSocket's transport."""
        self.on_websocket = True
        self.send_queue.attach_transport(transport)
        if self.is_closing:
            self.send_queue.close(CLOSE_FRAME)

    # -- ending

    def close(self, reason: str, level: int = logging.INFO) -> None:
        """End the session once its client has what it is owed; the log says why, at this level."""
        if self.closed or self.is_closing:
            return
        log.log(level, "closing a connection from %s: %s", self.address, reason)
        self.is_closing = True
        self._close_deadline = time.monotonic() + self._host.options.close_timeout
        if not self.on_websocket and not self.send_queue.has_pending:
            self.finalize()  # it ends the poll that waits, if one does
        else:
            # To a poll the close comes after what is owed, not with it: socket.io-client gives out the
            # events of an answer only when it has read all of it, and none once it is closed.
            self.send_queue.close(CLOSE_FRAME if self.on_websocket else None)
            # Whoever hangs up may be in the middle of something with this connection.
            asyncio.get_running_loop().call_soon(self._namespace.disconnect)

    def close_now(self, reason: str, level: int = logging.INFO) -> None:
        """End a polling session whose client is not owed a goodbye; a poll that waits gets one."""
        self.close(reason, level)
        self.finalize()

    def abort(self, reason: str) -> None:
        """End the session now; what was not written is lost and healed by `since`."""
        if self.closed:
            return
        log.info("cutting a connection from %s: %s", self.address, reason)
        self._host.on_session_abort(reason)
        self.is_closing = True
        self.send_queue.abort()
        self.finalize()

    def finalize(self) -> None:
        """The session is over."""
        if self.closed:
            return
        self.is_closing = self.closed = True
        self._host.on_session_closed(self)
        self.send_queue.closed = True
        self.send_queue.resolve_poll(CLOSE_FRAME)
        if self.probe_request is not None and self.probe_request.transport is not None:
            self.probe_request.transport.close()
        self._namespace.disconnect()

    def _on_overflow(self) -> None:
        self.abort("a reader that does not keep up")

    def tick(self, now: float) -> None:
        """Ping, and end what does not answer, read, connect or close in time."""
        options = self._host.options
        if self.is_handling_packet:
            self._last_busy_at = now
        if self.is_closing:
            if now > self._close_deadline:
                self.abort("no answer to a close")
        elif self._namespace.connect_timed_out(now):
            self.close("no CONNECT in time")
        elif not self._pong_received and now - max(self._ping_sent_at, self._last_busy_at) > options.ping_timeout:
            # Its answer may have come, and wait behind packets that are worked off slowly.
            self.abort("no answer to a ping")
        elif self.send_queue.is_stalled(now, options.stall_timeout):
            self.abort("a reader that stands still")
        elif self._pong_received and now - self._ping_sent_at >= options.ping_interval:
            self._pong_received = False
            self._ping_sent_at = now
            self.push(_PING_FRAME)
