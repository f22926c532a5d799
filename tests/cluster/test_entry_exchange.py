"""Messages of the exchange of entries."""

from typing import cast

import msgspec

from server.cluster.bus import Bus
from server.cluster.entry_exchange import CommittedEntries, EntryExchange
from tui_chat.protocol.events import Entry, MemberChange, MemberRef, Message

LIMIT = 500  # bytes


class RecordingBus:
    """Bus with a size limit, which records the messages by channel."""

    def __init__(self) -> None:
        self.is_healthy = True
        self.bodies: dict[str, list[bytes]] = {}

    def fits(self, body: bytes) -> bool:
        return len(body) <= LIMIT

    def publish(self, channel: str, body: bytes) -> None:
        assert self.fits(body)
        self.bodies.setdefault(channel, []).append(body)


def open_exchange(bus: RecordingBus) -> EntryExchange:
    return EntryExchange(
        cast(Bus, bus), on_entries=lambda _: None, on_position=lambda _key, _seq: None, on_access=lambda _: None
    )


def test_positions_are_sent_three_times_after_an_outage_of_the_bus() -> None:
    bus = RecordingBus()
    exchange = open_exchange(bus)
    bus.is_healthy = False
    exchange.send("tea", [Message(room="tea", seq=7, id=7, nick_name="a", member_id="a", message="", ts=0)])
    for _ in range(5):
        exchange.send_positions()
    assert "positions" not in bus.bodies
    bus.is_healthy = True
    for _ in range(5):
        exchange.send_positions()
    sent = [msgspec.json.decode(body) for body in bus.bodies["positions"]]
    assert [list(positions.values()) for positions in sent] == [[7]] * 3


def test_changes_of_permissions_above_the_size_limit_are_sent_one_by_one() -> None:
    bus = RecordingBus()
    exchange = open_exchange(bus)
    target = MemberRef("m1", "ann")
    changes: list[Entry] = []
    for seq in range(1, 11):
        changes.append(
            MemberChange(
                room="tea",
                seq=seq,
                id=seq,
                ts=0,
                nick_name="a",
                member_id="a",
                action="joined",
                target=target,
                by=target,
            )
        )
    exchange.send("tea", changes)
    sent = [msgspec.json.decode(body, type=CommittedEntries).entries for body in bus.bodies["access"]]
    assert sent == [[change] for change in changes]
