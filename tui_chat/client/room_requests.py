"""What one can say in a room: at once with an answer, or posted for as soon as it can be said.

Rule 1  A request about the room waits until the room is joined on the connection
        that there is, and is asked again after a break (`Link.ask`).
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from tui_chat.client import sanitize
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.net.connector import Connector
from tui_chat.client.net.gate import Gate
from tui_chat.client.outbox.item import OutboxItem, OutboxRequest
from tui_chat.client.outbox.sender import OutboxSender
from tui_chat.client.rate_limited_send import RateLimitedSender
from tui_chat.protocol.errors import NotJoined
from tui_chat.protocol.requests import (
    ChangeNick,
    DeleteMessage,
    EditMessage,
    React,
    SendMessage,
    SetTopic,
    Typing,
)
from tui_chat.protocol.responses import ChangeAccepted, NickChanged, SendResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

log = logging.getLogger("chat.client")

SEND_TIMEOUT = 30.0


class RoomRequests:
    """The part of a room that one speaks into.

    Attributes:
        name: As the server writes it.
        nick: Your own nickname in it.
        gate: Open with the connection on which the room is joined.
        delivery: What you posted into it and is not sent.
        plain: The server is a plain one (`tui_chat.client.net.basic_server`): nobody is told to be there, nothing is kept.
    """

    name: str
    nick: str
    gate: "Gate[Transport]"
    sender: OutboxSender
    is_basic_server: bool
    _connector: Connector
    _rate_limited_sender: RateLimitedSender
    _new_id: Callable[[], UUID]

    async def send(
        self,
        text: str,
        client_id: UUID | None = None,
        reply_to: int | None = None,
        *,
        timeout: float = SEND_TIMEOUT,
    ) -> SendResponse:
        """Say something; it is on the server's disk when this returns.

        It is sent again after a break, and appears once all the same. When you speak
        too fast it waits for its turn, behind what waits already. To go on trying
        after an error, call it again with the same `client_id`.

        Args:
            text: What to say.
            client_id: What makes a repeat known as such; chosen anew if left out.
            reply_to: The `seq` of the message that this one answers.
            timeout: Seconds to go on trying.

        Raises:
            BadRequest, TooLong: The text cannot be sent; nothing was.
            RateLimited: You speak so fast that its turn did not come in time; nothing was sent.
            NotJoined: The room was left.
            Unavailable: There was no answer in time. It may have been sent.
            Doubtful: A plain server did not say it back. It may have been sent, and is not sent again.
        """
        client_id = client_id or self._new_id()
        request = SendMessage(room=self.name, message=text, client_id=client_id, reply_to=reply_to)
        return await self._rate_limited_sender.send(request, timeout)

    def post(self, text: str, reply_to: int | None = None) -> OutboxItem:
        """Say something as soon as it can be said; `PostingChanged` tells what becomes of it.

        What was posted is sent in order, behind whatever waits already, however long
        that takes, over the end of the program too if the client has an outbox.

        Args:
            text: What to say.
            reply_to: The `seq` of the message that this one answers.

        Raises:
            BadRequest, TooLong: The text cannot be sent.
            OutboxFull: 10,000 wait already.
            NotJoined: The room was left.
        """
        return self._post(
            lambda new_client_id: SendMessage(room=self.name, message=text, client_id=new_client_id, reply_to=reply_to)
        )

    def post_edit(self, seq: int, text: str) -> OutboxItem:
        """Say it otherwise, as soon as that can be done. Raises what `post` does."""
        return self._post(lambda _: EditMessage(room=self.name, seq=seq, message=text))

    def post_deletion(self, seq: int) -> OutboxItem:
        """Take a message back, as soon as that can be done. Raises what `post` does."""
        return self._post(lambda _: DeleteMessage(room=self.name, seq=seq))

    def post_reaction(self, seq: int, emoji: str, on: bool = True) -> OutboxItem:
        """Put an emoji under a message, or take it away, as soon as that can be done. Raises what `post` does."""
        return self._post(lambda _: React(room=self.name, seq=seq, emoji=emoji, on=on))

    def unsent(self) -> tuple[OutboxItem, ...]:
        """What you posted and is not sent, failed ones included, in order."""
        return self.sender.unsent

    def retry(self, client_id: UUID) -> OutboxItem:
        """Post a failed one anew, behind what waits; it has a new `client_id`.

        Raises:
            KeyError: There is no failed one of this `client_id`.
        """
        return self.sender.retry(client_id)

    def drop(self, client_id: UUID) -> OutboxItem:
        """Take away what was posted and is not sent.

        One that was tried already and got no answer may have been said all the same.

        Raises:
            KeyError: There is none of this `client_id`, or it is on its way right now.
        """
        return self.sender.drop(client_id)

    async def edit(self, seq: int, text: str) -> ChangeAccepted:
        """Say it otherwise. Raises what `send` does, and `Forbidden`, `NotFound`, `Conflict`."""
        request = EditMessage(room=self.name, seq=seq, message=text)
        return await self._connector.request(self.gate, request, ChangeAccepted, SEND_TIMEOUT)

    async def delete(self, seq: int) -> ChangeAccepted:
        """Take a message back. Raises what `edit` does."""
        return await self._connector.request(
            self.gate, DeleteMessage(room=self.name, seq=seq), ChangeAccepted, SEND_TIMEOUT
        )

    async def react(self, seq: int, emoji: str, on: bool = True) -> ChangeAccepted:
        """Put an emoji under a message, or take it away. Raises what `edit` does."""
        request = React(room=self.name, seq=seq, emoji=emoji, on=on)
        return await self._connector.request(self.gate, request, ChangeAccepted, SEND_TIMEOUT)

    async def set_topic(self, topic: str) -> ChangeAccepted:
        """Say what the room is about. Raises what `edit` does."""
        return await self._connector.request(
            self.gate, SetTopic(room=self.name, topic=topic), ChangeAccepted, SEND_TIMEOUT
        )

    async def change_nick(self, nick: str) -> str:
        """Take another nickname here; the one you got. Raises what `send` does, and `NickInvalid`."""
        request = ChangeNick(nick_name=nick, room=self.name)
        self.nick = sanitize.nickname(
            (await self._connector.request(self.gate, request, NickChanged, SEND_TIMEOUT)).nick_name
        )
        return self.nick

    async def set_typing(self, is_typing: bool) -> None:
        """Tell the room that you type, or no longer do; dropped while there is no connection."""
        transport = self.gate.value
        if transport is not None and not self.is_basic_server:
            try:
                await transport.send(Typing(room=self.name, on=is_typing))
            except ConnectionLost:
                log.debug("a typing notice was dropped with its connection")

    def _post(self, make_request: Callable[[UUID], OutboxRequest]) -> OutboxItem:
        if self.gate.has_failed:
            raise NotJoined("you are no longer in this room")
        return self.sender.post(make_request)
