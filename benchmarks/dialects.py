"""What dialects cost a room: server CPU per delivery to its native members.

    python -m benchmarks.dialects --rounds 5
    python -m benchmarks.dialects --base ../older-copy    # and an older copy of the project, in turns

The room is the same in each case: native members, some of whom send as fast as
they are answered. What changes is who else is on the server: nobody, members of
every dialect in another room, or one member of every dialect in this room. The
cases take turns, and ratios are taken round by round, so that a machine that
slows down slows all of them.
"""

import argparse
import asyncio
import json
import statistics
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from benchmarks.deliveries import Result, measure
from benchmarks.load import Member, Tally
from benchmarks.servers import HERE, become_the_load, started

ROOM = "room 0"
"""The name that `benchmarks.deliveries` gives the first room."""

ALONE, ELSEWHERE, INSIDE, BASE = "native alone", "plain members elsewhere", "plain members in the room", "older copy"


async def enter_plain(url: str, room: str, number: int) -> list[Member]:
    """Put one member of each plain dialect into a room."""
    address = urlsplit(url)
    joins: list[object] = [
        room,
        {"nickName": f"g{number}", "id": number, "roomId": room},
        {"roomName": room, "nickName": f"n{number}"},
    ]
    members: list[Member] = []
    for join in joins:
        connecting = asyncio.get_running_loop().create_connection(
            lambda: Member(Tally()), address.hostname or "", address.port or 0
        )
        _, member = await connecting
        await member.ready
        member.send(b"42" + json.dumps(["joinRoom", join]).encode())
        members.append(member)
    return members


async def enter_others(url: str, name: str, plain: int) -> list[Member]:
    """The members who are there besides those of the room, in the case of this name."""
    if name == ELSEWHERE:
        return [member for number in range(plain) for member in await enter_plain(url, "another room", number)]
    if name == INSIDE:
        return await enter_plain(url, ROOM, 0)
    return []


def run(name: str, given: argparse.Namespace) -> Result:
    """One case, with a server of its own."""
    with started("chat-server", tree=given.base if name == BASE else HERE.parent) as peer:

        async def work() -> Result:
            others = await enter_others(peer.url, name, given.plain)
            result = await measure(
                peer, name, rooms=given.rooms, members=given.members, senders=given.senders, seconds=given.seconds
            )
            for member in others:
                member.leave()
            return result

        return uvloop.run(work())


def main() -> None:
    """Print one line a run, then the medians and the ratios to the native room alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--plain", type=int, default=30, help="members of each plain dialect in the other room")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--base", type=Path, help="an older copy of the project")
    given = parser.parse_args()
    become_the_load()
    names = [ALONE, ELSEWHERE, INSIDE, *([BASE] if given.base else [])]
    costs: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            result = run(name, given)
            costs[name].append(result.per_delivery)
            print(f"{name:28} {result.per_delivery:6.3f} µs a delivery, {result.per_second:9,.0f} a second", flush=True)
    print()
    for name in names:
        ratio = statistics.median(own / alone for own, alone in zip(costs[name], costs[ALONE], strict=True))
        print(f"{name:28} {statistics.median(costs[name]):6.3f} µs a delivery, {ratio:.3f} of native alone")


if __name__ == "__main__":
    main()
