"""Measurements of one terminal program, each from its start to its exit."""

import statistics
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from benchmarks.terminal.competitors import COLLECTIONS_FILE, Competitor
from benchmarks.terminal.program import TIMEOUT, EchoSample, TerminalProgram
from benchmarks.terminal.traffic import ChatTrafficServer, TrafficServer

PROBE_KEYS = tuple(bytes([letter]) for letter in b"QWZXJYVBGP")
"""Keys that occur neither in the traffic nor in the programs' own output."""

END_MARKER = "QXZQXZQX"
"""Final text of a flood; all its cells differ from other lines, so that incremental redraws write them."""

PAGE_UP, PAGE_DOWN, TOP = b"\x1b[5~", b"\x1b[6~", b"\x1b[1;3H"
QUIET_PERIOD = 0.06
"""Seconds without output after which the effect of a key is complete."""

IMAGE_LOAD_PERIOD = 4.0
"""Seconds without output after which the images of a page are loaded."""

KEY_INTERVAL = 0.15


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Median, 95th percentile and maximum of several measurements."""

    median: float
    p95: float
    maximum: float

    @classmethod
    def from_values(cls, values: Sequence[float]) -> "Percentiles":
        """Return the percentiles of a non-empty sequence."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], ordered[-1])


@dataclass(frozen=True, slots=True)
class EchoStats:
    """Statistics of key echoes.

    Attributes:
        latency: Seconds from key to echo.
        cpu: CPU seconds of the program per key.
    """

    latency: Percentiles
    cpu: Percentiles

    @classmethod
    def from_samples(cls, samples: Sequence[EchoSample]) -> "EchoStats":
        """Return the statistics of a non-empty sequence."""
        return cls(
            Percentiles.from_values([sample.latency for sample in samples]),
            Percentiles.from_values([sample.cpu for sample in samples]),
        )


@dataclass(frozen=True, slots=True)
class FloodStats:
    """Measurements of a flood.

    Attributes:
        lines_per_second: Throughput from the first sent to the last shown line.
        cpu_per_line: CPU seconds per line.
        frames_per_second: Screen updates per second.
        longest_gap: Longest interval between two updates in seconds.
        echo: Key echoes during the flood.
    """

    lines_per_second: float
    cpu_per_line: float
    frames_per_second: float
    longest_gap: float
    echo: EchoStats


@dataclass(frozen=True, slots=True)
class LoadedStats:
    """Measurements with many messages in memory.

    Attributes:
        page_cpu: CPU seconds per page up or page down.
        collected_share: Share of the pages with a garbage collection, None for a program without a count.
        echo: Key echoes.
        resident_mib: Resident memory in MiB.
    """

    page_cpu: Percentiles
    collected_share: float | None
    echo: EchoStats
    resident_mib: float


@dataclass(frozen=True, slots=True)
class ImageStats:
    """CPU seconds per page up or page down.

    Attributes:
        text: Pages of text.
        loaded: Pages of loaded images.
        first: Pages of images during their load, without the child process that decodes.
    """

    text: Percentiles
    loaded: Percentiles
    first: Percentiles


def measure_first_screen(competitor: Competitor, home: Path) -> tuple[float, list[EchoSample]]:
    """Return the seconds to the first screen, and key echoes on this screen."""
    with competitor.start_blank(home) as program:
        first_screen_time = program.wait_for_output(competitor.ready_text) - program.start_time
        program.wait_until_quiet()
        return first_screen_time, [_measure_key(program, key) for key in PROBE_KEYS]


def measure_echo(
    competitor: Competitor, home: Path, rate: float | None = None, seconds: float = 3.0
) -> list[EchoSample]:
    """Return key echoes in a room with `rate` lines per second for `seconds`, or in an idle room for None."""
    with _start_in_room(competitor, home) as (program, server):
        if rate is None:
            return [_measure_key(program, key) for key in PROBE_KEYS]
        sender = server.send_lines(round(rate * seconds), rate=rate)
        _read_for(program, 0.5)
        samples: list[EchoSample] = []
        rng = Random(1)
        while sender.is_alive():
            # Random intervals, so that keys do not synchronise with the constant line rate.
            _read_for(program, KEY_INTERVAL * rng.uniform(0.5, 1.5))
            samples.append(program.measure_echo(PROBE_KEYS[len(samples) % len(PROBE_KEYS)]))
        return samples


def measure_flood(competitor: Competitor, home: Path, lines: int) -> FloodStats:
    """Send `lines` at maximum speed and measure key echoes during the flood."""
    with _start_in_room(competitor, home) as (program, server):
        server.send_lines(lines, last_text=END_MARKER)  # all lines are encoded on return
        cpu_before, start_time = program.cpu_seconds(), time.perf_counter()
        output_times, echoes = [start_time], list[EchoSample]()
        pressed_at, key_cpu_before, key, next_key_at = 0.0, 0.0, b"", start_time + KEY_INTERVAL
        received = b""
        while END_MARKER.encode() not in received:
            text = program.read(max(0.0, next_key_at - time.perf_counter()))
            now = time.perf_counter()
            if text is not None:
                output_times.append(now)
                received = received[-4096:] + text
                if pressed_at and key in text:
                    echoes.append(EchoSample(now - pressed_at, program.cpu_seconds() - key_cpu_before))
                    pressed_at, next_key_at = 0.0, now + KEY_INTERVAL
            if not pressed_at and now >= next_key_at:
                key = PROBE_KEYS[len(echoes) % len(PROBE_KEYS)]
                key_cpu_before, pressed_at, next_key_at = program.cpu_seconds(), program.write_keys(key), now + 60
            if now - start_time > 300:
                raise TimeoutError(f"{competitor.name} did not show the end of the flood within 300 seconds")
        elapsed = output_times[-1] - start_time
        gaps = [later - earlier for earlier, later in pairwise(output_times)]
        frame_count = sum(gap > 0.002 for gap in gaps)  # shorter gaps are within one frame
        return FloodStats(
            lines / elapsed,
            (program.cpu_seconds() - cpu_before) / lines,
            frame_count / elapsed,
            max(gaps),
            EchoStats.from_samples(echoes),
        )


def measure_loaded(competitor: Competitor, home: Path, lines: int, pages: int) -> LoadedStats:
    """Load `lines` messages into memory, then measure `pages` scrolled pages, key echoes and memory."""
    with _start_in_room(competitor, home, lines) as (program, server):
        if isinstance(server, ChatTrafficServer):
            while server.oldest > 1:
                program.write_keys(TOP)
                _read_for(program, 0.06)
            program.wait_until_quiet()
            page_keys = [PAGE_DOWN] * (pages // 2) + [PAGE_UP] * (pages // 2)
        else:
            server.send_lines(lines, last_text=END_MARKER)
            program.wait_for_output(END_MARKER.encode(), 300)
            page_keys = [PAGE_UP] * (pages // 2) + [PAGE_DOWN] * (pages // 2)
        program.wait_until_quiet(1.0)
        costs, counts = list[float](), [_count_collections(home)]
        for keys in page_keys:
            costs.append(_measure_cpu(program, lambda keys=keys: program.write_keys(keys)))
            counts.append(_count_collections(home))
        collected_share = None if counts[0] is None else sum(a != b for a, b in pairwise(counts)) / len(page_keys)
        echoes = EchoStats.from_samples([_measure_key(program, key) for key in PROBE_KEYS])
        return LoadedStats(Percentiles.from_values(costs), collected_share, echoes, program.resident_mib())


def measure_images(competitor: Competitor, home: Path, answers: bytes, pages: int) -> ImageStats:
    """Measure `pages` scrolled pages each of text, of images during their load, and of loaded images.

    Args:
        competitor: Program that shows images.
        home: Home directory of the program.
        answers: Answers of the terminal to the requests of its graphics.
        pages: Number of pages, even.
    """
    server = ChatTrafficServer(history=1_000, images=3 * pages)
    with _start_in_room(competitor, home, server=server) as (program, _):
        program.write_keys(answers)
        program.wait_until_quiet(1.5)

        def scroll(key: bytes, quiet_period: float = 0.5) -> list[float]:
            return [_measure_cpu(program, lambda: program.write_keys(key), quiet_period) for _ in range(pages // 2)]

        start = program.bytes_read
        first = scroll(PAGE_UP, IMAGE_LOAD_PERIOD)
        image_bytes = program.bytes_read - start
        scroll(PAGE_DOWN)
        loaded = scroll(PAGE_UP) + scroll(PAGE_DOWN)
        for _ in range(2 * pages):
            program.write_keys(PAGE_UP)
            program.wait_until_quiet()
        scroll(PAGE_UP)  # loads the history
        start = program.bytes_read
        text = scroll(PAGE_DOWN) + scroll(PAGE_UP)
        if image_bytes < program.bytes_read - start:
            raise RuntimeError(f"the images were not loaded in time ({image_bytes:,} bytes)")
        return ImageStats(*map(Percentiles.from_values, (text, loaded, first)))


@contextmanager
def _start_in_room(
    competitor: Competitor, home: Path, history: int = 0, *, server: TrafficServer | None = None
) -> Generator[tuple[TerminalProgram, TrafficServer]]:
    """Run a program in the room of a traffic server within the block, after the end of its startup work."""
    assert competitor.start_in_room is not None
    server = server or competitor.create_server(history)
    with competitor.start_in_room(home, server.port) as program:
        deadline = time.perf_counter() + TIMEOUT
        while not server.joined.is_set():
            program.read(0.05)  # an unread terminal blocks the program
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{competitor.name} did not join the room within {TIMEOUT:.0f} seconds")
        program.wait_until_quiet(1.5)  # includes deferred startup work after one second
        if competitor.show_room_keys:
            program.write_keys(competitor.show_room_keys)
            program.wait_until_quiet()
        yield program, server


def _count_collections(home: Path) -> int | None:
    """Return the number of garbage collections so far, None for a program without a count."""
    count_file = home / COLLECTIONS_FILE
    return count_file.stat().st_size if count_file.exists() else None


def _measure_key(program: TerminalProgram, key: bytes) -> EchoSample:
    sample = program.measure_echo(key)
    program.wait_until_quiet(QUIET_PERIOD)
    return sample


def _measure_cpu(program: TerminalProgram, action: Callable[[], object], quiet_period: float = QUIET_PERIOD) -> float:
    """Return the CPU seconds of an action and of its effects."""
    cpu_before = program.cpu_seconds()
    action()
    program.wait_until_quiet(quiet_period)
    return program.cpu_seconds() - cpu_before


def _read_for(program: TerminalProgram, seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while (remaining := deadline - time.perf_counter()) > 0:
        program.read(remaining)
