"""Keys take effect in the order they were pressed, however fast they come: a slow line delivers several at once.

Textual asks each key at its arrival who has the focus and whether the key counts first,
when those before it still wait in some widget's queue. Here a key waits instead.

Rule 1  A key is given on when all is done that the keys before it do: a screen that they
        open or close, a room that they lead to, what they write.
Rule 2  Letters of one field, and other keys that it `keeps`, do not wait for each other: its queue
        has them in order.
Rule 3  No fault makes the keyboard dead: after `LOST_AFTER` seconds a key is given on anyway.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.dom import DOMNode
from textual.events import Key, Paste
from textual.timer import Timer
from textual.widgets import Input, TextArea

ROUNDS = 3
"""Ways from what has the focus up to the app until all is done that a key does: it is handled there, or
above; its widget tells those above of it; and a screen that closes tells who opened it."""

LOOK_AGAIN = 0.01
"""Seconds until it is looked again whether what a key leads to is there."""

LOST_AFTER = 2.0

Pressed = Key | Paste


@runtime_checkable
class Keeps(Protocol):
    """A field that says which keys besides letters lead nowhere else."""

    def keeps(self, key: Key, /) -> bool:
        """Whether this is one."""
        ...


class KeyOrder:
    """What was typed and is not given on yet.

    Args:
        app: The program; all of this happens in its turn.
        give: Does what the program does with a key.
        there: Says whether what the last key led to is there.
    """

    def __init__(self, app: App[Any], give: Callable[[Pressed], Awaitable[None]], there: Callable[[], bool]) -> None:
        self._app = app
        self._give = give
        self._there = there
        self._waiting: deque[Pressed] = deque()
        self._turn = 0  # counts what was waited for, so that nobody waits for an old one
        self._settling = False
        self._written = False  # what stays in a field was given on, and may not have been done yet
        self._timer: Timer | None = None

    async def take(self, pressed: Pressed) -> None:
        """A key, or a paste."""
        self._waiting.append(pressed)
        await self._give_on()
        if self._waiting and self._settling and self._timer is None:
            self._timer = self._app.set_timer(LOST_AFTER, self._lost)

    def take_back(self) -> list[Pressed]:
        """What was not given on, and will not be."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    async def _give_on(self) -> None:
        while self._waiting and not self._settling:
            if not self._there():
                self._app.set_timer(LOOK_AGAIN, self._give_on)
                return
            if not self._waiting:  # taken back
                return
            stays = self._stays(self._waiting[0])
            if self._written and not stays:
                self._settle()
                return
            await self._give(self._waiting.popleft())
            if stays:
                self._written = True
            else:
                self._settle()

    def _stays(self, pressed: Pressed) -> bool:
        field = self._app.focused
        if not isinstance(pressed, Key) or not isinstance(field, Input | TextArea):
            return False
        if pressed.is_printable and not pressed.key.startswith("alt+"):
            return True
        return isinstance(field, Keeps) and field.keeps(pressed)

    def _settle(self) -> None:
        self._settling = True
        self._turn += 1
        self._app.call_later(self._step, self._turn, ROUNDS, self._way())

    def _way(self) -> Iterator[DOMNode]:
        app = self._app
        below = (node for node in (app.focused or app.screen).ancestors_with_self if node is not app)
        return chain(below, (app,))

    async def _step(self, turn: int, rounds: int, way: Iterator[DOMNode]) -> None:
        """In the queue of each node on the way, behind all that the key has put there."""
        if turn != self._turn or not self._settling:
            return
        for node in way:
            if node.call_later(self._step, turn, rounds, way):
                return
        if rounds > 1:
            await self._step(turn, rounds - 1, self._way())
        else:
            await self._settled()

    async def _settled(self) -> None:
        self._settling = self._written = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        await self._give_on()

    async def _lost(self) -> None:
        self._timer = None
        await self._settled()
