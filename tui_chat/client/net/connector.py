"""Supervision of the connection to one server.

- Single connection: at most one transport exists at a time.
- Reconnect: attempts continue until the client closes, with the delays of `backoff`. A connection
  that lasted `STABLE_AFTER` seconds resets the backoff.
- Requests: a request waits for a connection and is repeated on the next one after a loss, until its timeout.
- Tokens: a rejected token ends the attempts and fails all requests until `set_token`.
- Latency: a ping every `PING_INTERVAL` seconds measures the round-trip time.
- Suspend: after a clock jump, the connection must answer a ping within `PROBE_TIMEOUT` seconds,
  and a pending reconnect starts immediately.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_chat.client.errors import ConnectionLost, Unreachable
from tui_chat.client.events import AuthFailed, Closed, Connecting, ConnectionState, Offline, Online
from tui_chat.client.log import log
from tui_chat.client.net.backoff import Backoff
from tui_chat.client.net.gate import Gate
from tui_chat.client.task_set import TaskSet
from tui_chat.protocol.codec import WireStructT
from tui_chat.protocol.errors import ChatError, InternalError, RateLimited, Unauthorized, Unavailable
from tui_chat.protocol.requests import Request

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

TransportGate = Gate["Transport"]

STABLE_AFTER = 5.0
"""Lifetime after which a connection counts as stable, in seconds."""
BUSY_RETRY_DELAY = 0.5
"""Delay after a temporary error without `retryAfter`, in seconds."""
LATENCY_CHANGE_THRESHOLD = 0.25
"""Relative latency change that triggers an `Online` event."""
PING_INTERVAL = 10.0
"""Interval of latency measurements, in seconds."""
CLOCK_CHECK_INTERVAL = 1.0
"""Interval of clock checks, in seconds."""
SUSPEND_THRESHOLD = 3.0
"""Delay of a clock check that indicates a suspend, in seconds."""
PROBE_TIMEOUT = 1.5
"""Time limit of a ping after a suspend, in seconds."""
FAST_RETRY_CONNECT_TIMEOUT = 3.0
"""Timeout of a connection attempt after a suspend, in seconds."""


class Connector:
    """Persistent connection to one server.

    Args:
        url: Base URL of the server.
        on_push: Callback for each push, with event name and JSON body.
        on_connected: Callback for each new transport, which `gate` provides.
        on_disconnected: Callback for each lost connection and after an unexpected exception, possibly without an
            earlier `on_connected`; not called at the end of `run`.
        on_state_changed: Callback for each new state.
        tasks: Background tasks of the client.
        random: Source of random numbers in [0, 1).
        wall_clock: Seconds since the epoch. Unlike the monotonic clock, this clock always advances during a suspend.

    Attributes:
        gate: Gate with the current transport.
        state: Current connection state.
        token: Current token of an account, None for a guest.
        ca_file: PEM file with trusted certificates, None for the system's.
    """

    def __init__(
        self,
        url: str,
        *,
        on_push: Callable[[str, bytes], None],
        on_connected: Callable[[], None],
        on_disconnected: Callable[[], None],
        on_state_changed: Callable[[ConnectionState], None],
        tasks: TaskSet,
        token: str | None,
        ca_file: str | None,
        random: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self.gate = TransportGate()
        self.state: ConnectionState = Connecting()
        self._url = url
        self._on_push = on_push
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._on_state_changed = on_state_changed
        self._tasks = tasks
        self.token = token
        self._token_changed = asyncio.Event()
        self.ca_file = ca_file
        self._wall_clock = wall_clock
        self._backoff = Backoff(random)
        self._server_going_away = False
        self._reconnect_requested = asyncio.Event()
        self._transport: Transport | None = None

    async def connect(self) -> None:
        """Make one attempt to open the first connection before `run`; no effect after a success.

        `run` uses this connection. The state and the callbacks follow only there.

        Raises:
            Unreachable: The attempt failed.
            Unauthorized: The server rejected the token.
        """
        if self._transport is None:
            await self._open_transport()

    async def run(self) -> None:
        """Connect, and reconnect after each loss and each unexpected exception, until cancelled.

        After a rejected token, the next attempt follows `set_token`. An unexpected exception is reported.
        """
        watch_task = self._tasks.supervise(self._watch_for_suspend, "suspend detection")
        try:
            while True:
                try:
                    await self._run_connection()
                except Unauthorized as error:
                    await self._wait_for_token(error)
                except Exception as error:
                    self._tasks.report("connection", error)
                    self._on_disconnected()
                    await self._wait_before_retry(InternalError("client_error"))
        finally:
            watch_task.cancel()

    async def _run_connection(self) -> None:
        """Connect, and wait for the end of the connection and of the delay before the next attempt.

        Failed attempts are repeated with the delays of the backoff. A new token skips the delay, and a connection with
        an outdated token is closed without `on_connected`.

        Raises:
            Unauthorized: The server rejected the token, during the attempt or later.
        """
        while self._transport is None:
            try:
                await self._attempt_connect()
            except Unreachable as error:
                await self._wait_before_retry(error.copy())
        transport = self._transport
        connected_at = time.monotonic()
        self._server_going_away = False
        ping_task = self._tasks.supervise(lambda: self._ping_periodically(transport), "latency measurement")
        try:
            if not self._token_changed.is_set():
                self.gate.set(transport)
                self._set_state(Online())
                self._on_connected()
                await transport.wait_closed()
        finally:
            ping_task.cancel()
            self.gate.clear()
            self._transport = None
            await transport.close()
        self._on_disconnected()
        if self._token_changed.is_set():
            self._set_state(Connecting())
            return
        if transport.auth_error is not None:
            raise transport.auth_error
        if time.monotonic() - connected_at >= STABLE_AFTER:
            self._backoff.reset_failures()
        await self._wait_before_retry(
            Unavailable("server_restarting") if self._server_going_away else ConnectionLost("connection_lost")
        )

    async def _wait_for_token(self, error: Unauthorized) -> None:
        """Fail waiting and later requests, set the state `AuthFailed`, and wait for `set_token`."""
        log.warning("token rejected (%s): no reconnect until the next login", error.reason)
        self.gate.suspend(error)
        self._set_state(AuthFailed(error.copy()))
        await self._token_changed.wait()

    def set_token(self, token: str | None) -> None:
        """Replace the token, abort the current connection or attempt, and let `run` connect again at once.

        Requests wait for the new connection. `AuthFailed` becomes `Connecting`, and the failure count is cleared. An
        equal token has the same effects.
        """
        self.token = token
        self._token_changed.set()
        self.gate.resume()
        self.gate.clear()
        if isinstance(self.state, AuthFailed):
            self._set_state(Connecting())
        self._backoff.reset_failures()
        self.reconnect_now()
        if self._transport is not None:
            self._transport.abort()

    async def wait_connected(self, timeout: float) -> None:
        """Wait for a connection or an error of the gate, at most `timeout` seconds; raise nothing."""
        with suppress(ChatError, TimeoutError):
            async with asyncio.timeout(timeout):
                await self.gate.wait()

    def on_going_away(self, reconnect_after: float) -> None:
        """Set the delay of the next reconnect to the announced downtime in seconds (`Backoff.set_announced_delay`)."""
        self._server_going_away = True
        self._backoff.set_announced_delay(reconnect_after)

    def reconnect_now(self) -> None:
        """Skip the current delay, or restart the running attempt; no effect while connected or `AuthFailed`."""
        self._reconnect_requested.set()

    async def close(self) -> None:
        """Close the connection after the end of `run`, fail waiting and later requests, and set the state `Closed`."""
        if self._transport is not None:
            await self._transport.close()
        self.gate.fail(Unavailable("client_closed"))
        self._set_state(Closed())

    async def request(
        self,
        gate: TransportGate,
        request: Request,
        response_type: type[WireStructT],
        timeout: float,
        *,
        wait_for_rate_limit: bool = False,
    ) -> WireStructT:
        """Send a request and wait for the response, across reconnects.

        `unavailable` is always retried after its `retry_after`, or `BUSY_RETRY_DELAY` seconds without one. A lost
        connection clears `gate`, and the request is repeated on the next one. At the timeout, the last temporary error
        is raised.

        Args:
            gate: Gate that provides the transport.
            request: Request to send.
            response_type: Type of the response.
            timeout: Total time limit in seconds.
            wait_for_rate_limit: Retry after `rate_limited` too.

        Raises:
            ChatError: The gate has failed or is suspended, or the server rejected the request, even as `InternalError`.
            UnsupportedByServer: As `Transport.request`.
            RateLimited: The rate limit applied; with `wait_for_rate_limit`, until the timeout.
            Unavailable: The last response before the timeout was `unavailable`, or none arrived and the outcome is
                unknown.
        """
        last_error: ChatError = Unavailable("no_response")
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
                        await asyncio.sleep(BUSY_RETRY_DELAY if error.retry_after is None else error.retry_after)
        except TimeoutError:
            raise last_error from None

    async def _ping_periodically(self, transport: "Transport") -> None:
        """Measure the latency every `PING_INTERVAL` seconds until the transport closes."""
        with suppress(ConnectionLost):
            while True:
                self._update_latency(await transport.ping())
                await asyncio.sleep(PING_INTERVAL)

    def _update_latency(self, latency: float) -> None:
        """Set the state `Online` with a latency in seconds, and call `on_state_changed`.

        No effect unless online, or if the latency differs from the previous one by at most `LATENCY_CHANGE_THRESHOLD`.
        """
        previous = self.state.latency if isinstance(self.state, Online) else latency
        if previous is None or abs(latency - previous) > LATENCY_CHANGE_THRESHOLD * previous:
            self._set_state(Online(latency))

    async def _watch_for_suspend(self) -> None:
        """Start the fast retry period, skip the delay and probe the connection after each suspend, until cancelled.

        A suspend is a sleep of `CLOCK_CHECK_INTERVAL` that takes more than `SUSPEND_THRESHOLD` seconds longer by the
        monotonic or the wall clock. A blocked event loop and a changed wall clock have the same effect.
        """
        while True:
            clock_before, wall_clock_before = time.monotonic(), self._wall_clock()
            await asyncio.sleep(CLOCK_CHECK_INTERVAL)
            elapsed = max(time.monotonic() - clock_before, self._wall_clock() - wall_clock_before)
            if elapsed > CLOCK_CHECK_INTERVAL + SUSPEND_THRESHOLD:
                log.info("suspend detected: probing the connection")
                self._backoff.start_fast_retry()
                self.reconnect_now()
                await self._probe()

    async def _probe(self) -> None:
        """Measure the latency of the current transport; abort the transport without a pong within `PROBE_TIMEOUT`."""
        if (transport := self.gate.value) is not None:
            try:
                async with asyncio.timeout(PROBE_TIMEOUT):
                    self._update_latency(await transport.ping())
            except (TimeoutError, ConnectionLost):
                transport.abort()

    async def _open_transport(self) -> None:
        """Open a transport with the current token and store the transport; raise as `Transport.open`.

        In the fast retry period, the time limit is `FAST_RETRY_CONNECT_TIMEOUT`.
        """
        # The import of socketio and aiohttp takes 200 ms; a thread keeps the event loop responsive.
        transport_class = await asyncio.to_thread(_import_transport)
        self._token_changed.clear()
        options = {"timeout": FAST_RETRY_CONNECT_TIMEOUT} if self._backoff.is_fast_retry else {}
        self._transport = await transport_class.open(
            self._url, self._on_push, token=self.token, ca_file=self.ca_file, **options
        )

    async def _attempt_connect(self) -> None:
        """Attempt to connect; `reconnect_now` cancels the attempt, and the call returns without a transport.

        An exception that is no `ChatError` is reported and raised; after a cancellation, only reported.

        Raises:
            Unreachable: The attempt failed.
            Unauthorized: The server rejected the token.
        """
        self._reconnect_requested.clear()
        open_task = asyncio.create_task(self._open_transport(), name="connection attempt")
        retry_task = asyncio.create_task(self._reconnect_requested.wait(), name="reconnect request")
        try:
            await asyncio.wait({open_task, retry_task}, return_when=asyncio.FIRST_COMPLETED)
            if open_task.done():
                open_task.result()
        finally:
            retry_task.cancel()
            open_task.cancel()
            await asyncio.wait({open_task})
            error = None if open_task.cancelled() else open_task.exception()
            if isinstance(error, ChatError):
                log.debug("connection attempt failed: %s", type(error).__name__)
            elif error is not None:
                self._tasks.report("connection", error)

    async def _wait_before_retry(self, error: ChatError) -> None:
        """Set the state `Offline`, and wait for the delay of the backoff or for `reconnect_now`."""
        delay = self._backoff.next_delay()
        self._reconnect_requested.clear()
        self._set_state(Offline(error, delay, time.monotonic() + delay))
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._reconnect_requested.wait()

    def _set_state(self, state: ConnectionState) -> None:
        self.state = state
        self._on_state_changed(state)


def _import_transport() -> "type[Transport]":
    from tui_chat.client.net.transport import Transport  # noqa: PLC0415 (see `_open_transport`)

    return Transport
