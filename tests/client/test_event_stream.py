"""Event stream of the client: order, coalescing and bounded memory."""

import asyncio

from tui_chat.client.event_stream import MAX_UNREAD_EVENTS, EventStream
from tui_chat.client.events import LogChanged, MembersChanged, NoticeReceived, RoomJoined, TopicChanged, TypingChanged
from tui_chat.protocol.events import JoinNotice, Member


def make_notice() -> NoticeReceived:
    return NoticeReceived(JoinNotice(room="tea", nick_name="bob", member_id="b", message="bob joined", ts=1))


async def read_all(stream: EventStream) -> list[object]:
    stream.close()
    return [event async for event in stream]


async def test_consecutive_log_changes_are_coalesced() -> None:
    stream = EventStream()
    stream.put(LogChanged("tea", (3,), is_live=True))
    stream.put(LogChanged("tea", (4, 1), is_live=True))
    stream.put(LogChanged("tea", (4,), is_live=True))
    stream.put(LogChanged("tea", (2,), is_live=False))
    stream.put(LogChanged("tea", (5,), is_live=True))
    assert await read_all(stream) == [
        LogChanged("tea", (1, 3, 4), is_live=True),
        LogChanged("tea", (2,), is_live=False),
        LogChanged("tea", (5,), is_live=True),
    ]


async def test_other_events_between_log_changes_stay_in_order() -> None:
    stream = EventStream()
    events = [LogChanged("tea", (1,), is_live=True), make_notice(), LogChanged("tea", (2,), is_live=True)]
    for event in events:
        stream.put(event)
    assert await read_all(stream) == events


async def test_only_the_last_member_list_of_a_room_is_delivered() -> None:
    stream = EventStream()
    bob = Member(member_id="b", nick_name="bob", role="member")
    stream.put(MembersChanged("tea", ()))
    stream.put(TopicChanged("tea", "leaves"))
    stream.put(MembersChanged("cup", ()))
    stream.put(MembersChanged("tea", (bob,)))
    assert await read_all(stream) == [
        MembersChanged("tea", (bob,)),
        TopicChanged("tea", "leaves"),
        MembersChanged("cup", ()),
    ]


async def test_a_delivered_event_is_not_extended() -> None:
    stream = EventStream()
    stream.put(LogChanged("tea", (1,), is_live=True))
    assert await anext(stream) == LogChanged("tea", (1,), is_live=True)
    stream.put(LogChanged("tea", (2,), is_live=True))
    assert await anext(stream) == LogChanged("tea", (2,), is_live=True)


async def test_unread_events_are_bounded_and_include_every_log_change() -> None:
    stream = EventStream()
    for number in range(MAX_UNREAD_EVENTS):
        stream.put(make_notice())
        stream.put(LogChanged("tea", (number,), is_live=True))
        stream.put(TypingChanged("tea", "b", True))
    stream.put(RoomJoined("cup", rejoined=False))
    assert len(stream) <= MAX_UNREAD_EVENTS + 2
    events = await read_all(stream)
    assert {seq for event in events if isinstance(event, LogChanged) for seq in event.seqs} == set(
        range(MAX_UNREAD_EVENTS)
    )
    assert RoomJoined("cup", rejoined=False) in events


async def test_a_reader_waits_for_the_next_event() -> None:
    stream = EventStream()
    reading = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    assert not reading.done()
    stream.put(TopicChanged("tea", "leaves"))
    assert await reading == TopicChanged("tea", "leaves")
