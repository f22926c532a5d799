"""Capacity of one server: many connections, a constant message rate, and stalled readers.

    python -m benchmarks.capacity --connections 10000 --rate 500 --seconds 600

Prints client-side and server-side measurements once per interval (`--every`).
"""

import argparse
import asyncio
import random
import time
from dataclasses import dataclass

import aiohttp
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load import LoadClient, LoadCounters, connect_client, print_measurements
from benchmarks.servers import MeasuredServer, pin_to_load_core, run_server

PROBE_INTERVAL = 50
"""Connections per probe. A probe is a client that measures latency and order."""


@dataclass(frozen=True, slots=True)
class IntervalStats:
    """Measurements of one interval.

    Attributes:
        elapsed_seconds: Seconds since the start of the load.
        delivered: Messages received by all clients.
        p50, p99: Milliseconds from send to arrival.
        kib_per_connection: Additional resident memory in KiB, divided by the connections.
        cpu_share: Server CPU as a share of one core.
        lag_over_50_ms: Event loop lags above 50 ms in the interval.
        aborted_connections: Connections aborted by the server since the start.
        lost_connections: Connections lost by the clients since the start.
        out_of_order: Gaps in the `seq` of probes since the start.
    """

    elapsed_seconds: int
    delivered: int
    p50: float
    p99: float
    kib_per_connection: float
    cpu_share: float
    lag_over_50_ms: int
    aborted_connections: int
    lost_connections: int
    out_of_order: int


async def fetch_metrics(url: str) -> dict[str, float]:
    """Return the samples of `/metrics` by name followed directly by the label values, for example `..._bucket0.05`."""
    async with aiohttp.ClientSession() as session, session.get(url + "/metrics") as response:
        text = await response.text()
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def count_lag_over_50_ms(metrics: dict[str, float]) -> int:
    """Return the number of event loop lags above 50 ms since the start."""
    return int(metrics["chat_event_loop_lag_seconds_bucket+Inf"] - metrics["chat_event_loop_lag_seconds_bucket0.05"])


async def run(server: MeasuredServer, args: argparse.Namespace) -> None:
    """Connect all clients, send messages at a constant rate, and print the measurements of each interval.

    The last interval may be shorter.
    """
    counters, rng = LoadCounters(), random.Random(1)
    idle_bytes = server.resident_bytes()
    members: list[tuple[LoadClient, str]] = []
    for number in range(args.connections):
        room = f"room {number // args.room}"
        member = await connect_client(server.url, counters, room, f"m{number}", is_probe=number % PROBE_INTERVAL == 0)
        members.append((member, room))
    await asyncio.sleep(2)
    stalled = rng.sample(range(args.connections), int(args.connections * args.stalled))
    for number in stalled:
        members[number][0].stop_reading()
    senders = [pair for number, pair in enumerate(members) if number not in set(stalled)]
    start_time = time.perf_counter()
    sent = 0
    previous_lag_count = count_lag_over_50_ms(await fetch_metrics(server.url))
    while (elapsed := time.perf_counter() - start_time) < args.seconds:
        counters.start_interval()
        cpu_before, interval_start = server.cpu_seconds(), time.perf_counter()
        interval_end = min(elapsed + args.every, args.seconds)
        while (elapsed := time.perf_counter() - start_time) < interval_end:
            for _ in range(int(elapsed * args.rate) - sent):
                sent += 1
                member, room = rng.choice(senders)
                member.send_message(room, "m", 64)
            await asyncio.sleep(0.005)
        metrics = await fetch_metrics(server.url)
        p50, p99 = counters.latency_percentiles()
        lag_count = count_lag_over_50_ms(metrics)
        interval = IntervalStats(
            elapsed_seconds=round(elapsed),
            delivered=counters.delivered,
            p50=p50,
            p99=p99,
            kib_per_connection=(server.resident_bytes() - idle_bytes) / args.connections / 1024,
            cpu_share=(server.cpu_seconds() - cpu_before) / (time.perf_counter() - interval_start),
            lag_over_50_ms=lag_count - previous_lag_count,
            aborted_connections=int(
                sum(value for name, value in metrics.items() if name.startswith("chat_connections_aborted_total"))
            ),
            lost_connections=counters.lost_connections,
            out_of_order=counters.out_of_order,
        )
        previous_lag_count = lag_count
        print_measurements(interval)
    for member, _ in members:
        member.close()


def main() -> None:
    """Parse the command line and run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000, help="number of clients")
    parser.add_argument("--room", type=int, default=50, help="members per room")
    parser.add_argument("--rate", type=int, default=500, help="messages per second")
    parser.add_argument("--seconds", type=float, default=600, help="duration of the load")
    parser.add_argument("--every", type=float, default=60, help="seconds per interval")
    parser.add_argument("--stalled", type=float, default=0.01, help="share of clients that stop reading")
    args = parser.parse_args()
    pin_to_load_core()
    with run_server("chat-server") as server:
        uvloop.run(run(server, args))


if __name__ == "__main__":
    main()
