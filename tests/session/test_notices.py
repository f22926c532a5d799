from dataclasses import dataclass

from tui_chat.session.notices import GATHER, Heard, Notices


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def said(number: int, room: str = "tea", named: bool = False) -> Heard:
    return Heard(room, "bob", f"message {number}", named)


def test_the_first_is_told_at_once_and_the_next_ones_together() -> None:
    clock = Clock()
    notices = Notices(clock)
    assert notices.wait is None
    notices.hear(said(1, named=True))
    assert notices.wait == 0
    first = notices.take(show_text=True)
    assert first is not None
    assert (first.title, first.body) == ("bob named you in tea", "message 1")
    notices.hear(said(2))
    notices.hear(said(3, "dev"))
    assert notices.take(show_text=True) is None
    assert notices.wait == GATHER
    clock.now += GATHER
    together = notices.take(show_text=True)
    assert together is not None
    assert (together.title, together.body) == ("2 messages in tea and dev", "bob: message 3")
    assert notices.wait is None


def test_what_names_you_is_shown_before_what_came_last() -> None:
    notices = Notices(Clock())
    for number in range(3):
        notices.hear(said(number, named=number == 1))
    notice = notices.take(show_text=True)
    assert notice is not None
    assert notice.body == "bob: message 1"


def test_what_was_read_meanwhile_is_not_told() -> None:
    notices = Notices(Clock())
    notices.hear(said(1))
    notices.hear(said(2, "dev"))
    notices.read("tea")
    notice = notices.take(show_text=True)
    assert notice is not None
    assert notice.title == "bob in dev"
    notices.hear(said(3))
    notices.read("tea")
    assert notices.wait is None


def test_the_text_can_be_kept_out() -> None:
    notices = Notices(Clock())
    notices.hear(said(1))
    notices.hear(said(2))
    notice = notices.take(show_text=False)
    assert notice is not None
    assert (notice.title, notice.body) == ("2 messages in tea", "")


def test_what_somebody_does_is_told_as_in_the_room() -> None:
    clock = Clock()
    notices = Notices(clock)
    for told in ("* bob waves", "* bob waves"):
        notices.hear(Heard("tea", "bob", "/me waves", True))
        clock.now += GATHER
        taken = notices.take(show_text=True)
        assert taken is not None
        assert taken.body == told
        notices.hear(said(1))
