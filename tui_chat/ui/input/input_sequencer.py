"""Ordered dispatch of keys and pastes.

Textual determines the focused widget and the priority bindings when a key arrives, even if earlier keys are still in
the message queue of a widget. A slow connection delivers several keys at once, so the sequencer delays each key.

- Order: a key is dispatched after all effects of the earlier keys: opened and closed screens, room switches, text.
- Local keys: printable characters and other local keys of one field do not wait for each other, because the message
  queue of the field preserves their order.
- Liveness: input waits at most `EFFECT_TIMEOUT` seconds for the effects of the input before.
- Readiness: a target that is not ready, such as a chat during a room switch, delays all input without a time limit.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary, WeakSet

from textual.events import Key, Paste
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, TextArea

from tui_chat.ui.input.inserted_text import typed_text

# Passes from the focused widget up to the app until a key has had all its effects: the widget or an ancestor handles
# the key, messages of the widget reach its ancestors, and a closing screen calls back the screen that opened it.
EFFECT_ROUNDS = 3

READY_POLL_INTERVAL = 0.01  # seconds between two checks whether the target of a key is ready

EFFECT_TIMEOUT = 2.0  # seconds that input waits for the effects of an earlier key

SCREEN_READY_TIMEOUT = 2.0  # seconds that input waits for a new screen

QueuedInput = Key | Paste


@runtime_checkable
class LocalKeyField(Protocol):
    """Input field with local keys besides the printable characters."""

    def is_local_key(self, key: Key, /) -> bool:
        """Return whether later keys of this field need not wait for `key`."""
        ...


class MessageTarget(Protocol):
    """Node with a message queue: widget, screen or app."""

    def call_later(self, callback: Callable[..., Any], /, *args: Any) -> bool:
        """Call `callback` after the messages that are queued now. Return False if the node is closed."""
        ...


class ScreenReadiness:
    """Readiness of new screens for input.

    A screen with `AUTO_FOCUS` is ready when a widget has the focus, any other screen when mounted.

    Args:
        clock: Monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ready_screens: WeakSet[Screen[Any]] = WeakSet()
        self._first_checks: WeakKeyDictionary[Screen[Any], float] = WeakKeyDictionary()

    def is_ready(self, screen: Screen[Any]) -> bool:
        """Return whether a screen is ready.

        A screen counts as ready at the latest `SCREEN_READY_TIMEOUT` seconds after the first call, and stays ready.
        """
        if screen in self._ready_screens:
            return True
        now = self._clock()
        first_check = self._first_checks.setdefault(screen, now)
        has_focus = screen.is_mounted and (screen.focused is not None or not screen.AUTO_FOCUS)
        if not has_focus and now <= first_check + SCREEN_READY_TIMEOUT:
            return False
        self._ready_screens.add(screen)
        return True


class InputSequencer:
    """Queue of undispatched input.

    Args:
        dispatch: Passes a key or paste to Textual.
        is_ready: Returns whether the target of the next key is ready.
        focus_path: Returns the nodes from the focused widget, or else the screen, up to the app.
        set_timer: Calls a function after a delay in seconds.
    """

    def __init__(
        self,
        dispatch: Callable[[QueuedInput], Awaitable[None]],
        is_ready: Callable[[], bool],
        focus_path: Callable[[], Sequence[MessageTarget]],
        set_timer: Callable[[float, Callable[[], Awaitable[None]]], Timer],
    ) -> None:
        self._dispatch = dispatch
        self._is_ready = is_ready
        self._focus_path = focus_path
        self._set_timer = set_timer
        self._pending: deque[QueuedInput] = deque()
        self._generation = 0  # identifies the current wait; callbacks of earlier waits are ignored
        self._is_waiting = False
        self._local_in_flight = False  # a local key was dispatched and may not be handled yet
        self._timeout_timer: Timer | None = None
        self._is_polling = False  # a timer checks whether the target is ready

    async def push(self, item: QueuedInput) -> None:
        """Append a key or paste, and dispatch the queue up to the first item that has to wait.

        Waiting items are dispatched later, without a further call.
        """
        self._pending.append(item)
        await self._dispatch_pending()

    def drain_pending(self) -> list[QueuedInput]:
        """Remove and return all undispatched input, oldest first; a wait for earlier effects continues."""
        drained, self._pending = list(self._pending), deque()
        return drained

    async def _dispatch_pending(self) -> None:
        """Dispatch the queue up to the first item that has to wait, and schedule the next call for the others."""
        while self._pending and not self._is_waiting:
            if not self._is_ready():
                if not self._is_polling:
                    self._is_polling = True
                    self._set_timer(READY_POLL_INTERVAL, self._on_poll)
                break
            if not self._pending:  # drained by `is_ready`
                break
            is_local = self._is_local(self._pending[0])
            if self._local_in_flight and not is_local:
                self._begin_wait()
                break
            await self._dispatch(self._pending.popleft())
            if is_local:
                self._local_in_flight = True
            else:
                self._begin_wait()
        if self._pending and self._is_waiting and self._timeout_timer is None:
            self._timeout_timer = self._set_timer(EFFECT_TIMEOUT, self._end_wait)

    async def _on_poll(self) -> None:
        self._is_polling = False
        await self._dispatch_pending()

    def _is_local(self, item: QueuedInput) -> bool:
        """Return whether an item is a text key or local key of the focused `Input` or `TextArea`; False for a paste."""
        field = self._focus_path()[0]
        if not isinstance(item, Key) or not isinstance(field, Input | TextArea):
            return False
        if typed_text(item):
            return True
        return isinstance(field, LocalKeyField) and field.is_local_key(item)

    def _begin_wait(self) -> None:
        """Wait with further input until the effects of the dispatched keys are complete."""
        self._is_waiting = True
        self._generation += 1
        path = self._focus_path()
        path[-1].call_later(self._visit_next_node, self._generation, EFFECT_ROUNDS, iter(path))

    async def _visit_next_node(self, generation: int, rounds: int, path: Iterator[MessageTarget]) -> None:
        """Enqueue this method in the next open node of the path, after all messages that the key has caused there.

        After the last node, the next pass begins with the current focus path; after the last pass, the wait ends.

        Args:
            generation: Wait of the callback, ignored unless current.
            rounds: Passes left, including this one.
            path: Nodes left in this pass.
        """
        if generation != self._generation or not self._is_waiting:
            return
        for node in path:
            if node.call_later(self._visit_next_node, generation, rounds, path):
                return
        if rounds > 1:
            await self._visit_next_node(generation, rounds - 1, iter(self._focus_path()))
        else:
            await self._end_wait()

    async def _end_wait(self) -> None:
        """End the wait and dispatch the queue."""
        self._is_waiting = self._local_in_flight = False
        if self._timeout_timer is not None:
            self._timeout_timer.stop()
            self._timeout_timer = None
        await self._dispatch_pending()
