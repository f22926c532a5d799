"""What you have said that is not there yet, and what becomes of its lines.

Rule 1  What was posted is pending, then sent or failed, and never forgotten: its line
        stands until it is sent or somebody takes it away.
Rule 2  It stands once: what comes back before it is acknowledged takes the place of its line.
"""

from uuid import UUID

from server.protocol import names
from server.protocol.entries import Message
from server.protocol.requests import SendMessage
from tui_chat.client.posting import OutboxItem, OutboxItemState
from tui_chat.session import refusals, words
from tui_chat.session.lines import Delivery, MessageLine
from tui_chat.session.room_view import RoomView


class OnTheWay:
    """Of all rooms; its length says how many messages and changes are not acknowledged."""

    def __init__(self) -> None:
        self._pending: dict[UUID, str] = {}  # with the key of its room
        self._early: dict[str, MessageLine] = {}  # what came back before its acknowledgement, by `clientId`

    def __len__(self) -> int:
        return len(self._pending)

    def forget(self, room: str) -> None:
        """The room with this key is closed."""
        self._pending = {client_id: key for client_id, key in self._pending.items() if key != room}

    def posted(self, view: RoomView, posting: OutboxItem, now_ms: int) -> None:
        """Something was posted in this room, or has come further.

        Args:
            now_ms: Milliseconds since the epoch.
        """
        if posting.state is OutboxItemState.PENDING:
            self._pending[posting.client_id] = names.canonical_key(posting.room)
        else:
            self._pending.pop(posting.client_id, None)
        if isinstance(posting.request, SendMessage):
            self._message(view, posting)
        elif posting.state is OutboxItemState.FAILED:
            view.transcript.notice(now_ms, words.change_failed(refusals.within(posting.problem), posting.text))

    def came_back(self, view: RoomView, message: Message) -> None:
        """A message of your own is in the log.

        Its acknowledgement may be applied a moment later; until then the line would stand twice.
        """
        client_id = view.transcript.pending_with(message.message)
        if client_id is not None:
            line = view.transcript.unsent(client_id)
            if line is not None:
                self._early[client_id] = line
            view.transcript.settle(client_id, view.line(message))

    def _message(self, view: RoomView, posting: OutboxItem) -> None:
        client_id = str(posting.client_id)
        early = self._early.pop(client_id, None)
        known = view.transcript.unsent(client_id) is not None
        match posting.state:
            case OutboxItemState.PENDING if early is not None:
                self._early[client_id] = early
            case OutboxItemState.PENDING if not known:
                view.transcript.pend(client_id, view.unsent_line(posting))
            case OutboxItemState.FAILED:
                if not known:
                    view.transcript.pend(client_id, early or view.unsent_line(posting))
                delivery = Delivery.DOUBTFUL if posting.unconfirmed else Delivery.FAILED
                view.transcript.mark(client_id, delivery, refusals.sentence(posting.problem))
            case OutboxItemState.SENT:
                view.transcript.settle(client_id, view.sent_line(posting))
                view.reached(posting.seq or 0)
            case OutboxItemState.DROPPED:
                view.transcript.discard(client_id)
            case _:
                pass
