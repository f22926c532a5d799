"""A program that is nothing but a timeline between other things, and lines to show in it.

`python -m tests.support.timeline_app` shows it in a terminal: a day's talk in
several scripts, a gap, a message that failed; `m` adds a message, `t` changes the theme.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.ui.timeline.messages import (
    CursorMoved,
    FollowChanged,
    GapRequested,
    LinkClicked,
    MessageActivated,
    OlderMessagesRequested,
    RetryRequested,
)
from tui_chat.ui.timeline.widget import Timeline

MINUTE_MS = 60_000
START_TS = int(datetime(2026, 11, 20, 9, 0, tzinfo=UTC).timestamp() * 1000)


def make_message(
    number: int, text: str = "", *, nick: str = "", own: bool = False, ts: int | None = None
) -> MessageLine:
    """Message `number` of a room: one a minute, from one person after the other."""
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
    """Messages `first` to `last`, each of one row."""
    return [make_message(number) for number in range(first, last + 1)]


def make_append(timeline: Timeline, *lines: Line) -> Splice:
    """The change that puts lines at the end."""
    return Splice(len(timeline.lines), 0, lines)


class TimelineApp(App[None]):
    """A timeline with a line above it and a column beside it; keeps what the timeline says."""

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

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        super().__init__()
        self.initial_lines = tuple(lines)
        self.received: list[Message] = []

    def compose(self) -> ComposeResult:
        """The timeline between two neighbours."""
        yield Static("above", id="above", markup=False)
        with Horizontal():
            yield Timeline(tz=UTC)
            yield Static("beside\n" * 30, id="beside", markup=False)

    def on_mount(self) -> None:
        """Show the first lines."""
        self.timeline.set_lines(self.initial_lines)
        self.timeline.focus()

    @property
    def timeline(self) -> Timeline:
        """The timeline."""
        return self.query_one(Timeline)

    @on(OlderMessagesRequested)
    @on(GapRequested)
    @on(CursorMoved)
    @on(MessageActivated)
    @on(RetryRequested)
    @on(LinkClicked)
    @on(FollowChanged)
    def record_message(self, message: Message) -> None:
        """Remember what was said."""
        self.received.append(message)

    def received_of(self, message_type: type[Message]) -> list[Message]:
        """What was heard of one kind."""
        return [message for message in self.received if isinstance(message, message_type)]

    def rendered_rows(self) -> list[str]:
        """The rows of the timeline as they are drawn now, without blanks at their ends."""
        timeline = self.timeline
        return [timeline.render_line(y).text.rstrip() for y in range(timeline.size.height)]

    def action_append_message(self) -> None:
        """One more message."""
        number = len(self.timeline.lines) + 1
        self.timeline.splice(make_append(self.timeline, make_message(number)))

    def action_toggle_theme(self) -> None:
        """From dark to light and back."""
        self.theme = "textual-light" if self.theme == "textual-dark" else "textual-dark"

    def action_show_cursor(self) -> None:
        """Put the cursor on the last message."""
        self.timeline.action_show_cursor()


def sample_lines() -> Sequence[Line]:
    """Something of everything."""
    ts = START_TS
    lines: list[Line] = []

    def add(nick: str, text: str, minutes_later: float = 1, **fields: object) -> None:
        nonlocal ts
        ts += int(minutes_later * MINUTE_MS)
        number = len(lines) + 1
        values = {"own": nick == "小明", "delivery": DeliveryState.SENT} | fields
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
    add("dave", "@小明 could you look at the pull request? It is about the resume rule.", mention=True)
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
