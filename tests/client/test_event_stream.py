import asyncio

from tui_chat.client.event_stream import MAX_UNREAD_EVENTS, EventStream
from tui_chat.client.events import LogChanged, MembersChanged, NoticeReceived, RoomJoined, TopicChanged, TypingChanged
from tui_chat.protocol.events import JoinNotice, Member


def a_notice() -> NoticeReceived:
    return NoticeReceived(JoinNotice(room="tea", nick_name="bob", member_id="b", message="bob came", ts=1))


async def all_of(stream: EventStream) -> list[object]:
    stream.close()
    return [event async for event in stream]


async def test_changes_that_follow_each_other_unread_are_one() -> None:
    stream = EventStream()
    stream.put(LogChanged("tea", (3,), live=True))
    stream.put(LogChanged("tea", (4, 1), live=True))
    stream.put(LogChanged("tea", (4,), live=True))
    stream.put(LogChanged("tea", (2,), live=False))
    stream.put(LogChanged("tea", (5,), live=True))
    assert await all_of(stream) == [
        LogChanged("tea", (1, 3, 4), live=True),
        LogChanged("tea", (2,), live=False),
        LogChanged("tea", (5,), live=True),
    ]


async def test_what_happens_between_keeps_its_place() -> None:
    stream = EventStream()
    events = [LogChanged("tea", (1,), live=True), a_notice(), LogChanged("tea", (2,), live=True)]
    for event in events:
        stream.put(event)
    assert await all_of(stream) == events


async def test_only_the_last_list_of_members_counts() -> None:
    stream = EventStream()
    bob = Member(member_id="b", nick_name="bob", role="member")
    stream.put(MembersChanged("tea", ()))
    stream.put(TopicChanged("tea", "leaves"))
    stream.put(MembersChanged("cup", ()))
    stream.put(MembersChanged("tea", (bob,)))
    assert await all_of(stream) == [
        MembersChanged("tea", (bob,)),
        TopicChanged("tea", "leaves"),
        MembersChanged("cup", ()),
    ]


async def test_what_was_read_does_not_grow() -> None:
    stream = EventStream()
    stream.put(LogChanged("tea", (1,), live=True))
    assert await anext(stream) == LogChanged("tea", (1,), live=True)
    stream.put(LogChanged("tea", (2,), live=True))
    assert await anext(stream) == LogChanged("tea", (2,), live=True)


async def test_the_unread_are_bounded_and_no_message_is_left_out() -> None:
    stream = EventStream()
    for number in range(MAX_UNREAD_EVENTS):
        stream.put(a_notice())
        stream.put(LogChanged("tea", (number,), live=True))
        stream.put(TypingChanged("tea", "b", True))
    stream.put(RoomJoined("cup", rejoined=False))
    assert len(stream) <= MAX_UNREAD_EVENTS + 2
    told = await all_of(stream)
    assert {seq for event in told if isinstance(event, LogChanged) for seq in event.seqs} == set(
        range(MAX_UNREAD_EVENTS)
    )
    assert RoomJoined("cup", rejoined=False) in told


async def test_a_reader_waits_for_what_comes() -> None:
    stream = EventStream()
    reading = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    assert not reading.done()
    stream.put(TopicChanged("tea", "leaves"))
    assert await reading == TopicChanged("tea", "leaves")
