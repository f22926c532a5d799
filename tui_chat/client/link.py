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

from server.protocol.codec import WireStructT
from server.protocol.errors import ChatError, RateLimited, Unavailable
from server.protocol.requests import Request
from tui_chat.client.backoff import Backoff
from tui_chat.client.errors import ConnectionLost, Unreachable
from tui_chat.client.events import Closed, Connecting, ConnectionState, Offline, Online
from tui_chat.client.gate import Gate

if TYPE_CHECKING:
    from tui_chat.client.transport import Transport

log = logging.getLogger("chat.client")

STEADY = 5.0
BUSY_PAUSE = 0.5
"""Seconds before asking again a server that was busy and did not say for how long."""
LATENCY_STEP = 0.25
"""A latency is told when it differs by this part of the one told before."""
PING_EVERY = 10.0
TICK = 1.0
SLEPT = 3.0
"""Seconds that a tick may be late before that means a sleep."""
PROOF = 1.5
HURRIED_PATIENCE = 3.0
"""Seconds for an attempt to connect after a sleep."""


class Link:
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
        on_up: "Callable[[Transport], None]",
        on_down: Callable[[], None],
        on_state: Callable[[ConnectionState], None],
        ca_file: str | None,
        random: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.gate: Gate[Transport] = Gate()
        self.state: ConnectionState = Connecting()
        self._url = url
        self._on_push = on_push
        self._on_up = on_up
        self._on_down = on_down
        self._on_state = on_state
        self._ca_file = ca_file
        self._clock = clock
        self._wall = wall
        self._backoff = Backoff(random, clock)
        self._going_away = False
        self._now = asyncio.Event()
        self._transport: Transport | None = None

    async def connect(self) -> None:
        """Make the first connection, for `run` to keep.

        Raises:
            Unreachable: It could not be done.
        """
        self._transport = await self._open()

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        watching = asyncio.create_task(self._watch_for_sleep(), name="watching for sleep")
        try:
            while True:
                await self._one_connection()
        finally:
            watching.cancel()

    async def _one_connection(self) -> None:
        transport = self._transport = self._transport or await self._reconnect()
        since = self._clock()
        self._going_away = False
        measuring = asyncio.create_task(self._measure(transport), name="measuring the latency")
        try:
            self.gate.open(transport)
            self._become(Online())
            self._on_up(transport)
            await transport.ended()
        finally:
            measuring.cancel()
            self.gate.shut()
            await transport.close()
        self._transport = None
        self._on_down()
        if self._clock() - since >= STEADY:
            self._backoff.forget_failures()
        await self._pause("the server is restarting" if self._going_away else "the connection was lost")

    def goes_away(self, reconnect_after: float) -> None:
        """The server stops as planned, and will be back."""
        self._going_away = True
        self._backoff.told(reconnect_after)

    def retry_now(self) -> None:
        """Do not wait for the next attempt."""
        self._now.set()

    async def close(self) -> None:
        """End it; whoever waits gets an error. `run` must have ended."""
        if self._transport is not None:
            await self._transport.close()
        self.gate.lock(Unavailable("the client was closed"))
        self._become(Closed())

    async def ask(
        self,
        gate: "Gate[Transport]",
        request: Request,
        kind: type[WireStructT],
        timeout: float,
        *,
        patient: bool = False,
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
        trouble: ChatError = Unavailable("the server did not answer in time")
        try:
            async with asyncio.timeout(timeout):
                while True:
                    transport = await gate.passed()
                    try:
                        return await transport.request(request, kind)
                    except ConnectionLost:
                        gate.shut(transport)
                        self.gate.shut(transport)
                    except (Unavailable, RateLimited) as refusal:
                        if isinstance(refusal, RateLimited) and not patient:
                            raise
                        trouble = refusal
                        await asyncio.sleep(refusal.retry_after or BUSY_PAUSE)
        except TimeoutError:
            raise trouble from None

    async def _measure(self, transport: "Transport") -> None:
        while True:
            try:
                latency = await transport.measure()
            except ConnectionLost:
                return
            self._measured(latency)
            await asyncio.sleep(PING_EVERY)

    def _measured(self, latency: float) -> None:
        if isinstance(self.state, Online):
            known = self.state.latency
            if known is None or abs(latency - known) > LATENCY_STEP * known:
                self._become(Online(latency))

    async def _watch_for_sleep(self) -> None:
        while True:
            before = (self._clock(), self._wall())
            await asyncio.sleep(TICK)
            if max(self._clock() - before[0], self._wall() - before[1]) > TICK + SLEPT:
                log.info("this computer has slept")
                self._backoff.hurry()
                self.retry_now()
                await self._demand_proof()

    async def _demand_proof(self) -> None:
        transport = self.gate.value
        if transport is None:
            return
        try:
            async with asyncio.timeout(PROOF):
                self._measured(await transport.measure())
        except (TimeoutError, ConnectionLost):
            transport.cut()

    async def _open(self) -> "Transport":
        # The libraries behind a connection take 200 ms to import: in a thread, so that a screen can be painted.
        kind = await asyncio.to_thread(_transport)
        hurried = {"patience": HURRIED_PATIENCE} if self._backoff.hurries else {}
        return await kind.open(self._url, self._on_push, ca_file=self._ca_file, clock=self._clock, **hurried)

    async def _reconnect(self) -> "Transport":
        while True:
            try:
                opened = await self._attempt()
            except Unreachable as fault:
                await self._pause(fault.message)
            else:
                if opened is not None:
                    return opened

    async def _attempt(self) -> "Transport | None":
        """Try to connect; None when somebody wants another attempt instead.

        Raises:
            Unreachable: It could not be done.
        """
        self._now.clear()
        opening = asyncio.create_task(self._open(), name="connecting")
        again = asyncio.create_task(self._now.wait(), name="waiting to connect anew")
        try:
            await asyncio.wait({opening, again}, return_when=asyncio.FIRST_COMPLETED)
            return opening.result() if opening.done() else None
        finally:
            again.cancel()
            if not opening.done():
                opening.cancel()
                await asyncio.wait({opening})

    async def _pause(self, reason: str) -> None:
        delay = self._backoff.next_delay()
        self._now.clear()
        self._become(Offline(reason, delay, self._clock() + delay))
        try:
            async with asyncio.timeout(delay):
                await self._now.wait()
        except TimeoutError:
            return

    def _become(self, state: ConnectionState) -> None:
        self.state = state
        self._on_state(state)


def _transport() -> "type[Transport]":
    from tui_chat.client.transport import Transport  # noqa: PLC0415 (see `_open`)

    return Transport
