"""Header above the timeline, and status line below."""

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.client.events import AuthFailed, Closed, Connecting, ConnectionState, Offline, Online
from tui_chat.session.commands.completion import Completion
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.widgets.stable_width import with_stable_width

MAX_CANDIDATE_WIDTH = 32  # maximum columns per completion candidate
MIN_ACCOUNT_WIDTH = 60  # columns of a header with the account name
MAX_STATUS_ROWS = 3  # rows of a long error or status text


class ChatHeader(Widget):
    """Header line: room, number of members and topic on the left, unread summary and connection on the right."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ChatHeader { height: 1; text-wrap: nowrap; }"

    _room_name = _topic = _members = _unread_summary = _account = ""
    _connection_state: ConnectionState = Connecting()
    _retry_in = 0.0
    _unsent_count = 0

    def set_content(
        self,
        room: str,
        topic: str,
        members: str,
        unread_summary: str,
        state: ConnectionState,
        *,
        account: str,
        retry_in: float,
        unsent: int,
    ) -> None:
        """Replace the whole content.

        Args:
            room: Room name, empty if no room is open.
            topic: Topic of the room.
            members: Number of members, empty while the member list is visible.
            unread_summary: Unread counts of the rooms, empty while the room list is visible.
            state: Connection state.
            account: Account name of the user, empty for a guest.
            retry_in: Reconnect delay while offline, in seconds.
            unsent: Number of unacknowledged messages and changes.
        """
        self._room_name, self._topic, self._members = room, topic, members
        self._unread_summary, self._account = unread_summary, account
        self._connection_state, self._retry_in, self._unsent_count = state, retry_in, unsent
        self.refresh()

    def render(self) -> Content:
        """Return the header line, `lobby  3 here  topic    account ann   ● online 12 ms`; the left is truncated.

        The account name needs `MIN_ACCOUNT_WIDTH` columns.
        """
        width = self.content_region.width
        right = self._connection_content()
        if self._account and width >= MIN_ACCOUNT_WIDTH:
            account = tr("account {account}", account=self._account)
            right = Content.assemble((account, "$text-muted"), "   ", right)
        if self._unread_summary:
            right = Content.assemble((self._unread_summary, "$accent"), "   ", right)
        room = with_stable_width(Content.assemble((self._room_name, "bold $primary"))).truncate(
            max(8, width - right.cell_length - 2), ellipsis=True
        )
        topic = with_stable_width(Content.assemble(("  " + self._topic if self._topic else "", "$text-muted")))
        members = Content.assemble((f"  {self._members}" if self._members else "", "$text-muted"))
        left = Content.assemble(room, members, topic).truncate(max(0, width - right.cell_length - 2), ellipsis=True)
        return Content.assemble(left, " " * max(1, width - left.cell_length - right.cell_length), right)

    def _connection_content(self) -> Content:
        """Return sign and text of the connection state, with the number of unsent items unless online."""
        unsent_suffix = tr(", {count:,} unsent", count=self._unsent_count) if self._unsent_count else ""
        match self._connection_state:
            case Online(latency):
                text = tr("online") if latency is None else tr("online {ms:,} ms", ms=max(1, round(latency * 1000)))
                return Content.assemble(("● ", "$success"), (text, "$text-muted"))
            case Offline():
                seconds = round(self._retry_in) if self._retry_in >= 1 else 0
                text = tr("offline: retry in {seconds} s", seconds=seconds) if seconds else tr("offline: reconnecting")
                return Content.assemble(("○ ", "$error"), (text + unsent_suffix, "bold $error"))
            case AuthFailed():
                return Content.assemble(("○ ", "$error"), (tr("logged out") + unsent_suffix, "bold $error"))
            case Connecting() | Closed():
                return Content.assemble(("◌ ", "$warning"), (tr("connecting") + unsent_suffix, "$warning"))


class StatusLine(Widget):
    """Status line between timeline and composer.

    The left side holds the first available of: completion candidates, history search, error, status text, compose mode,
    new messages below, typing indicator. The right side holds the length warning. An error or status text that is wider
    than the line takes up to `MAX_STATUS_ROWS` rows and hides the length warning.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = f"StatusLine {{ height: auto; min-height: 1; max-height: {MAX_STATUS_ROWS}; }}"

    _error: reactive[str] = reactive("", layout=True)
    _status_text: reactive[str] = reactive("", layout=True)
    _new_below: reactive[int] = reactive(0)
    typing_nicks: reactive[Sequence[str]] = reactive[Sequence[str]](())
    compose_hint: reactive[str] = reactive("")
    length_warning: reactive[str] = reactive("")
    history_search: reactive[str] = reactive("")
    _completion: reactive[Completion | None] = reactive[Completion | None](None)

    def show_candidates(self, completion: Completion | None) -> None:
        """Show the candidates of a completion if there are several, otherwise hide them."""
        self._completion = completion if completion is not None and len(completion.candidates) > 1 else None

    def show_error(self, error: str) -> None:
        """Show an error in place of any status text, empty to hide both."""
        self._error, self._status_text = error, ""

    def show_status(self, text: str) -> None:
        """Show a status text in place of any error, empty to hide both."""
        self._error, self._status_text = "", text

    @property
    def shown_text(self) -> str:
        """Current error or status text, empty for none."""
        return self._error or self._status_text

    def show_new_below(self, count: int) -> None:
        """Show the number of new messages below the visible part, 0 to hide the number."""
        self._new_below = count

    async def on_click(self) -> None:
        """Scroll to the newest message if new messages are below the visible part."""
        if self._new_below:
            await self.screen.run_action("bottom")

    def render(self) -> Content:
        """Return the status line for the width: one row, or a long error or status text alone, which Textual wraps."""
        width = self.content_region.width
        right = Content.assemble((self.length_warning, "$error"))
        by_priority = (
            (self.history_search, "$accent"),
            (self._error, "$error"),
            (self._status_text, "$accent"),
            (self.compose_hint, "$accent"),
            (tr("↓ {count:,} new below · End", count=self._new_below) if self._new_below else "", "bold $accent"),
            (chat_strings.typing_indicator(self.typing_nicks) if self.typing_nicks else "", "italic $text-muted"),
        )
        left = (
            _candidates_content(self._completion, width)
            if self._completion is not None
            else Content.assemble(next((part for part in by_priority if part[0]), ""))
        )
        left = with_stable_width(left)
        is_message = self.shown_text and self._completion is None and not self.history_search
        if is_message and left.cell_length > width:
            return left
        left = left.truncate(max(0, width - right.cell_length - 1), ellipsis=True)
        return Content.assemble(left, " " * max(0, width - left.cell_length - right.cell_length), right)


def _candidates_content(completion: Completion, width: int) -> Content:
    """Return the candidates on one line, with the current one reversed and always visible."""
    labels = [
        Content(f" {candidate.label} ").truncate(MAX_CANDIDATE_WIDTH, ellipsis=True)
        for candidate in completion.candidates
    ]
    first = min(completion.index, len(labels) - 1)
    cells = labels[first].cell_length + 2  # plus the markers of hidden candidates
    while first and cells + labels[first - 1].cell_length <= width // 2:
        first -= 1
        cells += labels[first].cell_length
    parts = [Content("‹") if first else Content(" ")]
    for index, label in enumerate(labels[first:], first):
        if sum(part.cell_length for part in parts) + label.cell_length >= width:
            parts.append(Content("›"))
            break
        parts.append(label.stylize("reverse") if index == completion.index else label.stylize("$text-muted"))
    return Content.assemble(*parts)
