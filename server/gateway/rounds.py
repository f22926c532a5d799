"""When what is owed gets written: in rounds, each connection at most once in one.

Rule 1  A round begins in the next turn of the event loop, and takes every
        connection that is owed something; what a connection is owed by then
        leaves in one write.
Rule 2  After `SLICE` of writing the event loop does something else, so that a
        room of thousands holds up nobody.
Rule 3  After a round that took long the next one rests for as long. Under load
        half the time at most goes into writing, and each write carries more.
"""

import asyncio
import time

from server.gateway.outgoing import Outgoing

SLICE = 0.005
"""Seconds."""

LOOK_EVERY = 32
"""Connections between two looks at the clock."""

SHORT_ROUND = 0.001
"""Seconds: a round up to this asks for no rest."""

LONGEST_REST = 0.02
"""Seconds: what a message may have to wait for the next round."""


class WriteRounds:
    """Writes to the connections of one server. Made where an event loop runs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._owing: list[Outgoing] = []
        self._planned = False
        self._took = 0.0
        self._rest_until = 0.0

    def owes(self, outgoing: Outgoing) -> None:
        """This connection is owed something; called once before each of its flushes."""
        self._owing.append(outgoing)
        if not self._planned:
            self._planned = True
            rest = self._rest_until - time.perf_counter()
            if rest > 0:
                self._loop.call_later(rest, self._write)
            else:
                self._loop.call_soon(self._write)

    def _write(self) -> None:
        began = time.perf_counter()
        written = 0
        while written < len(self._owing):
            # Whoever is cut here may make others be owed something; they come at the end.
            for outgoing in self._owing[written : written + LOOK_EVERY]:
                outgoing.flush()
            written += LOOK_EVERY
            if time.perf_counter() - began > SLICE:
                break
        del self._owing[:written]
        ended = time.perf_counter()
        self._took += ended - began
        if self._owing:
            self._loop.call_soon(self._write)
            return
        self._planned = False
        if self._took > SHORT_ROUND:
            self._rest_until = ended + min(self._took, LONGEST_REST)
        self._took = 0.0
