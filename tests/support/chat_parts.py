"""Parts of the chat screen with real widgets, without an app and without a server."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tests.support.fake_room import FakeRoom
from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.search_page import SearchCursor, SearchPage, SearchSource
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.compose_mode import ComposeMode
from tui_chat.session.drafts import DraftManager
from tui_chat.session.message_sender import MessageSender
from tui_chat.session.server_link import ServerLink
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.status import StatusLine


@dataclass
class RecordedRequests:
    """Recorder in place of the server link and of the store of drafts.

    Attributes:
        calls: Names and arguments of the calls, in order.
    """

    calls: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    def join(self, room: str, nick: str, switch: int) -> None:
        self.calls.append(("join", room, nick, switch))

    def leave(self, room: str) -> None:
        self.calls.append(("leave", room))

    def list_rooms(self, query: str, *, requested_by_user: bool) -> None:
        self.calls.append(("list_rooms", query, requested_by_user))

    def load_context(self, room: str, *, seq: int | None = None, ts: int | None = None) -> None:
        self.calls.append(("load_context", room, seq, ts))

    async def search(self, query: str, room: str | None, cursor: SearchCursor | None) -> SearchPage:
        self.calls.append(("search", query, room, cursor))
        return SearchPage((), None, False, SearchSource.SERVER)

    def save_draft(self, room: str, text: str, mode: ComposeMode | None) -> None:
        self.calls.append(("save_draft", room, text, mode.kind if mode is not None else None))

    def add_sent_text(self, room: str, text: str) -> None:
        self.calls.append(("add_sent_text", room, text))

    def save_read_marker(self, room: str, seq: int, has_unsent_mark: bool) -> None:
        self.calls.append(("save_read_marker", room, seq))

    def send_typing(self, room: str, active: bool) -> None:
        self.calls.append(("send_typing", room, active))

    def named(self, *names: str) -> list[tuple[object, ...]]:
        """Return the recorded calls with one of these names."""
        return [call for call in self.calls if call[0] in names]


class RecordedStatusLine(StatusLine):
    """Status line with readable contents.

    Attributes:
        error: Current error.
        text: Current status text.
    """

    error = ""
    text = ""

    @property
    def shown_text(self) -> str:
        return self.error or self.text

    def show_error(self, error: str) -> None:
        self.error, self.text = error, ""

    def show_status(self, text: str) -> None:
        self.error, self.text = "", text


class ChatParts:
    """Real chat view over a real session, with recorded effects.

    Attributes:
        session: Session without rooms.
        requests: Recorded requests.
        server_link: `requests` as a link to the server.
        messages: Sender of messages to the current room.
        drafts: Storage of the composer state.
        view: Chat view of 80 columns.
        dialogs: Open dialogs and the functions that end them.
        focused: Focused widgets in order.
        titles: Window titles in order.
        timers: Delays and functions of the timers.
        status: Status line with the texts shown last.
        width: Width of the screen in columns.
    """

    def __init__(self) -> None:
        self.session = ChatSession(lambda: 1_000)
        self.requests = RecordedRequests()
        self.server_link = cast("ServerLink", self.requests)
        self.messages = MessageSender(
            self.session, self.find_room, lambda item: self.session.apply(OutboxItemChanged(item))
        )
        self.drafts = DraftManager(self.requests, self.requests.send_typing, lambda: 100.0)
        self.dialogs: list[tuple[Screen[Any], Callable[[Any], None]]] = []
        self.focused: list[Widget] = []
        self.titles: list[str] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.width = 80
        composer = Composer(lambda text: None, lambda text: None, lambda: False)
        self.view = ChatView(
            self.session,
            self.drafts,
            composer,
            focus=self.focused.append,
            push_screen=lambda dialog, on_closed: self.dialogs.append((dialog, on_closed)),
            is_active=lambda: True,
            screen_width=lambda: self.width,
            batch_update=nullcontext,
            set_window_title=self.titles.append,
            set_interval=self.set_timer,
        )
        self.status = self.view.status = RecordedStatusLine()
        self.view.apply_settings(ClientSettings())

    def find_room(self, name: str) -> FakeRoom | None:
        """Return the stand-in of an open room."""
        view = self.session.find_room(name)
        return view.room if view is not None and isinstance(view.room, FakeRoom) else None

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Record a timer and return one that never fires."""
        self.timers.append((delay, callback))
        return Timer(MessagePump(), delay)

    def close_dialog(self, result: object) -> None:
        """End the newest dialog with a result."""
        _, on_closed = self.dialogs.pop()
        on_closed(result)
