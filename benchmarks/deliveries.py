"""Server CPU per delivery, with senders that wait for each acknowledgement.

    python -m benchmarks.deliveries --members 1000 --senders 4 16 --seconds 5 --rounds 3

The server and the load have one core each. The servers run alternately, so that a temporary
slowdown of the machine affects all of them.
"""

import argparse
import asyncio
import statistics
import time
from dataclasses import asdict, dataclass

import uvloop

from benchmarks.load import LoadClient, LoadCounters, connect_client, print_measurements
from benchmarks.servers import MeasuredServer, available_servers, pin_to_load_core, run_server

PROBE_COUNT = 3


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """Measurements of one run.

    Attributes:
        server: Name of the server.
        rooms: Number of rooms.
        members: Members per room.
        senders: Senders per room.
        per_delivery: Server CPU per delivery in microseconds.
        per_second: Deliveries per second.
        p50, p99: Milliseconds from send to arrival.
        out_of_order: Gaps in the `seq` of probes.
        lost_connections: Unexpectedly closed connections.
    """

    server: str
    rooms: int
    members: int
    senders: int
    per_delivery: float
    per_second: float
    p50: float
    p99: float
    out_of_order: int
    lost_connections: int


async def measure_deliveries(
    server: MeasuredServer, name: str, *, rooms: int, members: int, senders: int, seconds: float
) -> DeliveryResult:
    """Fill the rooms, run the senders for `seconds` after a warm-up of one second, and return the measurements.

    `name` is the name of the server in the result.
    """
    counters = LoadCounters()
    clients: list[LoadClient] = []
    sending_clients: list[tuple[LoadClient, str]] = []
    for number in range(rooms):
        room = f"room {number}"
        for index in range(members):
            is_probe = index < senders or index >= members - (PROBE_COUNT if rooms == 1 else 0)
            member = await connect_client(server.url, counters, room, f"m{index}", is_probe=is_probe)
            clients.append(member)
            if index < senders:
                sending_clients.append((member, room))
    await wait_until_idle(counters)
    is_running = True

    def send_next(member: LoadClient, room: str) -> None:
        if is_running:
            member.send_message(room, "m", 64)

    for member, room in sending_clients:
        member.on_ack = lambda member=member, room=room: send_next(member, room)
        send_next(member, room)
    await asyncio.sleep(1.0)  # warm-up
    counters.start_interval()
    cpu_before, start_time = server.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    cpu_spent, elapsed, delivered = (
        server.cpu_seconds() - cpu_before,
        time.perf_counter() - start_time,
        counters.delivered,
    )
    p50, p99 = counters.latency_percentiles()
    is_running = False
    await wait_until_idle(counters)
    for member in clients:
        member.close()
    return DeliveryResult(
        server=name,
        rooms=rooms,
        members=members,
        senders=senders,
        per_delivery=cpu_spent / max(delivered, 1) * 1e6,
        per_second=delivered / elapsed,
        p50=p50,
        p99=p99,
        out_of_order=counters.out_of_order,
        lost_connections=counters.lost_connections,
    )


async def wait_until_idle(counters: LoadCounters) -> None:
    """Wait until no further message arrives for half a second."""
    previous_count = -1
    while previous_count != counters.delivered:
        previous_count = counters.delivered
        await asyncio.sleep(0.5)


@dataclass(frozen=True, slots=True)
class LoadShape:
    """Shape of a load: rooms, members per room and senders per room."""

    rooms: int
    members: int
    senders: int


def compare_servers(
    shape: LoadShape, servers: list[str], seconds: float, rounds: int
) -> dict[str, list[DeliveryResult]]:
    """Measure new processes of the servers alternately and print each result.

    Returns:
        The results by server name, in the order of the rounds.
    """
    results: dict[str, list[DeliveryResult]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name in servers:
            with run_server(name, quiet_joins=shape.members > 1000) as server:
                result = uvloop.run(measure_deliveries(server, name, **asdict(shape), seconds=seconds))
            results[name].append(result)
            print_measurements(result)
    return results


def main() -> None:
    """Run the comparison and print all results with a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--senders", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", nargs="+", default=available_servers())
    args = parser.parse_args()
    pin_to_load_core()
    for senders in args.senders:
        results = compare_servers(LoadShape(args.rooms, args.members, senders), args.servers, args.seconds, args.rounds)
        medians = {name: statistics.median(run.per_delivery for run in runs) for name, runs in results.items()}
        for name, cost in medians.items():
            print(f"{name:12} {cost:6.2f} µs per delivery, node/{name} = {medians.get('node', 0) / cost:.2f}")


if __name__ == "__main__":
    main()
