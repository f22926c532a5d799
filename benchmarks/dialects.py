"""Cost of basic dialects for the delivery to native members.

    python -m benchmarks.dialects --rounds 5
    python -m benchmarks.dialects --base ../older-copy    # compares an older copy of the project

Native members send and receive in the same room in each case. The cases differ in the other
clients: none, basic clients in another room, or one client of each basic dialect in the
same room. The cases run alternately, and ratios are computed per round, so that a temporary
slowdown of the machine affects all of them.
"""

import argparse
import json
import statistics
from pathlib import Path

import uvloop

from benchmarks.deliveries import DeliveryResult, measure_deliveries
from benchmarks.load import LoadClient, LoadCounters, open_client
from benchmarks.servers import BENCHMARKS_DIRECTORY, pin_to_load_core, run_server

FIRST_ROOM = "room 0"
"""Name of the first room in `benchmarks.deliveries`."""

NATIVE_ALONE, BASIC_ELSEWHERE, BASIC_IN_ROOM, OLDER_COPY = (
    "native alone",
    "basic clients elsewhere",
    "basic clients in the room",
    "older copy",
)


async def connect_basic_clients(url: str, room: str, number: int) -> list[LoadClient]:
    """Connect one client of each basic dialect, and send their joins of a room without waiting for responses."""
    joins: list[object] = [
        room,
        {"nickName": f"g{number}", "id": number, "roomId": room},
        {"roomName": room, "nickName": f"n{number}"},
    ]
    clients: list[LoadClient] = []
    for join_argument in joins:
        client = await open_client(url, LoadCounters())
        client.send_packet(b"42" + json.dumps(["joinRoom", join_argument]).encode())
        clients.append(client)
    return clients


async def connect_additional_clients(url: str, case: str, basic_count: int) -> list[LoadClient]:
    """Connect the clients of a case that `measure_deliveries` does not connect.

    Args:
        url: URL of the server.
        case: Name of the case.
        basic_count: Clients per basic dialect in the other room.
    """
    if case == BASIC_ELSEWHERE:
        return [
            member
            for number in range(basic_count)
            for member in await connect_basic_clients(url, "another room", number)
        ]
    if case == BASIC_IN_ROOM:
        return await connect_basic_clients(url, FIRST_ROOM, 0)
    return []


def run_case(case: str, args: argparse.Namespace) -> DeliveryResult:
    """Measure one case on a new server."""
    with run_server(
        "chat-server", source_directory=args.base if case == OLDER_COPY else BENCHMARKS_DIRECTORY.parent
    ) as server:

        async def run_measurement() -> DeliveryResult:
            additional_clients = await connect_additional_clients(server.url, case, args.basic)
            result = await measure_deliveries(
                server, case, rooms=args.rooms, members=args.members, senders=args.senders, seconds=args.seconds
            )
            for client in additional_clients:
                client.close()
            return result

        return uvloop.run(run_measurement())


def main() -> None:
    """Run all cases and print the results with a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--basic", type=int, default=30, help="clients per basic dialect in the other room")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--base", type=Path, help="an older copy of the project")
    args = parser.parse_args()
    pin_to_load_core()
    cases = [NATIVE_ALONE, BASIC_ELSEWHERE, BASIC_IN_ROOM, *([OLDER_COPY] if args.base else [])]
    costs: dict[str, list[float]] = {case: [] for case in cases}
    for _ in range(args.rounds):
        for name in cases:
            result = run_case(name, args)
            costs[name].append(result.per_delivery)
            print(
                f"{name:28} {result.per_delivery:6.3f} µs per delivery, {result.per_second:9,.0f} per second",
                flush=True,
            )
    print()
    for name in cases:
        ratio = statistics.median(
            cost / base_cost for cost, base_cost in zip(costs[name], costs[NATIVE_ALONE], strict=True)
        )
        print(f"{name:28} {statistics.median(costs[name]):6.3f} µs per delivery, {ratio:.3f} of native alone")


if __name__ == "__main__":
    main()
