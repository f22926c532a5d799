"""What is measured of a program: each function takes it from its start to its end."""

import statistics
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from benchmarks.terminal.contenders import Contender
from benchmarks.terminal.feeds import ChatFeed, Feed
from benchmarks.terminal.program import PATIENCE, Echo, Program

KEYS = tuple(bytes([letter]) for letter in b"QWZXJYVBGP")
"""What the talk and the programs never write by themselves."""

LAST = "QXZQXZQX"
"""Says the last line of a flood; no cell of it is like another line's, so that all of it is written."""

PAGE_UP, PAGE_DOWN, TOP = b"\x1b[5~", b"\x1b[6~", b"\x1b[1;3H"
QUIET = 0.06
"""Seconds without output after which a key has had its effect."""

BETWEEN_KEYS = 0.15


@dataclass(frozen=True, slots=True)
class Spread:
    """What several measurements of the same have in common."""

    median: float
    p95: float
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of these values, at least one."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], ordered[-1])


@dataclass(frozen=True, slots=True)
class Echoes:
    """From key to echo, several times.

    Attributes:
        took: Seconds.
        cpu: CPU seconds of the program.
    """

    took: Spread
    cpu: Spread

    @classmethod
    def of(cls, echoes: Sequence[Echo]) -> "Echoes":
        """Of these, at least one."""
        return cls(Spread.of([each.took for each in echoes]), Spread.of([each.cpu for each in echoes]))


@dataclass(frozen=True, slots=True)
class Flood:
    """How a program stood a flood.

    Attributes:
        per_second: Lines a second, from the first given to the last shown.
        cpu: CPU seconds a line.
        frames: Times a second that the screen was written.
        silence: The longest time in seconds that nothing was.
        echo: From key to echo meanwhile.
    """

    per_second: float
    cpu: float
    frames: float
    silence: float
    echo: Echoes


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a long talk costs.

    Attributes:
        page: CPU seconds of a page up or down.
        echo: From key to echo.
        resident: MiB.
    """

    page: Spread
    echo: Echoes
    resident: float


def first_screen(contender: Contender, home: Path) -> tuple[float, list[Echo]]:
    """Seconds until the first screen is there, and from key to echo on it."""
    with contender.blank(home) as program:
        first = program.until(contender.blank_shows) - program.started
        program.settle()
        return first, [_echo(program, key) for key in KEYS]


def echo(contender: Contender, home: Path, rate: float | None = None, seconds: float = 3.0) -> list[Echo]:
    """From key to echo in a room, while so many lines a second are said in it."""
    with _in_room(contender, home) as (program, feed):
        if rate is None:
            return [_echo(program, key) for key in KEYS]
        saying = feed.flood(round(rate * seconds), rate=rate)
        _read_for(program, 0.5)
        values: list[Echo] = []
        pauses = Random(1)
        while saying.is_alive():
            # The lines come every so often too: in step with them each key would fall into the same moment.
            _read_for(program, BETWEEN_KEYS * pauses.uniform(0.5, 1.5))
            values.append(program.echo(KEYS[len(values) % len(KEYS)]))
        return values


def flood(contender: Contender, home: Path, lines: int) -> Flood:
    """Say so many lines as fast as they are read, and type meanwhile."""
    with _in_room(contender, home) as (program, feed):
        feed.flood(lines, last=LAST)  # it has made everything ready when it returns
        used, begun = program.cpu(), time.perf_counter()
        moments, echoes = [begun], list[Echo]()
        pressed, before, key, due = 0.0, 0.0, b"", begun + BETWEEN_KEYS
        seen = b""
        while LAST.encode() not in seen:
            text = program.read(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            if text is not None:
                moments.append(now)
                seen = seen[-4096:] + text
                if pressed and key in text:
                    echoes.append(Echo(now - pressed, program.cpu() - before))
                    pressed, due = 0.0, now + BETWEEN_KEYS
            if not pressed and now >= due:
                key = KEYS[len(echoes) % len(KEYS)]
                before, pressed, due = program.cpu(), program.type(key), now + 60
            if now - begun > 300:
                raise TimeoutError(f"{contender.name} does not come to the end of the flood")
        took = moments[-1] - begun
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        frames = sum(gap > 0.002 for gap in gaps)  # what follows sooner is the rest of the same screen
        return Flood(lines / took, (program.cpu() - used) / lines, frames / took, max(gaps), Echoes.of(echoes))


def loaded(contender: Contender, home: Path, lines: int, pages: int) -> Loaded:
    """Have so many lines in memory, and look through them by page."""
    with _in_room(contender, home, lines) as (program, feed):
        if isinstance(feed, ChatFeed):
            while feed.oldest > 1:
                program.type(TOP)
                _read_for(program, 0.06)
            program.settle()
            directions = [PAGE_DOWN] * (pages // 2) + [PAGE_UP] * (pages // 2)
        else:
            feed.flood(lines, last=LAST)
            program.until(LAST.encode(), 300)
            directions = [PAGE_UP] * (pages // 2) + [PAGE_DOWN] * (pages // 2)
        program.settle(1.0)
        costs = [_cost(program, lambda keys=keys: program.type(keys)) for keys in directions]
        echoes = [_echo(program, key) for key in KEYS]
        return Loaded(Spread.of(costs), Echoes.of(echoes), program.resident())


@contextmanager
def _in_room(contender: Contender, home: Path, history: int = 0) -> Generator[tuple[Program, Feed]]:
    assert contender.seated is not None
    feed: Feed = contender.feed(history)
    with contender.seated(home, feed.port) as program:
        patience = time.perf_counter() + PATIENCE
        while not feed.joined.is_set():
            program.read(0.05)  # nobody goes on whose screen nobody takes
            if time.perf_counter() > patience:
                raise TimeoutError(f"{contender.name} did not come into the room")
        program.settle(1.5)  # past what is done a second after the start
        if contender.enters:
            program.type(contender.enters)
            program.settle()
        yield program, feed


def _echo(program: Program, key: bytes) -> Echo:
    took = program.echo(key)
    program.settle(QUIET)
    return took


def _cost(program: Program, do: Callable[[], object]) -> float:
    before = program.cpu()
    do()
    program.settle(QUIET)
    return program.cpu() - before


def _read_for(program: Program, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        program.read(left)
