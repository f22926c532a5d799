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

SETTLE_ROUNDS = 3
"""Ways from what has the focus up to the app until all is done that a key does: it is handled there, or
above; its widget tells those above of it; and a screen that closes tells who opened it."""

READY_POLL_INTERVAL = 0.01
"""Seconds until it is looked again whether what a key leads to is there."""

SETTLE_TIMEOUT = 2.0

QueuedInput = Key | Paste


@runtime_checkable
class LocalKeyField(Protocol):
    """A field that says which keys besides letters lead nowhere else."""

    def is_local_key(self, key: Key, /) -> bool:
        """Whether this is one."""
        ...


class InputSequencer:
    """What was typed and is not given on yet.

    Args:
        app: The program; all of this happens in its turn.
        give: Does what the program does with a key.
        there: Says whether what the last key led to is there.
    """

    def __init__(
        self, app: App[Any], dispatch: Callable[[QueuedInput], Awaitable[None]], is_ready: Callable[[], bool]
    ) -> None:
        self._app = app
        self._dispatch = dispatch
        self._is_ready = is_ready
        self._pending: deque[QueuedInput] = deque()
        self._generation = 0  # counts what was waited for, so that nobody waits for an old one
        self._settling = False
        self._local_in_flight = False  # what stays in a field was given on, and may not have been done yet
        self._timeout_timer: Timer | None = None

    async def push(self, item: QueuedInput) -> None:
        """A key, or a paste."""
        self._pending.append(item)
        await self._dispatch_pending()
        if self._pending and self._settling and self._timeout_timer is None:
            self._timeout_timer = self._app.set_timer(SETTLE_TIMEOUT, self._on_settle_timeout)

    def drain_pending(self) -> list[QueuedInput]:
        """What was not given on, and will not be."""
        drained = list(self._pending)
        self._pending.clear()
        return drained

    async def _dispatch_pending(self) -> None:
        while self._pending and not self._settling:
            if not self._is_ready():
                self._app.set_timer(READY_POLL_INTERVAL, self._dispatch_pending)
                return
            if not self._pending:  # taken back
                return
            is_local = self._is_local(self._pending[0])
            if self._local_in_flight and not is_local:
                self._begin_settling()
                return
            await self._dispatch(self._pending.popleft())
            if is_local:
                self._local_in_flight = True
            else:
                self._begin_settling()

    def _is_local(self, item: QueuedInput) -> bool:
        field = self._app.focused
        if not isinstance(item, Key) or not isinstance(field, Input | TextArea):
            return False
        if item.is_printable and not item.key.startswith("alt+"):
            return True
        return isinstance(field, LocalKeyField) and field.is_local_key(item)

    def _begin_settling(self) -> None:
        self._settling = True
        self._generation += 1
        self._app.call_later(self._visit_next_node, self._generation, SETTLE_ROUNDS, self._focus_path())

    def _focus_path(self) -> Iterator[DOMNode]:
        app = self._app
        nodes = (node for node in (app.focused or app.screen).ancestors_with_self if node is not app)
        return chain(nodes, (app,))

    async def _visit_next_node(self, generation: int, rounds: int, path: Iterator[DOMNode]) -> None:
        """In the queue of each node on the way, behind all that the key has put there."""
        if generation != self._generation or not self._settling:
            return
        for node in path:
            if node.call_later(self._visit_next_node, generation, rounds, path):
                return
        if rounds > 1:
            await self._visit_next_node(generation, rounds - 1, self._focus_path())
        else:
            await self._finish_settling()

    async def _finish_settling(self) -> None:
        self._settling = self._local_in_flight = False
        if self._timeout_timer is not None:
            self._timeout_timer.stop()
            self._timeout_timer = None
        await self._dispatch_pending()

    async def _on_settle_timeout(self) -> None:
        self._timeout_timer = None
        await self._finish_settling()
