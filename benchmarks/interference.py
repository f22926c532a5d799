"""Delivery latency of a large room with and without a concurrent activity, in alternating phases of one run.

    python -m benchmarks.interference logins --members 1000
    python -m benchmarks.interference uploads --members 1000

`logins` logs in five times per second. `uploads` sends one file of 25 MiB after the other over a link of limited rate,
and reports the growth of the server's memory.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import uvloop
from aiohttp import ClientSession

from benchmarks.load import LoadClient, LoadCounters, connect_client, print_measurements
from benchmarks.servers import MeasuredServer, pin_to_load_core, run_server

PROBE_INTERVAL = 20  # clients per probe, which decodes messages and measures latencies
CREDENTIALS = {"account": "ann", "password": "correct horse"}
LOGINS_PER_SECOND = 5
UPLOAD_BYTES = 25 * 2**20
UPLOAD_CHUNK = 256 * 1024
MEMORY_INTERVAL = 0.02
WARM_UP_SECONDS = 1.0  # at the start of a phase; messages after a pause of the load take twice the time

Activity = Callable[[ClientSession, str, argparse.Namespace, Counter[str]], Awaitable[None]]
"""Activity that repeats until its task is cancelled, and counts its completed requests in `completed`."""


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """Measurements of the phases with or without the activity.

    Attributes:
        name: `idle` or the name of the activity.
        completed: Successful requests of the activity.
        delivered: Messages received by all clients.
        cpu_seconds: Server CPU time in seconds.
        median_ms: Median delivery latency in milliseconds.
        p99_ms: 99th percentile of the delivery latency in milliseconds.
    """

    name: str
    completed: int
    delivered: int
    cpu_seconds: float
    median_ms: float
    p99_ms: float


async def log_in_repeatedly(
    session: ClientSession, _token: str, _args: argparse.Namespace, counts: Counter[str]
) -> None:
    """Start logins at a fixed rate until the task is cancelled."""

    async def log_in() -> None:
        async with session.post("/api/sessions", json=CREDENTIALS) as response:
            counts["completed"] += response.status == 200

    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(log_in())
            await asyncio.sleep(1 / LOGINS_PER_SECOND)


async def upload_repeatedly(session: ClientSession, token: str, args: argparse.Namespace, counts: Counter[str]) -> None:
    """Upload one file after the other until the task is cancelled."""
    chunk = os.urandom(UPLOAD_CHUNK)

    async def read_chunks() -> AsyncGenerator[bytes]:
        started = time.monotonic()
        for sent in range(0, UPLOAD_BYTES, UPLOAD_CHUNK):
            await asyncio.sleep(max(0.0, started + sent * 8 / (args.megabits * 1e6) - time.monotonic()))
            yield chunk

    headers = {"Authorization": f"Bearer {token}"}
    while True:
        request = session.post("/api/uploads?room=hall&name=data.bin", data=read_chunks(), headers=headers)
        async with request as response:
            response.raise_for_status()
            counts["completed"] += 1


ACTIVITIES: dict[str, Activity] = {"logins": log_in_repeatedly, "uploads": upload_repeatedly}
"""Activities by name."""


async def send_messages(clients: list[LoadClient], rate: int, seconds: float) -> None:
    """Send messages of 64 bytes from the clients in turn."""
    for number in range(round(seconds * rate)):
        clients[number % len(clients)].send_message("hall", "m", 64)
        await asyncio.sleep(1 / rate)


async def measure_peak_memory(server: MeasuredServer) -> int:
    """Return the maximum of the server's resident memory, in bytes, when the task is cancelled."""
    peak = server.resident_bytes()
    try:
        while True:
            await asyncio.sleep(MEMORY_INTERVAL)
            peak = max(peak, server.resident_bytes())
    except asyncio.CancelledError:
        return peak


async def run(server: MeasuredServer, args: argparse.Namespace) -> None:
    """Run the phases, and print the pooled measurements, the ratio of the percentiles and the growth of the memory."""
    counters = LoadCounters()
    clients = [
        await connect_client(server.url, counters, "hall", f"m{number}", is_probe=number % PROBE_INTERVAL == 0)
        for number in range(args.members)
    ]
    probes = clients[::PROBE_INTERVAL]
    phases = ("idle", args.activity)
    latencies: dict[str, list[float]] = {phase: [] for phase in phases}
    delivered, completed = Counter[str](), Counter[str]()
    cpu_seconds = dict.fromkeys(phases, 0.0)
    async with ClientSession(server.url) as session:
        async with session.post("/api/accounts", json=CREDENTIALS) as response:
            response.raise_for_status()
            token = (await response.json())["token"]
        await send_messages(probes, args.rate, 2.0)  # warm-up
        memory_before = server.resident_bytes()
        memory_task = asyncio.create_task(measure_peak_memory(server))
        for phase in phases * args.phases:
            activity = None
            if phase != "idle":
                activity = asyncio.ensure_future(ACTIVITIES[phase](session, token, args, completed))
            await send_messages(probes, args.rate, WARM_UP_SECONDS)
            counters.start_interval()
            cpu_before = server.cpu_seconds()
            await send_messages(probes, args.rate, args.seconds)
            latencies[phase] += counters.latencies
            delivered[phase] += counters.delivered
            cpu_seconds[phase] += server.cpu_seconds() - cpu_before
            if activity is not None:
                activity.cancel()
                with suppress(asyncio.CancelledError):
                    await activity
        memory_task.cancel()
        peak = await memory_task
    p99 = dict[str, float]()
    for phase, values in latencies.items():
        median, p99[phase] = LoadCounters(latencies=values).latency_percentiles()
        count = 0 if phase == "idle" else completed["completed"]
        print_measurements(PhaseResult(phase, count, delivered[phase], cpu_seconds[phase], median, p99[phase]))
    print(f"p99 with {args.activity} / without: {p99[args.activity] / p99['idle']:.2f}")
    print(f"memory: {memory_before / 2**20:.1f} MiB before, {(peak - memory_before) / 2**20:.1f} MiB growth at most")


def main() -> None:
    """Parse the command line and run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("activity", choices=ACTIVITIES)
    parser.add_argument("--members", type=int, default=1000, help="members of the room")
    parser.add_argument("--rate", type=int, default=10, help="messages per second")
    parser.add_argument("--megabits", type=float, default=100, help="rate of the uploads in Mbit/s")
    parser.add_argument("--seconds", type=float, default=10, help="duration of a phase")
    parser.add_argument("--phases", type=int, default=4, help="number of phases of each kind")
    args = parser.parse_args()
    os.environ["CHAT_REGISTRATION"] = "open"
    os.environ["CHAT_UPLOAD_DAILY_BYTES"] = "0"
    pin_to_load_core()
    with run_server("chat-server") as server:
        uvloop.run(run(server, args))


if __name__ == "__main__":
    main()
