from dataclasses import dataclass

from tui_chat.session.notification_batcher import BATCH_INTERVAL, NotifiableMessage, NotificationBatcher


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def said(number: int, room: str = "tea", named: bool = False) -> NotifiableMessage:
    return NotifiableMessage(room, "bob", f"message {number}", named)


def test_the_first_is_told_at_once_and_the_next_ones_together() -> None:
    clock = Clock()
    notices = NotificationBatcher(clock)
    assert notices.delay is None
    notices.add(said(1, named=True))
    assert notices.delay == 0
    first = notices.pop_due(show_text=True)
    assert first is not None
    assert (first.title, first.body) == ("bob named you in tea", "message 1")
    notices.add(said(2))
    notices.add(said(3, "dev"))
    assert notices.pop_due(show_text=True) is None
    assert notices.delay == BATCH_INTERVAL
    clock.now += BATCH_INTERVAL
    together = notices.pop_due(show_text=True)
    assert together is not None
    assert (together.title, together.body) == ("2 messages in tea and dev", "bob: message 3")
    assert notices.delay is None


def test_what_names_you_is_shown_before_what_came_last() -> None:
    notices = NotificationBatcher(Clock())
    for number in range(3):
        notices.add(said(number, named=number == 1))
    notice = notices.pop_due(show_text=True)
    assert notice is not None
    assert notice.body == "bob: message 1"


def test_what_was_read_meanwhile_is_not_told() -> None:
    notices = NotificationBatcher(Clock())
    notices.add(said(1))
    notices.add(said(2, "dev"))
    notices.discard_room("tea")
    notice = notices.pop_due(show_text=True)
    assert notice is not None
    assert notice.title == "bob in dev"
    notices.add(said(3))
    notices.discard_room("tea")
    assert notices.delay is None


def test_the_text_can_be_kept_out() -> None:
    notices = NotificationBatcher(Clock())
    notices.add(said(1))
    notices.add(said(2))
    notice = notices.pop_due(show_text=False)
    assert notice is not None
    assert (notice.title, notice.body) == ("2 messages in tea", "")


def test_what_somebody_does_is_told_as_in_the_room() -> None:
    clock = Clock()
    notices = NotificationBatcher(clock)
    for told in ("* bob waves", "* bob waves"):
        notices.add(NotifiableMessage("tea", "bob", "/me waves", True))
        clock.now += BATCH_INTERVAL
        taken = notices.pop_due(show_text=True)
        assert taken is not None
        assert taken.body == told
        notices.add(said(1))
