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

from server.gateway.connection import Gateway
from server.gateway.engine.namespace import Namespace
from server.gateway.frames import Frame
from server.gateway.options import EngineOptions
from server.gateway.outgoing import Outgoing
from server.gateway.packets import BadPacket
from server.gateway.rounds import WriteRounds

log = logging.getLogger("chat.engine")

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = b"0123456"

NOOP_FRAME = Frame(bytes((NOOP,)))
CLOSE_FRAME = Frame(bytes((CLOSE,)), wire=b"\x88\x02\x03\xe8")  # to a WebSocket: a close frame, code 1000
_PING = Frame(bytes((PING,)))


class Home(Protocol):
    """What a session needs of the server that it is at."""

    gateway: Gateway
    options: EngineOptions
    rounds: WriteRounds

    def cut(self, reason: str) -> None:
        """A session was cut."""
        ...

    def ended(self, session: "Session") -> None:
        """A session is over."""
        ...


class Session:
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
        "_close_by",
        "_held_up_at",
        "_home",
        "_namespace",
        "_pinged_at",
        "_ponged",
        "address",
        "broken",
        "closing",
        "ended",
        "on_websocket",
        "out",
        "posting",
        "probe",
        "push",
        "sid",
        "upgrading",
        "working",
    )

    def __init__(self, home: Home, sid: str, address: str) -> None:
        now = time.monotonic()
        options = home.options
        self._home = home
        self.sid = sid
        self.address = address
        self.out = Outgoing(home.rounds.owes, self._overrun, options.unsent_bytes, now)
        self.push = self.out.push
        self.posting = self.upgrading = self.on_websocket = False
        self.broken = self.closing = self.ended = False
        self.probe: web.Request | None = None
        self._namespace = Namespace(home.gateway, self, address, options.connect_timeout, now)
        self._pinged_at = now
        self._ponged = True
        self._held_up_at = now
        self.working = False
        self._close_by = 0.0

    # -- in

    async def receive(self, packet: bytes) -> None:
        """Work off one Engine.IO packet."""
        self.working = True
        try:
            kind = packet[0] if packet else -1
            if kind == MESSAGE:
                event = self._namespace.take(packet[1:])
                if event is not None:
                    await self._namespace.carry_out(event)
            elif kind == PONG:
                self._ponged = True
            elif kind == CLOSE:
                self._left()
            elif kind != NOOP:
                raise BadPacket("a packet that is not of the Engine.IO protocol")
        except BadPacket as fault:
            self.broken = True
            self.hang_up(str(fault))
        except Exception:
            log.exception("a packet could not be worked off")
            self.broken = True
            self.hang_up("a fault of the server")
        finally:
            self.working = False

    def _left(self) -> None:
        if self.on_websocket:
            self.hang_up("the client left", logging.DEBUG)
        else:
            self.out.end_poll(NOOP_FRAME)
            self.over("the client left", logging.DEBUG)

    def move(self, transport: asyncio.Transport) -> None:
        """From now on the session is on this WebSocket's transport."""
        self.on_websocket = True
        self.out.onto(transport)
        if self.closing:
            self.out.finish(CLOSE_FRAME)

    # -- ending

    def hang_up(self, reason: str, level: int = logging.INFO) -> None:
        """End the session once its client has what it is owed; the log says why, at this level."""
        if self.ended or self.closing:
            return
        log.log(level, "closing a connection from %s: %s", self.address, reason)
        self.closing = True
        self._close_by = time.monotonic() + self._home.options.close_timeout
        if not self.on_websocket and not self.out.owing:
            self.finish()  # it ends the poll that waits, if one does
        else:
            # To a poll the close comes after what is owed, not with it: socket.io-client gives out the
            # events of an answer only when it has read all of it, and none once it is closed.
            self.out.finish(CLOSE_FRAME if self.on_websocket else None)
            # Whoever hangs up may be in the middle of something with this connection.
            asyncio.get_running_loop().call_soon(self._namespace.leave)

    def over(self, reason: str, level: int = logging.INFO) -> None:
        """End a polling session whose client is not owed a goodbye; a poll that waits gets one."""
        self.hang_up(reason, level)
        self.finish()

    def cut(self, reason: str) -> None:
        """End the session now; what was not written is lost and healed by `since`."""
        if self.ended:
            return
        log.info("cutting a connection from %s: %s", self.address, reason)
        self._home.cut(reason)
        self.closing = True
        self.out.abort()
        self.finish()

    def finish(self) -> None:
        """The session is over."""
        if self.ended:
            return
        self.closing = self.ended = True
        self._home.ended(self)
        self.out.closed = True
        self.out.end_poll(CLOSE_FRAME)
        if self.probe is not None and self.probe.transport is not None:
            self.probe.transport.close()
        self._namespace.leave()

    def _overrun(self) -> None:
        self.cut("a reader that does not keep up")

    def check(self, now: float) -> None:
        """Ping, and end what does not answer, read, connect or close in time."""
        options = self._home.options
        if self.working:
            self._held_up_at = now
        if self.closing:
            if now > self._close_by:
                self.cut("no answer to a close")
        elif self._namespace.overdue(now):
            self.hang_up("no CONNECT in time")
        elif not self._ponged and now - max(self._pinged_at, self._held_up_at) > options.ping_timeout:
            # Its answer may have come, and wait behind packets that are worked off slowly.
            self.cut("no answer to a ping")
        elif self.out.stalled(now, options.stall_timeout):
            self.cut("a reader that stands still")
        elif self._ponged and now - self._pinged_at >= options.ping_interval:
            self._ponged = False
            self._pinged_at = now
            self.push(_PING)
