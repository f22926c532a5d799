"""Minimal app around a timeline, and sample lines.

`python -m tests.support.timeline_app` runs the app with `sample_lines()`: several scripts, a gap and a failed
message. The key `m` adds a message, `s` shows the cursor and `t` switches the theme.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.ui.images.image_store import ImageStore
from tui_chat.ui.timeline.messages import (
    CursorMoved,
    FollowChanged,
    GapRequested,
    LinkClicked,
    MessageActivated,
    OlderMessagesRequested,
)
from tui_chat.ui.timeline.widget import Timeline

MessageT = TypeVar("MessageT", bound=Message)

MINUTE_MS = 60_000
START_TS = int(datetime(2026, 11, 20, 9, 0, tzinfo=UTC).timestamp() * 1000)


def make_message(
    number: int, text: str = "", *, nick: str = "", own: bool = False, ts: int | None = None
) -> MessageLine:
    """Return message `number` of a room: one per minute, with rotating senders."""
    nick = nick or ("alice", "bob", "carol")[number % 3]
    return MessageLine(
        key=f"m{number}",
        seq=number,
        ts=START_TS + number * MINUTE_MS if ts is None else ts,
        nick=nick,
        member_id=nick,
        is_own=own,
        text=text or f"message {number}",
    )


def make_messages(first: int, last: int) -> list[Line]:
    """Return the one-row messages numbered `first` to `last`, inclusive."""
    return [make_message(number) for number in range(first, last + 1)]


def make_append(timeline: Timeline, *lines: Line) -> Splice:
    """Return the splice that appends lines."""
    return Splice(len(timeline.lines), 0, lines)


class IsolatedTimeline(Timeline):
    """Timeline with keys for the actions of the chat screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "hide_cursor", "Leave"),
        ("pageup", "page_up", "Page up"),
        ("pagedown", "page_down", "Page down"),
    ]


class TimelineApp(App[None]):
    """Timeline with a neighbor above and to the right.

    Args:
        lines: Lines at start-up.
        images: Store of the images in messages.

    Attributes:
        initial_lines: Lines at start-up.
        received: Messages posted by the timeline, in order.
    """

    CSS = """
    Horizontal { height: 1fr; }
    #above { height: 1; background: $panel; }
    #beside { width: 12; background: $panel; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("m", "append_message", "Append"),
        ("t", "toggle_theme", "Theme"),
        ("s", "show_cursor", "Select"),
    ]

    def __init__(self, lines: Iterable[Line] = (), images: ImageStore | None = None) -> None:
        super().__init__()
        self._images = images
        self.initial_lines = tuple(lines)
        self.received: list[Message] = []

    def compose(self) -> ComposeResult:
        """Yield the timeline and its neighbors."""
        yield Static("above", id="above", markup=False)
        with Horizontal():
            yield IsolatedTimeline(tz=UTC, images=self._images)
            yield Static("beside\n" * 30, id="beside", markup=False)

    def on_mount(self) -> None:
        """Load the initial lines."""
        self.timeline.set_lines(self.initial_lines)
        self.timeline.focus()

    @property
    def timeline(self) -> Timeline:
        """Timeline under test."""
        return self.query_one(Timeline)

    @on(OlderMessagesRequested)
    @on(GapRequested)
    @on(CursorMoved)
    @on(MessageActivated)
    @on(LinkClicked)
    @on(FollowChanged)
    def record_message(self, message: Message) -> None:
        """Record a message of the timeline."""
        self.received.append(message)

    def messages_of_type(self, message_type: type[MessageT]) -> list[MessageT]:
        """Return the recorded messages of one type."""
        return [message for message in self.received if isinstance(message, message_type)]

    def splice(self, change: Splice) -> None:
        """Apply one splice to the timeline."""
        self.timeline.splice_many((change,))

    def rendered_rows(self) -> list[str]:
        """Return the rendered rows as text without trailing blanks."""
        timeline = self.timeline
        return [timeline.render_line(y).text.rstrip() for y in range(timeline.size.height)]

    def action_append_message(self) -> None:
        """Append a message."""
        number = len(self.timeline.lines) + 1
        self.splice(make_append(self.timeline, make_message(number)))

    def action_toggle_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = "textual-light" if self.theme == "textual-dark" else "textual-dark"

    def action_show_cursor(self) -> None:
        """Show the cursor on the last visible message."""
        self.timeline.action_show_cursor()


def sample_lines() -> Sequence[Line]:
    """Return lines of every type, with sent, pending and failed messages."""
    ts = START_TS
    lines: list[Line] = []

    def add(nick: str, text: str, minutes_later: float = 1, **fields: object) -> None:
        nonlocal ts
        ts += int(minutes_later * MINUTE_MS)
        number = len(lines) + 1
        values = {"is_own": nick == "小明", "delivery": DeliveryState.SENT} | fields
        lines.append(MessageLine(f"m{number}", number, ts, nick, nick, text=text, **values))  # pyright: ignore[reportArgumentType]

    add("alice", "Good evening. Is the build green again?")
    add("alice", "I pushed the fix for the flaky test", 0.5)
    add(
        "bob",
        "Yes, see https://ci.example.org/builds/4711/console?with=a-rather-long-query&and=more#L2042 for its log.",
    )
    lines.append(GapLine("gap", 3, 1244))
    lines.append(NoticeLine("joined", ts + MINUTE_MS, "carol, dave and 3 others joined"))
    add("小明", "早上好！今天的发布计划是什么？我们先把数据库迁移做完，然后再更新网关，最后检查所有的客户端。", 14 * 60)
    add("carol", "👩‍💻 on it 🇨🇳 👍🏽 ❤️ é ñ — ok")
    add("carol", "def f(x):\n\treturn x + 1\n\nprint(f(41))", 0.3)
    add("a-very-long-nickname-of-someone", "short", 3)
    add("dave", "@小明 could you look at the pull request? It is about the resume rule.", is_mention=True)
    lines.append(UnreadLine())
    add("小明", "Looking now.")
    add("小明", "Fine by me, merging.", edited=True)
    add("dave", "", deleted=True)
    add("bob", "supercalifragilisticexpialidocious" * 4)
    add("小明", "This one could not go out", 2, delivery=DeliveryState.FAILED, problem="the room is closed to guests")
    add("小明", "and this is on its way", 0.3, delivery=DeliveryState.PENDING)
    return lines


if __name__ == "__main__":
    TimelineApp(sample_lines()).run()
