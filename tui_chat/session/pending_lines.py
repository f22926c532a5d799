"""Timeline lines of unacknowledged messages.

- Retention: a posted message has a line until the acknowledgement; a failed one until a retry or discard.
- Uniqueness: an echo before the acknowledgement replaces the pending line.
"""

from uuid import UUID

from msgspec.structs import replace

from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import DeleteMessage, SendMessage
from tui_chat.session import error_text
from tui_chat.session.file_captions import describe_outbox_files
from tui_chat.session.i18n import tr
from tui_chat.session.lines import DeletionState, DeliveryState, MessageLine
from tui_chat.session.room_view import RoomView

UNSENT_KEY_PREFIX = "unsent-"
"""Prefix of the key of an unsent line, before its `clientId`."""


def find_client_id(view: RoomView | None, key: str) -> UUID | None:
    """Return the `clientId` of the unsent line with this key, None for any other line."""
    client_id = key.removeprefix(UNSENT_KEY_PREFIX)
    if client_id == key or view is None or view.transcript.find_unsent(client_id) is None:
        return None
    return UUID(client_id)


class PendingLines:
    """Pending lines of all rooms; the length is the number of pending messages and changes, without failed ones."""

    def __init__(self) -> None:
        # Room, and newest `seq` at the start of the delivery, by clientId; oldest first.
        self._pending: dict[UUID, tuple[RoomView, int]] = {}
        self._replaced_lines: dict[UUID, MessageLine] = {}  # pending lines replaced by an early echo, by clientId

    def __len__(self) -> int:
        return len(self._pending)

    def discard_room(self, view: RoomView) -> None:
        """Remove the items of a closed room from the count, but not from the outbox."""
        self._pending = {client_id: entry for client_id, entry in self._pending.items() if entry[0] is not view}

    def on_item_changed(self, view: RoomView, item: OutboxItem) -> str:
        """Apply a new outbox item or its state change to the timeline of its room, and to the count.

        A deletion hides its message unless the deletion failed or was dropped.

        Returns:
            Error text of an edit, deletion or reaction that failed, because changes have no line; "" otherwise.
        """
        if item.state is OutboxItemState.PENDING:
            self._pending.setdefault(item.client_id, (view, view.transcript.newest_seq))
        else:
            self._pending.pop(item.client_id, None)
        if isinstance(item.request, DeleteMessage):
            is_rejected = item.state in {OutboxItemState.FAILED, OutboxItemState.DROPPED}
            view.set_deletion(item.request.seq, DeletionState.NONE if is_rejected else DeletionState.QUEUED)
        if isinstance(item.request, SendMessage):
            self._update_line(view, item)
        elif item.state is OutboxItemState.FAILED and item.error is not None:
            problem = tr("Change rejected: {problem}", problem=error_text.phrase(item.error))
            return f"{problem} · {item.text}" if item.text else problem
        return ""

    def on_echo(self, view: RoomView, message: Message) -> None:
        """Replace the oldest pending line that has the text of an echoed message; both have files, or neither.

        No effect without such a line, or for a message that is older than the pending one.
        """
        for client_id, (_, newest_seq) in self._pending.items():
            line = view.transcript.find_unsent(str(client_id))
            if (
                line is not None
                and (line.text, bool(line.captions)) == (message.message, bool(message.attachments))
                and message.seq > newest_seq
            ):
                self._replaced_lines[client_id] = line
                view.transcript.mark_sent(str(client_id), view.message_line(message))
                return

    def _update_line(self, view: RoomView, item: OutboxItem) -> None:
        """Apply the state of a message to its line.

        A new message ends a mark as unread, a sent one becomes a line of the log, and a dropped one loses its line. The
        line of a failed message that an echo had replaced appears again.
        """
        client_id = str(item.client_id)
        replaced_line = self._replaced_lines.pop(item.client_id, None)
        has_line = view.transcript.find_unsent(client_id) is not None
        match item.state:
            case OutboxItemState.PENDING if replaced_line is not None:
                self._replaced_lines[item.client_id] = replaced_line
            case OutboxItemState.PENDING if not has_line:
                view.reading.is_marked_unread = False
                view.transcript.add_unsent(client_id, _unsent_line(view, item))
            case OutboxItemState.PENDING:
                captions = describe_outbox_files(item)
                view.transcript.set_delivery(client_id, DeliveryState.PENDING, captions=captions)
            case OutboxItemState.FAILED:
                if not has_line:
                    view.transcript.add_unsent(client_id, replaced_line or _unsent_line(view, item))
                delivery = DeliveryState.UNCONFIRMED if item.unconfirmed else DeliveryState.FAILED
                problem = error_text.describe(item.error) if item.error is not None else ""
                view.transcript.set_delivery(client_id, delivery, problem, describe_outbox_files(item))
            case OutboxItemState.SENT:
                view.transcript.mark_sent(client_id, _sent_line(view, item))
                view.advance_to(item.seq or 0)
            case OutboxItemState.DROPPED:
                view.transcript.discard_unsent(client_id)


def _unsent_line(view: RoomView, item: OutboxItem) -> MessageLine:
    """Return the timeline line of an outbox item as `PENDING`, for any state of the item."""
    return MessageLine(
        key=f"{UNSENT_KEY_PREFIX}{item.client_id}",
        seq=None,
        ts=item.ts,
        nick=view.nick,
        member_id=view.member_id,
        is_own=True,
        text=item.text,
        delivery=DeliveryState.PENDING,
        reply_to=item.reply_to,
        captions=describe_outbox_files(item),
        quote=view.quoted_text(item.reply_to),
    )


def _sent_line(view: RoomView, item: OutboxItem) -> MessageLine:
    """Return the timeline line of an acknowledged outbox item.

    The line has the key of a log message, the server's time if known, and the text of the unsent line if any.
    """
    return replace(
        view.transcript.find_unsent(str(item.client_id)) or _unsent_line(view, item),
        key=f"message-{item.seq}",
        seq=item.seq,
        ts=item.server_ts or item.ts,
        delivery=DeliveryState.SENT,
        captions=describe_outbox_files(item),
        problem="",
    )
