"""Outbox events and displayed lines of a chat session."""

from dataclasses import replace
from uuid import uuid4

from tui_chat.client import events
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import SendMessage
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.lines import DeliveryState, MessageLine, NoticeLine, UnreadLine


def queue_message(session: ChatSession, text: str, room: str = "tea") -> OutboxItem:
    """Apply the event of a queued message and return its outbox item."""
    client_id = uuid4()
    item = OutboxItem(room, client_id, SendMessage(room=room, message=text, client_id=client_id), 1_000)
    session.apply(events.OutboxItemChanged(item))
    return item


def acknowledge(session: ChatSession, item: OutboxItem, seq: int) -> None:
    """Apply the event of an acknowledged message."""
    session.apply(events.OutboxItemChanged(replace(item, state=OutboxItemState.SENT, seq=seq, server_ts=5)))


def mark_failed(session: ChatSession, item: OutboxItem, error: ChatError) -> OutboxItem:
    """Apply the event of a failed message and return its outbox item."""
    item = replace(item, state=OutboxItemState.FAILED, error=error)
    session.apply(events.OutboxItemChanged(item))
    return item


def displayed_texts(session: ChatSession) -> list[str]:
    """Return the lines of the current room as texts.

    A message that is not sent has its state in parentheses. A notice starts with `*`. The unread divider is `--`, and
    any other line `gap`.
    """
    assert session.current_room is not None
    displayed: list[str] = []
    for line in session.current_room.transcript.lines:
        match line:
            case MessageLine():
                displayed.append(
                    line.text if line.delivery is DeliveryState.SENT else f"{line.text} ({line.delivery.value})"
                )
            case NoticeLine():
                displayed.append(f"* {line.text}")
            case UnreadLine():
                displayed.append("--")
            case _:
                displayed.append("gap")
    return displayed
