"""Long run with churn: resident memory of the server, `make soak`.

Workers join new rooms under new names, send one message and leave. Exit code 1 if the resident memory at the end
exceeds the memory after the warm-up by more than 5 %.
"""

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Iterator

from benchmarks.servers import MeasuredServer, pin_to_load_core, run_server
from tui_chat.sdk import ChatClient

MAX_GROWTH = 1.05


async def run_worker(url: str, numbers: Iterator[int], interval: float, end: float) -> int:
    """Repeat join, message and leave until `end` (monotonic seconds); return the number of cycles.

    One connection serves 50 cycles.

    Args:
        url: Base URL of the server.
        numbers: Numbers of the rooms, shared by all workers.
        interval: Minimum duration of a cycle in seconds.
        end: End of the run; the last cycle completes.
    """
    cycles = 0
    while time.monotonic() < end:
        async with ChatClient(url) as client:
            for number in itertools.islice(numbers, 50):
                started = time.monotonic()
                room = await client.join(f"room {number}", nick=f"visitor {number}")
                await room.send(f"message {number}")
                await room.leave()
                cycles += 1
                if time.monotonic() >= end:
                    break
                await asyncio.sleep(max(0.0, interval - (time.monotonic() - started)))
    return cycles


async def sample_memory(server: MeasuredServer, end: float, warm_up_end: float) -> tuple[int, int]:
    """Print the memory every 30 s until `end`; return the bytes after the warm-up and at the end.

    The first value is 0 if no sample follows the warm-up.
    """
    after_warm_up = 0
    while (now := time.monotonic()) < end:
        await asyncio.sleep(min(30.0, end - now))
        resident = server.resident_bytes()
        if not after_warm_up and time.monotonic() >= warm_up_end:
            after_warm_up = resident
        print(f"{end - time.monotonic():6.0f} s left  {resident / 2**20:7.1f} MiB", flush=True)
    return after_warm_up, server.resident_bytes()


async def run(server: MeasuredServer, args: argparse.Namespace) -> bool:
    """Run the workers; return True if the memory is stable."""
    started = time.monotonic()
    end = started + args.minutes * 60
    numbers = itertools.count()
    interval = args.workers / args.rate
    sampling = asyncio.create_task(sample_memory(server, end, started + args.warm_up * 60))
    cycles = await asyncio.gather(*(run_worker(server.url, numbers, interval, end) for _ in range(args.workers)))
    after_warm_up, final = await sampling
    print(f"{sum(cycles)} cycles, {sum(cycles) / (args.minutes * 60):.0f} per second")
    print(f"{after_warm_up / 2**20:.1f} MiB after the warm-up, {final / 2**20:.1f} MiB at the end")
    return final <= MAX_GROWTH * after_warm_up


def main() -> int:
    """Run the benchmark and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--warm-up", type=float, default=5, help="minutes before the first measured value")
    parser.add_argument("--workers", type=int, default=60)
    parser.add_argument("--rate", type=float, default=300, help="cycles per second of all workers")
    args = parser.parse_args()
    pin_to_load_core()
    with run_server("chat-server") as server:
        return 0 if asyncio.run(run(server, args)) else 1


if __name__ == "__main__":
    sys.exit(main())
