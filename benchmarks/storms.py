"""Event loop lag during join and leave storms in one large room.

python -m benchmarks.storms --members 5000
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import uvloop

from benchmarks.capacity import fetch_metrics
from benchmarks.load import LoadClient, LoadCounters, connect_client
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


class PhaseRecorder:
    """Recorder of storm phases on one server."""

    def __init__(self, server: MeasuredServer, counters: LoadCounters) -> None:
        self._server = server
        self._counters = counters
        self.phases: list[StormPhase] = []

    async def measure_phase(self, name: str, work: "Callable[[], asyncio.Future[None]]") -> None:
        """Run `work`, wait until the server is idle, and record the phase."""
        counts_before, cpu_before, start_time = (
            await self._fetch_lag_buckets(),
            self._server.cpu_seconds(),
            time.perf_counter(),
        )
        self._counters.delivered = 0
        await work()
        cpu_now = self._server.cpu_seconds()
        while True:
            await asyncio.sleep(0.5)
            cpu_now, cpu_previous = self._server.cpu_seconds(), cpu_now
            if cpu_now - cpu_previous < 0.03:
                break
        counts_after = await self._fetch_lag_buckets()
        total = counts_after[-1] - counts_before[-1]
        lag_counts = [
            int(total - (counts_after[index] - counts_before[index])) for index in range(len(LAG_BUCKETS) - 1)
        ]
        phase = StormPhase(
            name,
            time.perf_counter() - start_time,
            self._server.cpu_seconds() - cpu_before,
            self._counters.delivered,
            lag_counts,
        )
        self.phases.append(phase)
        print({key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(phase).items()})

    async def _fetch_lag_buckets(self) -> list[float]:
        metrics = await fetch_metrics(self._server.url)
        return [metrics[f"event_loop_lag_seconds_bucket{bound}"] for bound in LAG_BUCKETS]


async def run(server: MeasuredServer, args: argparse.Namespace) -> None:
    """Run the three phases join, send and leave."""
    counters = LoadCounters()
    clients: list[LoadClient] = []
    recorder = PhaseRecorder(server, counters)

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
        await recorder.measure_phase(name, lambda work=work: asyncio.ensure_future(work()))


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
