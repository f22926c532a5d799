"""One Engine.IO session over either transport.

- Outbound order: frames leave in the order of the `push` calls.
- Inbound order: packets are handled one at a time, in the order of arrival, even across an upgrade.
- State: `server.engineio.session_state` defines the states and their transitions.
- Close: `close` sends the queued frames and then the close packet. Packets received afterwards
  are discarded. The session is aborted if the client does not close within `close_timeout`.
- End: `finalize` takes effect once per session and notifies the server and the dispatcher.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from contextlib import ExitStack
from typing import Protocol

from server.domain.rate_limits import TokenBucket
from server.engineio.connection import EventDispatcher
from server.engineio.flush_scheduler import FlushScheduler
from server.engineio.namespace import Namespace
from server.engineio.options import EngineIOOptions
from server.engineio.packet_limiter import PacketLimiter
from server.engineio.packets import Frame, InvalidPacket
from server.engineio.send_queue import SendQueue
from server.engineio.session_state import (
    ENDING_STATES,
    SessionState,
    TransitionEvent,
    get_next_state,
)
from tui_chat.protocol.errors import BadRequest, ChatError, RateLimited

log = logging.getLogger("chat.engineio")

# Engine.IO packet types; `server.engineio.packets` defines those of Socket.IO.
PACKET_OPEN, PACKET_CLOSE, PACKET_PING, PACKET_PONG, PACKET_MESSAGE, PACKET_UPGRADE, PACKET_NOOP = b"0123456"
_PACKET_BINARY = ord("b")  # base64 data in a POST

NOOP_FRAME = Frame(bytes((PACKET_NOOP,)))
CLOSE_FRAME = Frame(bytes((PACKET_CLOSE,)), ws_bytes=b"\x88\x02\x03\xe8")  # WebSocket close frame, code 1000
_PING_FRAME = Frame(bytes((PACKET_PING,)))


class SessionHost(Protocol):
    """Interface of the server to a session; implemented by `server.engineio.engineio_server`.

    `aborts` counts the aborted sessions by reason.
    """

    dispatcher: EventDispatcher
    options: EngineIOOptions
    flush_scheduler: FlushScheduler
    aborts: Counter[str]

    def on_session_closed(self, session: "EngineIOSession") -> None:
        """Remove a closed session; called once per session."""


class EngineIOSession:
    """Session of one client, in the state POLLING at first.

    Args:
        host: Server of the session.
        authorization: Header `Authorization` of the handshake, empty if absent.
        server_origin: Canonical origin under which the client reaches the server, None if invalid.

    Attributes:
        sid: Engine.IO session id, known to this client only.
        address: Network address of the client.
        send_queue: Outbound frames.
        push: Bound `SendQueue.push`.
        push_error: Bound `Namespace.push_error`.
        state: Current state; changed by the methods of the session only.
        options: Timeouts and limits.
        packet_limiter: Limiter of received packets; None without a limit.
        poll_bucket: Token bucket of polls, which delays polls without a flood timeout; None without a limit.
        inbound_lock: Held by a POST during its handling, and by the reader of the WebSocket.
    """

    __slots__ = (
        "_close_deadline",
        "_host",
        "_is_handling_packet",
        "_last_busy_at",
        "_namespace",
        "_ping_sent_at",
        "_pong_received",
        "_probe_transport",
        "address",
        "inbound_lock",
        "options",
        "packet_limiter",
        "poll_bucket",
        "push",
        "push_error",
        "send_queue",
        "sid",
        "state",
    )

    def __init__(
        self, host: SessionHost, sid: str, address: str, authorization: str = "", server_origin: str | None = None
    ) -> None:
        now = time.monotonic()
        self._host = host
        self.options = options = host.options
        rate = options.packet_rate
        self.packet_limiter = PacketLimiter(rate, options.flood_timeout, now) if rate else None
        self.poll_bucket = TokenBucket(rate, now) if rate else None
        self.sid = sid
        self.address = address
        self.send_queue = SendQueue(host.flush_scheduler.schedule, self, options.max_unsent_bytes, now)
        self.push = self.send_queue.push
        self.state = SessionState.POLLING
        self.inbound_lock = asyncio.Lock()
        self._probe_transport: asyncio.BaseTransport | None = None
        self._namespace = Namespace(
            host.dispatcher,
            self,
            address,
            options.connect_timeout,
            now,
            authorization=authorization,
            server_origin=server_origin,
        )
        self.push_error = self._namespace.push_error
        self._ping_sent_at = now
        self._pong_received = True
        self._is_handling_packet = False
        self._last_busy_at = now
        self._close_deadline = 0.0

    # -- inbound packets

    async def handle_packet(self, packet: bytes) -> bool:
        """Handle one Engine.IO packet; an invalid packet or an internal error closes the session.

        The return follows the complete handling, including delays by rate limits. Only MESSAGE, PONG, CLOSE and NOOP
        are valid. A CLOSE, which also ends a waiting poll, and an error close the session by `close_now`; a binary
        packet closes the session by `reject`, with an `error` event. The caller passes one packet at a time, and none
        to a closing session.

        Returns:
            True after a valid packet, even a CLOSE; False after an invalid packet or an internal error, which are not
            raised.
        """
        self._is_handling_packet = True
        try:
            packet_type = packet[0] if packet else -1
            if packet_type == PACKET_MESSAGE:
                handling = self._namespace.handle_message(packet[1:])
                if handling is not None:
                    await handling
            elif packet_type == PACKET_PONG:
                self._pong_received = True
            elif packet_type == PACKET_CLOSE:
                self.send_queue.resolve_poll(NOOP_FRAME)
                self.close_now("client disconnected", logging.DEBUG)
            elif packet_type == _PACKET_BINARY:
                raise InvalidPacket("binary packet", BadRequest("packet_binary"))
            elif packet_type != PACKET_NOOP:
                raise InvalidPacket("unknown Engine.IO packet type")
        except InvalidPacket as error:
            if error.client_error is not None:
                self.reject(error.client_error, str(error))
            else:
                self.close_now(str(error))
            return False
        except Exception:
            log.exception("packet handler failed, closing connection from %s", self.address)
            self.close_now("internal error", logging.DEBUG)
            return False
        finally:
            self._is_handling_packet = False
        return True

    async def admit_packet(self, size: int = 0) -> bool:
        """Count a packet of `size` bytes outside a WebSocket frame, and wait until the packet rate admits it.

        Throttling for longer than `flood_timeout` closes the session, and the return follows after `close_timeout`.

        Returns:
            True if the caller may handle the packet; False if the session is closing or closed.
        """
        while self.packet_limiter is not None and (delay := self.packet_limiter.acquire(time.monotonic(), size)):
            if delay == math.inf:
                self.close_flood()
                await asyncio.sleep(self.options.close_timeout)
                return False
            await asyncio.sleep(delay)
        return self.state not in ENDING_STATES

    def reject(self, error: ChatError, reason: str) -> None:
        """Send an `error` event, if the namespace is connected, and close the session.

        Without effect on a closing session. The log line contains `reason`.
        """
        if self.state not in ENDING_STATES:
            self.push_error(error)
            self.close(reason)

    def close_flood(self) -> None:
        """Send a `rate_limited` error and close the session, because the client ignores the packet rate."""
        self.reject(RateLimited("rate_limit_ignored"), "packet rate exceeded for too long")

    # -- upgrade

    def begin_probe(self, transport: asyncio.BaseTransport | None) -> None:
        """Reserve the upgrade for a WebSocket request.

        Until `end_probe` or `attach_websocket`, the end of the session closes `transport`.

        Args:
            transport: Transport of the request; None if the client has disconnected.

        Raises:
            IllegalTransition: The session is not in the state POLLING.
        """
        self.state = get_next_state(self.state, TransitionEvent.PROBE)
        self._probe_transport = transport

    def answer_probe(self) -> None:
        """Enter the state UPGRADING and complete a waiting poll, because the client upgrades only after the response.

        A poll without frames receives a NOOP. A closing or closed session keeps its state.

        Raises:
            IllegalTransition: The session is open without an unanswered probe.
        """
        self.state = get_next_state(self.state, TransitionEvent.PROBE_ANSWERED)
        self.send_queue.resolve_poll(NOOP_FRAME)

    def end_probe(self) -> None:
        """Release the upgrade; an open session continues over polling, and a closing or closed one stays unchanged.

        The transport of the probe stays open.

        Raises:
            IllegalTransition: The session is open without a probe.
        """
        self.state = get_next_state(self.state, TransitionEvent.PROBE_ENDED)
        self._probe_transport = None

    def attach_websocket(self, transport: asyncio.Transport) -> None:
        """Continue the session on the transport of a WebSocket.

        Frames queued for polling are sent first, followed by a close frame if the session is closing or closed.

        Raises:
            IllegalTransition: The session already has a WebSocket, or its probe is not answered yet.
        """
        self.state = get_next_state(self.state, TransitionEvent.ATTACH)
        self._probe_transport = None
        self.send_queue.attach_transport(transport)
        if self.state is not SessionState.WEBSOCKET:
            self.send_queue.close(CLOSE_FRAME)

    # -- closing

    def close(self, reason: str, level: int = logging.INFO) -> None:
        """Send the queued frames and close the session.

        Without effect on a closing session. A polling session with an empty queue ends before the return; otherwise the
        dispatcher is notified in the next tick, and the client has `close_timeout` seconds before the abort. The log
        line has the `level` and contains `reason`.
        """
        if self.state in ENDING_STATES:
            return
        log.log(level, "closing connection from %s: %s", self.address, reason)
        self.state = get_next_state(self.state, TransitionEvent.CLOSE)
        self._close_deadline = time.monotonic() + self.options.close_timeout
        on_websocket = self.state is SessionState.CLOSING_WEBSOCKET
        if not on_websocket and not self.send_queue.frames:
            self.finalize()  # also completes a waiting poll
        else:
            # A polling client receives the close packet in a separate payload: socket.io-client emits the
            # events of a payload after parsing all packets, and discards the events if one of them is a close.
            self.send_queue.close(CLOSE_FRAME if on_websocket else None)
            # Deferred, because the caller of close() may still use the connection.
            asyncio.get_running_loop().call_soon(self._namespace.disconnect)

    def close_now(self, reason: str, level: int = logging.INFO) -> None:
        """Close the session, over polling without waiting for further polls.

        A waiting poll receives the queued frames, or a close packet if none are queued. Without a waiting poll, queued
        frames are lost. A polling session that is already closing ends too, without a further log line. Over WebSocket,
        the method equals `close`.
        """
        self.close(reason, level)
        if self.state is SessionState.CLOSING_POLLING:
            self.finalize()

    def abort(self, reason: str) -> None:
        """End the session and discard unsent frames.

        The abort is logged and counted by reason. A waiting poll receives a close packet. A closed session stays
        unchanged; a closing one is aborted.
        """
        if self.state is SessionState.CLOSED:
            return
        log.info("aborting connection from %s: %s", self.address, reason)
        self._abort(reason)

    def fail(self, error: Exception) -> None:
        """Log an internal error and abort the session; nothing is raised.

        The abort is counted as `internal error`, even for a closed session.
        """
        log.error("internal error, aborting connection from %s", self.address, exc_info=error)
        try:
            self._abort("internal error")
        except Exception:
            log.exception("abort of the connection from %s failed", self.address)

    def _abort(self, reason: str) -> None:
        """Count an abort, discard unsent frames and end the session, even after an error of the send queue."""
        self._host.aborts[reason] += 1
        try:
            self.send_queue.abort()
        finally:
            self.finalize()

    def finalize(self) -> None:
        """End the session: complete a waiting poll, close the transport of a probe, leave the namespace.

        The server and the dispatcher are notified before the return. A repeated call has no effect. The WebSocket of
        the session stays open, and a waiting poll receives a close packet if no frames are queued. An error of one step
        is raised after the other steps.
        """
        if self.state is SessionState.CLOSED:
            return
        self.state = get_next_state(self.state, TransitionEvent.END)
        self.send_queue.closed = True
        with ExitStack() as steps:  # an error in one step does not prevent the others, which run in reverse order
            steps.callback(self._namespace.disconnect)
            if self._probe_transport is not None:
                steps.callback(self._probe_transport.close)
            steps.callback(self.send_queue.resolve_poll, CLOSE_FRAME)
            steps.callback(self._host.on_session_closed, self)

    def tick(self, now: float) -> None:
        """Send a due ping and enforce the timeouts; called periodically by the server's heartbeat.

        At most one action per call, in this order: abort after the close timeout, close after the CONNECT timeout,
        abort after the ping timeout, abort of a stalled reader, ping. No ping is sent before the pong of the previous
        one. A packet in progress suspends the ping timeout. A closing session has the close timeout only.
        """
        options = self.options
        if self._is_handling_packet:
            self._last_busy_at = now
        if self.state in ENDING_STATES:
            if now > self._close_deadline:
                self.abort("close timeout")
        elif self._namespace.connect_timed_out(now):
            self.close("connect timeout")
        elif self.abort_if_overdue(now):
            return
        elif self.send_queue.is_stalled(now, options.stall_timeout):
            self.abort("stalled reader")
        elif self._pong_received and now - self._ping_sent_at >= options.ping_interval:
            self._pong_received = False
            # The due time counts, not the later check, so that the timeout is exact for a client that polls late.
            self._ping_sent_at = max(self._ping_sent_at + options.ping_interval, now - options.check_interval)
            self.push(_PING_FRAME)

    def abort_if_overdue(self, now: float) -> bool:
        """Abort a session whose pong is missing after the ping timeout; return whether the session was aborted.

        A closing session is aborted too. Packet handling counts as activity, because the pong may be queued behind a
        slow packet.
        """
        if (
            self._pong_received
            or self._is_handling_packet
            or now - max(self._ping_sent_at, self._last_busy_at) <= self.options.ping_timeout
        ):
            return False
        self.abort("ping timeout")
        return True
