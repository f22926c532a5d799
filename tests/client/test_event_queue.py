"""Event queue of the client: order, coalescing and bounded memory."""

import asyncio

import pytest

from tui_chat.client.client import ChatClient
from tui_chat.client.event_queue import MAX_MESSAGES_PER_POP, MAX_UNREAD_EVENTS, EventQueue
from tui_chat.client.events import (
    ClientEvent,
    Closed,
    ConnectionStateChanged,
    LogChanged,
    MembersChanged,
    NoticeReceived,
    RoomJoined,
    TopicChanged,
    TypingChanged,
)
from tui_chat.protocol.events import JoinNotice, Member


def make_notice() -> NoticeReceived:
    return NoticeReceived(JoinNotice(room="tea", nick_name="bob", member_id="b", message="bob joined", ts=1))


async def read_all(queue: EventQueue[ClientEvent]) -> list[object]:
    queue.close()
    return [event async for event in queue]


async def test_consecutive_log_changes_are_coalesced() -> None:
    queue = EventQueue[ClientEvent]()
    queue.put(LogChanged("tea", (3,), is_live=True))
    queue.put(LogChanged("tea", (4, 1), is_live=True))
    queue.put(LogChanged("tea", (4,), is_live=True))
    queue.put(LogChanged("tea", (2,), is_live=False))
    queue.put(LogChanged("tea", (5,), is_live=True))
    assert await read_all(queue) == [
        LogChanged("tea", (1, 3, 4), is_live=True),
        LogChanged("tea", (2,), is_live=False),
        LogChanged("tea", (5,), is_live=True),
    ]


async def test_other_events_between_log_changes_stay_in_order() -> None:
    queue = EventQueue[ClientEvent]()
    events = [LogChanged("tea", (1,), is_live=True), make_notice(), LogChanged("tea", (2,), is_live=True)]
    for event in events:
        queue.put(event)
    assert await read_all(queue) == events


async def test_only_the_last_member_list_of_a_room_is_delivered() -> None:
    queue = EventQueue[ClientEvent]()
    bob = Member(member_id="b", nick_name="bob", role="member")
    queue.put(MembersChanged("tea", (), 0))
    queue.put(TopicChanged("tea", "leaves"))
    queue.put(MembersChanged("cup", (), 0))
    queue.put(MembersChanged("tea", (bob,), 1))
    assert await read_all(queue) == [
        MembersChanged("tea", (bob,), 1),
        TopicChanged("tea", "leaves"),
        MembersChanged("cup", (), 0),
    ]


async def test_only_the_last_topic_of_a_room_is_delivered() -> None:
    queue = EventQueue[ClientEvent]()
    for number in range(2 * MAX_UNREAD_EVENTS):
        queue.put(TopicChanged("tea", str(number)))
        queue.put(LogChanged("tea", (number,), is_live=True))
    assert len(queue) == 2
    assert await anext(queue) == TopicChanged("tea", str(2 * MAX_UNREAD_EVENTS - 1))


async def test_repeated_changes_of_a_message_are_bounded() -> None:
    queue = EventQueue[ClientEvent]()
    for _ in range(3 * MAX_UNREAD_EVENTS):
        queue.put(LogChanged("tea", (1, 2), is_live=True))
    assert queue.size <= MAX_UNREAD_EVENTS
    events = await read_all(queue)
    assert {seq for event in events if isinstance(event, LogChanged) for seq in event.seqs} == {1, 2}
    assert queue.size == 0


async def test_a_delivered_event_is_not_extended() -> None:
    queue = EventQueue[ClientEvent]()
    queue.put(LogChanged("tea", (1,), is_live=True))
    assert await anext(queue) == LogChanged("tea", (1,), is_live=True)
    queue.put(LogChanged("tea", (2,), is_live=True))
    assert await anext(queue) == LogChanged("tea", (2,), is_live=True)


async def test_unread_events_are_bounded_and_include_every_log_change() -> None:
    queue = EventQueue[ClientEvent]()
    for number in range(MAX_UNREAD_EVENTS):
        queue.put(make_notice())
        queue.put(LogChanged("tea", (number,), is_live=True))
        queue.put(TypingChanged("tea", "b", True))
    queue.put(RoomJoined("cup", rejoined=False))
    assert len(queue) <= MAX_UNREAD_EVENTS + 2
    events = await read_all(queue)
    assert {seq for event in events if isinstance(event, LogChanged) for seq in event.seqs} == set(
        range(MAX_UNREAD_EVENTS)
    )
    assert RoomJoined("cup", rejoined=False) in events


async def test_a_reader_waits_for_the_next_event() -> None:
    queue = EventQueue[ClientEvent]()
    reading = asyncio.create_task(anext(queue))
    await asyncio.sleep(0)
    assert not reading.done()
    queue.put(TopicChanged("tea", "leaves"))
    assert await reading == TopicChanged("tea", "leaves")


def test_a_batch_is_popped_in_parts_of_the_maximum_size() -> None:
    queue = EventQueue[ClientEvent]()
    for seq in range(1, MAX_MESSAGES_PER_POP + 11):
        queue.put(LogChanged("tea", (seq,), True))
    queue.put(TopicChanged("tea", "leaves"))
    queue.put(LogChanged("tea", (7, MAX_MESSAGES_PER_POP + 11), True))
    queue.put(LogChanged("tea", (3,), False))
    events = [queue.pop() for _ in range(5)]
    assert not queue
    assert events == [
        LogChanged("tea", tuple(range(1, MAX_MESSAGES_PER_POP + 1)), True),
        LogChanged("tea", tuple(range(MAX_MESSAGES_PER_POP + 1, MAX_MESSAGES_PER_POP + 11)), True),
        TopicChanged("tea", "leaves"),
        LogChanged("tea", (7, MAX_MESSAGES_PER_POP + 11), True),
        LogChanged("tea", (3,), False),
    ]


def test_only_an_event_for_an_empty_queue_notifies_the_reader() -> None:
    notifications: list[bool] = []
    queue = EventQueue[ClientEvent](lambda: notifications.append(True))
    queue.put(LogChanged("tea", (1,), True))
    queue.put(TopicChanged("tea", "leaves"))
    assert notifications == [True]
    queue.pop()
    queue.pop()
    queue.put(TopicChanged("tea", ""))
    assert notifications == [True, True]


async def test_size_counts_messages_and_other_events() -> None:
    queue = EventQueue[ClientEvent]()
    queue.put(LogChanged("tea", tuple(range(MAX_MESSAGES_PER_POP + 5)), True))
    queue.put(MembersChanged("tea", (), 0))
    queue.put(MembersChanged("tea", (), 0))
    assert queue.size == MAX_MESSAGES_PER_POP + 6
    queue.pop()
    assert queue.size == 6
    assert len(queue) == 2
    queue.pop()
    queue.pop()
    assert queue.size == 0


async def test_the_only_attached_queue_receives_the_events_of_the_client_and_of_its_owner() -> None:
    queue = EventQueue[ClientEvent | str]()
    async with ChatClient("http://localhost:1", connect_in_background=True) as client:
        client.attach_queue(queue)
        queue.put("own event")
        with pytest.raises(RuntimeError):
            client.events()
    events = [event async for event in queue]
    assert "own event" in events
    assert events[-1] == ConnectionStateChanged(Closed())
