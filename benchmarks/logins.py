"""Delivery latency of a large room with and without logins, in alternating phases of one run.

python -m benchmarks.logins --members 1000 --logins 5
"""

import argparse
import asyncio
import os
from collections import Counter
from dataclasses import dataclass

import uvloop
from aiohttp import ClientSession

from benchmarks.load import LoadClient, LoadCounters, connect_client, print_measurements
from benchmarks.servers import MeasuredServer, pin_to_load_core, run_server

PROBE_SHARE = 20  # one client of this number decodes messages and measures latencies
CREDENTIALS = {"account": "ann", "password": "correct horse"}


@dataclass(frozen=True, slots=True)
class LoginPhase:
    """Measurements of the phases with or without logins.

    Attributes:
        name: `idle` or `logins`.
        logins: Successful logins.
        delivered: Messages received by all clients.
        cpu_seconds: Server CPU time in seconds.
        median_ms: Median delivery latency in milliseconds.
        p99_ms: 99th percentile of the delivery latency in milliseconds.
    """

    name: str
    logins: int
    delivered: int
    cpu_seconds: float
    median_ms: float
    p99_ms: float


async def send_messages(clients: list[LoadClient], rate: int, seconds: float) -> None:
    """Send messages of 64 bytes from the clients in turn."""
    for number in range(round(seconds * rate)):
        clients[number % len(clients)].send_message("hall", "m", 64)
        await asyncio.sleep(1 / rate)


async def log_in_repeatedly(session: ClientSession, url: str, rate: float, counts: Counter[str]) -> None:
    """Start logins at a fixed rate until the task is cancelled; count the successful ones."""

    async def log_in() -> None:
        async with session.post(f"{url}/api/sessions", json=CREDENTIALS) as response:
            counts["logins"] += response.status == 200

    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(log_in())
            await asyncio.sleep(1 / rate)


async def run(server: MeasuredServer, args: argparse.Namespace) -> None:
    """Run the phases, and print the pooled measurements and the ratio of the percentiles."""
    counters = LoadCounters()
    clients = [
        await connect_client(server.url, counters, "hall", f"m{number}", is_probe=number % PROBE_SHARE == 0)
        for number in range(args.members)
    ]
    probes = clients[::PROBE_SHARE]
    latencies: dict[str, list[float]] = {"idle": [], "logins": []}
    delivered, logins = Counter[str](), Counter[str]()
    cpu_seconds = {"idle": 0.0, "logins": 0.0}
    async with ClientSession() as session:
        async with session.post(f"{server.url}/api/accounts", json=CREDENTIALS) as response:
            response.raise_for_status()
        await send_messages(probes, args.rate, 2.0)  # warm-up
        for phase in ("idle", "logins") * args.phases:
            counters.start_interval()
            cpu_before = server.cpu_seconds()
            login_task = (
                asyncio.create_task(log_in_repeatedly(session, server.url, args.logins, logins))
                if phase == "logins"
                else None
            )
            await send_messages(probes, args.rate, args.seconds)
            if login_task is not None:
                login_task.cancel()
                await asyncio.wait({login_task})
            await asyncio.sleep(0.5)
            latencies[phase] += counters.latencies
            delivered[phase] += counters.delivered
            cpu_seconds[phase] += server.cpu_seconds() - cpu_before
    p99 = dict[str, float]()
    for phase, values in latencies.items():
        pooled = LoadCounters(latencies=values)
        median, p99[phase] = pooled.latency_percentiles()
        print_measurements(LoginPhase(phase, logins[phase], delivered[phase], cpu_seconds[phase], median, p99[phase]))
    print(f"p99 with logins / without: {p99['logins'] / p99['idle']:.2f}")


def main() -> None:
    """Parse the command line and run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1000, help="members of the room")
    parser.add_argument("--rate", type=int, default=10, help="messages per second")
    parser.add_argument("--logins", type=float, default=5, help="logins per second")
    parser.add_argument("--seconds", type=float, default=10, help="duration of a phase")
    parser.add_argument("--phases", type=int, default=4, help="number of phases of each kind")
    args = parser.parse_args()
    os.environ["CHAT_REGISTRATION"] = "open"
    pin_to_load_core()
    with run_server("chat-server") as server:
        uvloop.run(run(server, args))


if __name__ == "__main__":
    main()
