"""Several servers of one PostgreSQL database under load: latency within and between servers, CPU, transactions.

    python -m benchmarks.cluster --connections 600 --rooms 30 --rate 60 --seconds 20
    python -m benchmarks.cluster --nodes 1 2 3 8 --plot docs/figures/cluster-growth.svg

The members of each room are spread evenly over all servers. Each message is sent by the first member of a random room.
Servers, PostgreSQL, Redis and the load share all cores. PostgreSQL runs without fsync.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Any

import asyncpg
import uvloop

from benchmarks.capacity import fetch_metrics
from benchmarks.cluster_plot import GrowthPoint, draw_growth
from benchmarks.load import LoadClient, LoadCounters, connect_client, print_measurements
from benchmarks.servers import MeasuredServer
from tests.support.postgresql import PostgreSQLServer, postgresql_server
from tests.support.redis import redis_server
from tests.support.server_process import start_server
from tests.support.wait import wait_until

PROBES_PER_ROOM = 12
"""Members of each room that measure the latency, in addition to the sender."""

_START_TIMEOUT = 120.0  # seconds
_SETTLE_TIME = 2.5  # seconds until the join notices and the statistics of PostgreSQL are complete
_DELIVERY_TIMEOUT = 30.0  # seconds from the last message to the arrival of all messages

_driver: Any = asyncpg  # without complete types


@dataclass(frozen=True, slots=True)
class ClusterLoad:
    """Load of one measurement.

    Attributes:
        connections: Number of connections.
        rooms: Number of rooms.
        rate: Messages per second.
        seconds: Duration in seconds.
    """

    connections: int
    rooms: int
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ClusterResult:
    """Measurements with one number of servers and one bus.

    Attributes:
        nodes: Number of servers.
        bus: Kind of the bus.
        messages: Number of messages.
        deliveries: Number of messages received by all clients.
        missing_deliveries: Number of deliveries that did not arrive within `_DELIVERY_TIMEOUT`.
        p50_within, p99_within: Milliseconds from send to arrival at members on the server of the sender.
        p50_between, p99_between: Milliseconds from send to arrival at members on other servers.
        cpu_per_delivery: CPU of all servers per delivery in microseconds.
        transactions: Transactions of PostgreSQL per message, without those of an idle cluster.
        bus_messages: Messages between the servers per message, without those of an idle cluster.
        messages_per_transaction: Messages per transaction.
        out_of_order: Gaps in the `seq` of probes.
        lost_connections: Unexpectedly closed connections.
    """

    nodes: int
    bus: str
    messages: int
    deliveries: int
    missing_deliveries: int
    p50_within: float
    p99_within: float
    p50_between: float
    p99_between: float
    cpu_per_delivery: float
    transactions: float
    bus_messages: float
    messages_per_transaction: float
    out_of_order: int
    lost_connections: int


@dataclass(frozen=True, slots=True)
class _Totals:
    """Totals of a cluster since its start."""

    cpu_seconds: float
    transactions: int
    bus_messages: int


class _Cluster:
    """Running servers of one database."""

    def __init__(self, servers: Sequence[MeasuredServer], database: str) -> None:
        self.servers = servers
        self._database = database

    async def read_totals(self) -> _Totals:
        """Return the totals of all servers and of the database."""
        connection = await _driver.connect(self._database)
        try:
            transactions = await connection.fetchval(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            )
        finally:
            await connection.close()
        metrics = [await fetch_metrics(server.url) for server in self.servers]
        bus_messages = sum(int(samples.get("chat_bus_sent_total", 0)) for samples in metrics)
        return _Totals(sum(server.cpu_seconds() for server in self.servers), transactions, bus_messages)


class _Members:
    """Members of all rooms, with separate counters for members on the server of their sender and on other servers."""

    def __init__(self) -> None:
        self.within, self.between = LoadCounters(), LoadCounters()
        self.senders: list[tuple[LoadClient, str]] = []
        self._clients: list[LoadClient] = []

    async def connect(self, servers: Sequence[MeasuredServer], load: ClusterLoad) -> None:
        """Connect all members, with the first member of each room as its sender."""
        members = load.connections // load.rooms
        for room_number in range(load.rooms):
            room = f"room {room_number}"
            for index in range(members):
                server = servers[(room_number + index) % len(servers)]
                counters = self.between if index % len(servers) else self.within
                is_probe = index <= PROBES_PER_ROOM
                client = await connect_client(server.url, counters, room, f"m{index}", is_probe=is_probe)
                self._clients.append(client)
                if index == 0:
                    self.senders.append((client, room))

    async def send(self, load: ClusterLoad, rng: random.Random) -> int:
        """Send messages at random times, and return their number; messages in groups would favor one server."""
        started_at = time.monotonic()
        send_at, count = 0.0, 0
        while (send_at := send_at + rng.expovariate(load.rate)) < load.seconds:
            await asyncio.sleep(started_at + send_at - time.monotonic())
            client, room = rng.choice(self.senders)
            client.send_message(room, "m0", 64)
            count += 1
        return count

    @property
    def delivered(self) -> int:
        """Number of messages received in the interval."""
        return self.within.delivered + self.between.delivered

    def start_interval(self) -> None:
        self.within.start_interval()
        self.between.start_interval()

    def close(self) -> None:
        for client in self._clients:
            client.close()


async def _start_servers(
    stack: AsyncExitStack, directory: Path, count: int, flags: Sequence[str]
) -> list[MeasuredServer]:
    """Start servers, which the end of `stack` stops."""
    servers: list[MeasuredServer] = []
    for number in range(count):
        server = await start_server(directory / str(number), *flags, timeout=_START_TIMEOUT)
        stack.push_async_callback(server.wait_closed)
        stack.callback(server.send_signal, SIGTERM)
        servers.append(MeasuredServer(server.url, server.process.pid))
    return servers


async def measure_cluster(postgresql: PostgreSQLServer, node_count: int, bus: str, load: ClusterLoad) -> ClusterResult:
    """Run servers on a new database under load, and return the measurements.

    Args:
        postgresql: Database server.
        node_count: Number of servers.
        bus: Value of `--bus`.
        load: Load.
    """
    rng = random.Random(1)
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-bench-")))
        database = postgresql.create_database()
        flags = ("--port", "0", "--database", database, "--bus", bus, "--rate-limit", "off", "--log-level", "warning")
        servers = await _start_servers(stack, directory, node_count, flags)
        cluster, members = _Cluster(servers, database), _Members()
        stack.callback(members.close)
        await members.connect(servers, load)
        await asyncio.sleep(_SETTLE_TIME)
        idle_from, idle_at = await cluster.read_totals(), time.monotonic()
        await asyncio.sleep(load.seconds / 2)
        members.start_interval()
        started, started_at = await cluster.read_totals(), time.monotonic()
        messages = await members.send(load, rng)
        expected = messages * (load.connections // load.rooms)
        with suppress(TimeoutError):
            await wait_until(lambda: members.delivered >= expected, _DELIVERY_TIMEOUT)
        await asyncio.sleep(_SETTLE_TIME)
        ended, ended_at = await cluster.read_totals(), time.monotonic()
    idle_share = (ended_at - started_at) / (started_at - idle_at)
    transactions = ended.transactions - started.transactions
    transactions -= round((started.transactions - idle_from.transactions) * idle_share)
    bus_messages = ended.bus_messages - started.bus_messages
    bus_messages -= round((started.bus_messages - idle_from.bus_messages) * idle_share)
    counters = (members.within, members.between)
    (p50_within, p99_within), (p50_between, p99_between) = (counter.latency_percentiles() for counter in counters)
    return ClusterResult(
        nodes=node_count,
        bus="redis" if bus.startswith(("redis:", "unix:")) else bus,
        messages=messages,
        deliveries=members.delivered,
        missing_deliveries=expected - members.delivered,
        p50_within=p50_within,
        p99_within=p99_within,
        p50_between=p50_between,
        p99_between=p99_between,
        cpu_per_delivery=(ended.cpu_seconds - started.cpu_seconds) / max(members.delivered, 1) * 1e6,
        transactions=transactions / messages,
        bus_messages=bus_messages / messages,
        messages_per_transaction=messages / max(transactions, 1),
        out_of_order=sum(counter.out_of_order for counter in counters),
        lost_connections=sum(counter.lost_connections for counter in counters),
    )


async def run(node_counts: Sequence[int], buses: Sequence[str], load: ClusterLoad) -> list[ClusterResult]:
    """Measure one server without a bus, then all numbers of servers with each bus; print and return the results."""
    results: list[ClusterResult] = []
    with postgresql_server() as postgresql, redis_server() as redis:
        baseline = await measure_cluster(postgresql, 1, "local", load)
        print_measurements(baseline)
        for bus in buses:
            for node_count in node_counts:
                target = redis.url if bus == "redis" else bus
                result = await measure_cluster(postgresql, node_count, target, load)
                print_measurements(result)
                ratio = result.cpu_per_delivery / baseline.cpu_per_delivery
                print(f"CPU per delivery / that of one server without a bus: {ratio:.2f}", flush=True)
                results.append(result)
    return results


def plot_growth(results: Sequence[ClusterResult], path: Path) -> None:
    """Write the plot of the transactions and bus messages per chat message."""
    transactions, bus_messages = defaultdict[str, list[GrowthPoint]](list), defaultdict[str, list[GrowthPoint]](list)
    for result in results:
        transactions[result.bus].append((result.nodes, result.transactions))
        bus_messages[result.bus].append((result.nodes, result.bus_messages))
    draw_growth(transactions, bus_messages, path)


def main() -> None:
    """Run the measurements of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=[3], help="numbers of servers")
    parser.add_argument("--buses", nargs="+", choices=("postgres", "redis"), default=["postgres", "redis"])
    parser.add_argument("--connections", type=int, default=6000)
    parser.add_argument("--rooms", type=int, default=300)
    parser.add_argument("--rate", type=float, default=300, help="messages per second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--plot", type=Path, help="image of transactions and bus messages per message")
    args = parser.parse_args()
    load = ClusterLoad(args.connections, args.rooms, args.rate, args.seconds)
    results = uvloop.run(run(args.nodes, args.buses, load))
    if args.plot is not None:
        plot_growth(results, args.plot)


if __name__ == "__main__":
    main()
