"""From one piece of news to everybody in the room: encoded once for each form that is read there.

A push only puts the finished frame behind what the connection has yet to get.
The engine joins what one tick owes a connection into one write, so neither a
task nor an encoding is made per recipient. A form that nobody in the room reads
is not even looked at.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from server.domain.rooms import LiveRoom
from server.gateway import packets
from server.gateway.connection import Connection
from server.gateway.frames import Frame
from server.protocol import entries
from server.protocol.codec import encode_push

Notice = entries.JoinNotice | entries.LeaveNotice | entries.NickNotice

News = entries.Entry | Notice | entries.PresencePush | entries.TypingPush
"""What happens in a room, as the native form has it."""


class Form(Protocol):
    """A form in which connections read (`server.gateway.dialects.dialect`)."""

    def tell(self, room: LiveRoom[Connection], news: News, readers: Iterable[Connection]) -> None:
        """Push the news to these readers in this form, or leave it when the form has no words for it."""
        ...


def push_frame(event: str, body: entries.WireStruct) -> Frame:
    """The push as everybody gets it."""
    return Frame(packets.event(encode_push(event, body)))


class Fanout:
    """Tells rooms what happens in them.

    Args:
        forms: By the name under which a room knows its readers.
    """

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = forms

    def to_room(self, room: LiveRoom[Connection], news: News, but: Connection | None = None) -> None:
        """Tell every connection in the room, except one."""
        for form, readers in room.subscribers.items():
            if but is None or but not in readers:
                self._forms[form].tell(room, news, readers)
            else:
                self._forms[form].tell(room, news, [reader for reader in readers if reader is not but])

    def to_one(self, room: LiveRoom[Connection], news: News, reader: Connection) -> None:
        """Tell one of the room's connections."""
        for form, readers in room.subscribers.items():
            if reader in readers:
                self._forms[form].tell(room, news, (reader,))
