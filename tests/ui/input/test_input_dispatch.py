"""Order of keys in the input sequencer, without an app."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

from textual.events import Key
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from tui_chat.ui.input.input_sequencer import (
    EFFECT_ROUNDS,
    EFFECT_TIMEOUT,
    READY_POLL_INTERVAL,
    SCREEN_READY_TIMEOUT,
    InputSequencer,
    MessageTarget,
    QueuedInput,
    ScreenReadiness,
)


class QueueNode:
    """Node with a message queue that the test empties."""

    def __init__(self) -> None:
        self.queue: deque[Callable[[], Awaitable[None]]] = deque()

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool:
        self.queue.append(lambda: callback(*args))
        return True


class LaterInput(Input):
    """Focused field with the queue of a `QueueNode`."""

    def __init__(self) -> None:
        super().__init__()
        self.node = QueueNode()

    def call_later(self, callback: Callable[..., Any], *args: Any, **_: Any) -> bool:
        return self.node.call_later(callback, *args)


class SequencerBench:
    """Input sequencer with recorded keys and timers."""

    def __init__(self, focused: MessageTarget) -> None:
        self.app = QueueNode()
        self.is_ready = True
        self.dispatched: list[str] = []
        self.timers: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        self.sequencer = InputSequencer(self.dispatch, lambda: self.is_ready, lambda: [focused, self.app], self.timer)

    async def dispatch(self, item: QueuedInput) -> None:
        assert isinstance(item, Key)
        self.dispatched.append(item.key)

    def timer(self, delay: float, callback: Callable[[], Awaitable[None]]) -> Timer:
        self.timers.append((delay, callback))
        return Timer(cast("Any", self), delay)

    async def push(self, *keys: str) -> None:
        for key in keys:
            await self.sequencer.push(Key(key, key if len(key) == 1 else None))


async def test_a_key_waits_for_all_nodes_in_all_rounds() -> None:
    focused = QueueNode()
    bench = SequencerBench(focused)
    await bench.push("f1", "f2")
    assert bench.dispatched == ["f1"]
    await bench.app.queue.popleft()()
    for _ in range(EFFECT_ROUNDS):
        assert bench.dispatched == ["f1"]
        await focused.queue.popleft()()
        await bench.app.queue.popleft()()
    assert bench.dispatched == ["f1", "f2"]


async def test_printable_keys_of_a_field_do_not_wait_for_each_other() -> None:
    field = LaterInput()
    bench = SequencerBench(field)
    await bench.push("a", "b", "f1", "c")
    assert bench.dispatched == ["a", "b"]
    assert len(bench.app.queue) == 1


async def test_a_key_is_dispatched_after_the_timeout_at_the_latest() -> None:
    bench = SequencerBench(QueueNode())
    await bench.push("f1", "f2")
    [(delay, on_timeout)] = bench.timers
    assert delay == EFFECT_TIMEOUT
    await on_timeout()
    assert bench.dispatched == ["f1", "f2"]


async def test_keys_wait_for_a_ready_target() -> None:
    bench = SequencerBench(QueueNode())
    bench.is_ready = False
    await bench.push("f1")
    [(delay, retry)] = bench.timers
    assert delay == READY_POLL_INTERVAL
    bench.is_ready = True
    await retry()
    assert bench.dispatched == ["f1"]


async def test_waiting_keys_share_one_timer() -> None:
    bench = SequencerBench(LaterInput())
    bench.is_ready = False
    await bench.push("a", "b", "c")
    assert len(bench.timers) == 1
    await bench.timers[0][1]()
    assert len(bench.timers) == 2
    bench.is_ready = True
    await bench.timers[1][1]()
    assert bench.dispatched == ["a", "b", "c"]


async def test_drained_keys_are_not_dispatched() -> None:
    bench = SequencerBench(QueueNode())
    bench.is_ready = False
    await bench.push("f1", "f2")
    assert [item.key for item in bench.sequencer.drain_pending() if isinstance(item, Key)] == ["f1", "f2"]
    bench.is_ready = True
    for _, retry in bench.timers:
        await retry()
    assert bench.dispatched == []


def test_a_screen_waits_independently_of_a_closed_one() -> None:
    now = 100.0
    readiness = ScreenReadiness(lambda: now)
    closed: Screen[None] = Screen()
    assert not readiness.is_ready(closed)
    now += SCREEN_READY_TIMEOUT + 0.1
    assert not readiness.is_ready(Screen[None]())


def test_a_screen_without_focus_is_ready_after_the_timeout() -> None:
    now = 100.0
    readiness = ScreenReadiness(lambda: now)
    screen: Screen[None] = Screen()
    assert not readiness.is_ready(screen)
    now += SCREEN_READY_TIMEOUT + 0.1
    assert readiness.is_ready(screen)
    assert readiness.is_ready(screen)
