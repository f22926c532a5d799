"""Event loop lag during join and leave storms in one large room.

python -m benchmarks.storms --members 5000
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop

from benchmarks.capacity import fetch_metrics
from benchmarks.load import LoadClient, LoadCounters, connect_client, print_measurements
from benchmarks.servers import MeasuredServer, pin_to_load_core, run_server

LAG_BUCKETS = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "+Inf")


@dataclass(frozen=True, slots=True)
class StormPhase:
    """Measurements of one phase.

    Attributes:
        name: Name of the phase.
        seconds: Duration until the server is idle.
        cpu_seconds: Server CPU time in seconds.
        delivered: Messages received by all clients.
        lag_counts: Event loop lags above 10, 25, 50, 100, 250, 500 and 1000 ms.
    """

    name: str
    seconds: float
    cpu_seconds: float
    delivered: int
    lag_counts: list[int]


async def measure_phase(
    server: MeasuredServer, counters: LoadCounters, name: str, work: Callable[[], Awaitable[None]]
) -> StormPhase:
    """Run `work`, wait until the server is idle, and return the measurements."""
    counts_before = await _fetch_lag_buckets(server)
    cpu_before, start_time = server.cpu_seconds(), time.perf_counter()
    counters.start_interval()
    await work()
    cpu_previous = 0.0
    while (cpu_now := server.cpu_seconds()) - cpu_previous >= 0.03:
        cpu_previous = cpu_now
        await asyncio.sleep(0.5)
    counts_after = await _fetch_lag_buckets(server)
    new_counts = [after - before for after, before in zip(counts_after, counts_before, strict=True)]
    return StormPhase(
        name,
        time.perf_counter() - start_time,
        server.cpu_seconds() - cpu_before,
        counters.delivered,
        [int(new_counts[-1] - count) for count in new_counts[:-1]],
    )


async def _fetch_lag_buckets(server: MeasuredServer) -> list[float]:
    metrics = await fetch_metrics(server.url)
    return [metrics[f"chat_event_loop_lag_seconds_bucket{bound}"] for bound in LAG_BUCKETS]


async def run(server: MeasuredServer, args: argparse.Namespace) -> None:
    """Run the three phases join, send and leave, and print each one."""
    counters = LoadCounters()
    clients: list[LoadClient] = []

    async def join_all() -> None:
        clients.extend(
            await asyncio.gather(
                *[connect_client(server.url, counters, "hall", f"m{number}") for number in range(args.members)]
            )
        )

    async def send_messages() -> None:
        for number in range(args.seconds * args.rate):
            clients[number % len(clients)].send_message("hall", "m", 64)
            await asyncio.sleep(1 / args.rate)

    async def leave_all() -> None:
        for client in clients:
            client.close()

    for name, work in (("join", join_all), ("send", send_messages), ("leave", leave_all)):
        print_measurements(await measure_phase(server, counters, name, work))


def main() -> None:
    """Parse the command line and run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=5000, help="members of the room")
    parser.add_argument("--rate", type=int, default=20, help="messages per second")
    parser.add_argument("--seconds", type=int, default=10, help="duration of the send phase")
    args = parser.parse_args()
    pin_to_load_core()
    with run_server("chat-server") as server:
        uvloop.run(run(server, args))


if __name__ == "__main__":
    main()
