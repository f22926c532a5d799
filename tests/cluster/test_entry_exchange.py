"""Messages of the exchange of entries."""

from typing import cast

import msgspec

from server.cluster.bus import Bus
from server.cluster.entry_exchange import CommittedEntries, EntryExchange
from tui_chat.protocol.events import Entry, MemberChange, MemberRef

LIMIT = 500  # bytes


class RecordingBus:
    """Bus with a size limit, which records the messages by channel."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}

    def fits(self, body: bytes) -> bool:
        return len(body) <= LIMIT

    def publish(self, channel: str, body: bytes) -> None:
        assert self.fits(body)
        self.bodies.setdefault(channel, []).append(body)


def test_changes_of_permissions_above_the_size_limit_are_sent_one_by_one() -> None:
    bus = RecordingBus()
    exchange = EntryExchange(
        cast(Bus, bus), on_entries=lambda _: None, on_position=lambda _key, _seq: None, on_access=lambda _: None
    )
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
