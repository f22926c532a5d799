from tests.support.fake_room import FakeRoom
from tests.support.monotonic_clocks import ManualMonotonicClock
from tui_chat.session.notification_batcher import BATCH_INTERVAL, MAX_PENDING, NotifiableMessage, NotificationBatcher
from tui_chat.session.room_view import RoomView

ROOMS = {name: RoomView(FakeRoom(name)) for name in ("tea", "dev")}


def make_message(number: int, room: str = "tea", is_mention: bool = False) -> NotifiableMessage:
    return NotifiableMessage(ROOMS[room], "bob", f"message {number}", is_mention)


def test_the_first_notification_is_immediate_and_later_ones_are_batched() -> None:
    clock = ManualMonotonicClock()
    batcher = NotificationBatcher(clock)
    assert batcher.delay is None
    batcher.add(make_message(1, is_mention=True))
    assert batcher.delay == 0
    first = batcher.pop_due(show_text=True)
    assert first == ("bob mentioned you in tea", "message 1")
    batcher.add(make_message(2))
    batcher.add(make_message(3, "dev"))
    assert batcher.pop_due(show_text=True) is None
    assert batcher.delay == BATCH_INTERVAL
    clock.now += BATCH_INTERVAL
    batch = batcher.pop_due(show_text=True)
    assert batch == ("2 messages in tea and dev", "bob: message 3")
    assert batcher.delay is None


def test_the_number_of_queued_messages_is_bounded() -> None:
    batcher = NotificationBatcher(ManualMonotonicClock())
    for number in range(MAX_PENDING + 1):
        batcher.add(make_message(number))
    assert batcher.pop_due(show_text=True) == ("1,000 messages in tea", f"bob: message {MAX_PENDING}")


def test_a_mention_takes_precedence_over_the_latest_message() -> None:
    batcher = NotificationBatcher(ManualMonotonicClock())
    for number in range(3):
        batcher.add(make_message(number, is_mention=number == 1))
    notification = batcher.pop_due(show_text=True)
    assert notification is not None
    assert notification[1] == "bob: message 1"


def test_only_the_messages_of_a_discarded_room_are_not_notified() -> None:
    batcher = NotificationBatcher(ManualMonotonicClock())
    batcher.add(make_message(1))
    batcher.add(NotifiableMessage(RoomView(FakeRoom("tea")), "ann", "same title", is_mention=False))
    batcher.discard_room(ROOMS["tea"])
    assert batcher.pop_due(show_text=True) == ("ann in tea", "same title")
    batcher.add(make_message(3))
    batcher.discard_room(ROOMS["tea"])
    assert batcher.delay is None


def test_the_message_text_can_be_hidden() -> None:
    batcher = NotificationBatcher(ManualMonotonicClock())
    batcher.add(make_message(1))
    batcher.add(make_message(2))
    notification = batcher.pop_due(show_text=False)
    assert notification == ("2 messages in tea", "")


def test_action_messages_are_formatted_as_in_the_room() -> None:
    clock = ManualMonotonicClock()
    batcher = NotificationBatcher(clock)
    for expected_body in ("* bob waves", "* bob waves"):
        batcher.add(NotifiableMessage(ROOMS["tea"], "bob", "/me waves", True))
        clock.now += BATCH_INTERVAL
        notification = batcher.pop_due(show_text=True)
        assert notification is not None
        assert notification[1] == expected_body
        batcher.add(make_message(1))
