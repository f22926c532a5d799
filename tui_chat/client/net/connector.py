"""Keeps a connection to one server: makes it, notices its end, makes it again.

Rule 1  There is at most one connection at a time.
Rule 2  After a break it tries again for as long as the client lives, at the pace of
        `backoff`. A connection that lasted `STEADY` seconds starts that anew.
Rule 3  Who asks waits for a connection, and asks again on the next one when one breaks,
        until the time it gave is over. What may be asked twice must mean the same twice.
Rule 4  While there is a connection a ping is sent every `PING_EVERY` seconds, which says
        how long an answer takes.
Rule 5  When a clock says that this computer has slept, the connection has `PROOF` seconds
        to show that it lives, and an attempt to connect is made at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_chat.client.errors import ConnectionLost, Unreachable
from tui_chat.client.events import Closed, Connecting, ConnectionState, Offline, Online
from tui_chat.client.net.backoff import Backoff
from tui_chat.client.net.gate import Gate
from tui_chat.protocol.codec import WireStructT
from tui_chat.protocol.errors import ChatError, RateLimited, Unavailable
from tui_chat.protocol.requests import Request

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

log = logging.getLogger("chat.client")

STABLE_AFTER = 5.0
BUSY_RETRY_DELAY = 0.5
"""Seconds before asking again a server that was busy and did not say for how long."""
LATENCY_CHANGE_THRESHOLD = 0.25
"""A latency is told when it differs by this part of the one told before."""
PING_INTERVAL = 10.0
CLOCK_CHECK_INTERVAL = 1.0
SUSPEND_THRESHOLD = 3.0
"""Seconds that a tick may be late before that means a sleep."""
PROBE_TIMEOUT = 1.5
FAST_RETRY_CONNECT_TIMEOUT = 3.0
"""Seconds for an attempt to connect after a sleep."""


class Connector:
    """The way to one server.

    Attributes:
        gate: Open with the connection while there is one.
        state: As it is now.

    Args:
        url: `http://host:port` or `https://host:port`.
        on_push: Gets the name and body of each push.
        on_up: Called with each connection that was made.
        on_down: Called after each that ended.
        on_state: Called with each new state.
        ca_file: Certificates to trust instead of the system's.
        random: Gives a number from 0 up to 1.
        clock: Seconds that never go back.
        wall: Seconds since the epoch: they go on while the computer sleeps, which `clock` may not.
    """

    def __init__(
        self,
        url: str,
        *,
        on_push: Callable[[str, bytes], None],
        on_connected: "Callable[[Transport], None]",
        on_disconnected: Callable[[], None],
        on_state_changed: Callable[[ConnectionState], None],
        ca_file: str | None,
        random: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.gate: Gate[Transport] = Gate()
        self.state: ConnectionState = Connecting()
        self._url = url
        self._on_push = on_push
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._on_state_changed = on_state_changed
        self._ca_file = ca_file
        self._clock = clock
        self._wall_clock = wall_clock
        self._backoff = Backoff(random, clock)
        self._server_going_away = False
        self._reconnect_requested = asyncio.Event()
        self._transport: Transport | None = None

    async def connect(self) -> None:
        """Make the first connection, for `run` to keep.

        Raises:
            Unreachable: It could not be done.
        """
        self._transport = await self._open_transport()

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        watch_task = asyncio.create_task(self._watch_for_suspend(), name="watching for sleep")
        try:
            while True:
                await self._run_connection()
        finally:
            watch_task.cancel()

    async def _run_connection(self) -> None:
        transport = self._transport = self._transport or await self._reconnect()
        connected_at = self._clock()
        self._server_going_away = False
        ping_task = asyncio.create_task(self._ping_periodically(transport), name="measuring the latency")
        try:
            self.gate.set(transport)
            self._set_state(Online())
            self._on_connected(transport)
            await transport.wait_closed()
        finally:
            ping_task.cancel()
            self.gate.clear()
            await transport.close()
        self._transport = None
        self._on_disconnected()
        if self._clock() - connected_at >= STABLE_AFTER:
            self._backoff.reset_failures()
        await self._wait_before_retry(
            "the server is restarting" if self._server_going_away else "the connection was lost"
        )

    def on_going_away(self, reconnect_after: float) -> None:
        """The server stops as planned, and will be back."""
        self._server_going_away = True
        self._backoff.set_announced_delay(reconnect_after)

    def reconnect_now(self) -> None:
        """Do not wait for the next attempt."""
        self._reconnect_requested.set()

    async def close(self) -> None:
        """End it; whoever waits gets an error. `run` must have ended."""
        if self._transport is not None:
            await self._transport.close()
        self.gate.fail(Unavailable("the client was closed"))
        self._set_state(Closed())

    async def request(
        self,
        gate: "Gate[Transport]",
        request: Request,
        response_type: type[WireStructT],
        timeout: float,
        *,
        wait_for_rate_limit: bool = False,
    ) -> WireStructT:
        """Ask over whatever connection there is, until there is an answer.

        Args:
            gate: Where to wait for a connection.
            request: What to ask.
            kind: The kind of its answer.
            timeout: Seconds after which to give up.
            patient: Wait, too, when the server says that it was asked too often.

        Raises:
            ChatError: The server refused (`RateLimited`, if `patient`: for all of the time).
            Unavailable: There was no answer in time; it may have been done all the same.
        """
        last_error: ChatError = Unavailable("the server did not answer in time")
        try:
            async with asyncio.timeout(timeout):
                while True:
                    transport = await gate.wait()
                    try:
                        return await transport.request(request, response_type)
                    except ConnectionLost:
                        gate.clear(transport)
                        self.gate.clear(transport)
                    except (Unavailable, RateLimited) as error:
                        if isinstance(error, RateLimited) and not wait_for_rate_limit:
                            raise
                        last_error = error
                        await asyncio.sleep(error.retry_after or BUSY_RETRY_DELAY)
        except TimeoutError:
            raise last_error from None

    async def _ping_periodically(self, transport: "Transport") -> None:
        while True:
            try:
                latency = await transport.ping()
            except ConnectionLost:
                return
            self._update_latency(latency)
            await asyncio.sleep(PING_INTERVAL)

    def _update_latency(self, latency: float) -> None:
        if isinstance(self.state, Online):
            previous = self.state.latency
            if previous is None or abs(latency - previous) > LATENCY_CHANGE_THRESHOLD * previous:
                self._set_state(Online(latency))

    async def _watch_for_suspend(self) -> None:
        while True:
            previous = (self._clock(), self._wall_clock())
            await asyncio.sleep(CLOCK_CHECK_INTERVAL)
            if (
                max(self._clock() - previous[0], self._wall_clock() - previous[1])
                > CLOCK_CHECK_INTERVAL + SUSPEND_THRESHOLD
            ):
                log.info("this computer has slept")
                self._backoff.start_fast_retry()
                self.reconnect_now()
                await self._probe()

    async def _probe(self) -> None:
        transport = self.gate.value
        if transport is None:
            return
        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                self._update_latency(await transport.ping())
        except (TimeoutError, ConnectionLost):
            transport.abort()

    async def _open_transport(self) -> "Transport":
        # The libraries behind a connection take 200 ms to import: in a thread, so that a screen can be painted.
        transport_class = await asyncio.to_thread(_import_transport)
        options = {"timeout": FAST_RETRY_CONNECT_TIMEOUT} if self._backoff.is_fast_retry else {}
        return await transport_class.open(self._url, self._on_push, ca_file=self._ca_file, clock=self._clock, **options)

    async def _reconnect(self) -> "Transport":
        while True:
            try:
                transport = await self._attempt_connect()
            except Unreachable as error:
                await self._wait_before_retry(error.message)
            else:
                if transport is not None:
                    return transport

    async def _attempt_connect(self) -> "Transport | None":
        """Try to connect; None when somebody wants another attempt instead.

        Raises:
            Unreachable: It could not be done.
        """
        self._reconnect_requested.clear()
        open_task = asyncio.create_task(self._open_transport(), name="connecting")
        retry_task = asyncio.create_task(self._reconnect_requested.wait(), name="waiting to connect anew")
        try:
            await asyncio.wait({open_task, retry_task}, return_when=asyncio.FIRST_COMPLETED)
            return open_task.result() if open_task.done() else None
        finally:
            retry_task.cancel()
            if not open_task.done():
                open_task.cancel()
                await asyncio.wait({open_task})

    async def _wait_before_retry(self, reason: str) -> None:
        delay = self._backoff.next_delay()
        self._reconnect_requested.clear()
        self._set_state(Offline(reason, delay, self._clock() + delay))
        try:
            async with asyncio.timeout(delay):
                await self._reconnect_requested.wait()
        except TimeoutError:
            return

    def _set_state(self, state: ConnectionState) -> None:
        self.state = state
        self._on_state_changed(state)


def _import_transport() -> "type[Transport]":
    from tui_chat.client.net.transport import Transport  # noqa: PLC0415 (see `_open`)

    return Transport
