"""Dispatcher of client events: dialect selection, rate limits and error responses.

- Errors: a failed request becomes an acknowledgement if the client requested one, otherwise an `error` event.
- Rate limits: a request with an acknowledgement that exceeds the rate limit fails with `retryAfter`, up to the rate of
  refusals. Other requests wait for a token in order; the session handles no further packet while a request waits.
  Throttling of one rate class for `flood_timeout` seconds without a pause closes the connection.
- Invalid requests: a request that cannot be decoded and each `BadRequest` count as invalid. An excess of
  invalid requests closes the connection.
- Reconnects: rate limits belong to the session, so DISCONNECT and CONNECT reset nothing.
"""

import asyncio
import logging
import math
import random
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Raw

from server.domain.log_commands import StaleAccess
from server.engineio.connection import ClientConnection, FrameSink, TokenRejected
from server.engineio.packets import encode_event
from server.gateway.credentials import find_connect_token, is_plain_header_token
from server.gateway.device_tokens import DeviceTokens, encode_auth_failure
from server.gateway.dialects.dialect import Dialect
from server.gateway.dialects.resource_crud import SHARED_EVENTS
from server.gateway.handlers import Handlers
from server.gateway.membership_feed import MembershipFeed
from server.gateway.request_limits import RequestLimiter, get_excess_reason
from tui_chat.protocol import codec, errors, events, requests

log = logging.getLogger("chat.gateway")


class Dispatcher:
    """Dispatcher of all connections of one server.

    Args:
        dialects: Dialects in matching order; the last one matches every event.
        tokens: Verifier of tokens.
        allow_guests: Accept connections without a token.
        monotonic: Monotonic clock, in seconds.
        generate_sid: Source of new Socket.IO session ids.
        flood_timeout: Seconds of continuous throttling before the connection closes.

    Attributes:
        handlers: Request handlers, shared by all dialects.
        request_limiter: Limiter of valid requests; invalid requests are limited in any case.
        is_stopping: True after `announce_shutdown`; connections and requests are rejected.
        membership_feed: Pushes to the clients of the conversation dialect, None without the dialect.
        close_streams: Ends all event streams and rejects further ones; called at the start of `move_clients`.
        stream_idle_time: Returns the seconds since the last event stream (`EventStreams.idle_time`).
    """

    def __init__(
        self,
        dialects: Sequence[Dialect],
        handlers: Handlers,
        tokens: DeviceTokens,
        request_limiter: RequestLimiter,
        *,
        allow_guests: bool,
        monotonic: Callable[[], float],
        generate_sid: Callable[[], str],
        flood_timeout: float,
    ) -> None:
        self.handlers = handlers
        self._tokens = tokens
        self._allow_guests = allow_guests
        self.request_limiter = request_limiter
        self._monotonic = monotonic
        self._generate_sid = generate_sid
        self._flood_timeout = flood_timeout
        self._connections: set[ClientConnection] = set()
        self.is_stopping = False
        self.membership_feed: MembershipFeed | None = None
        self.close_streams: Callable[[], None] = lambda: None
        self.stream_idle_time: Callable[[], float] = lambda: math.inf
        self._dialects = dialects
        self._dialects_by_event = {
            event: self._find_dialect(event, [])
            for event in codec.REQUEST_EVENTS - {requests.JoinRoom.event, *SHARED_EVENTS}
        }
        """Dialects of the request events whose dialect does not depend on their arguments."""

    # -- transport callbacks

    async def on_connect(
        self,
        sink: FrameSink,
        address: str,
        auth: Raw | None,
        authorization: str,
        previous: ClientConnection | None,
    ) -> ClientConnection:
        """Register a connection with the account of its token (`find_connect_token`), or as a guest.

        A header token without a scheme marks a conversation client if that dialect is enabled. The connection takes
        token buckets and throttling state from `previous`, but neither account, member id nor rooms.

        Raises:
            TokenRejected: The token is invalid (`token_invalid`), or the account suspended.
            Unauthorized: The token is missing and guests are not allowed.
            Unavailable: The server is stopping, or the token or the groups of a conversation client cannot be read.
        """
        token = find_connect_token(auth, authorization)
        is_conversation = self.membership_feed is not None and is_plain_header_token(auth, authorization)
        account = None
        if token is not None:
            try:
                account = await self._tokens.authenticate(token)
            except errors.Unauthorized as error:
                raise TokenRejected(encode_auth_failure(error, is_conversation=is_conversation)) from error
        elif not self._allow_guests:
            raise errors.Unauthorized("login_required")
        if self.is_stopping:
            raise errors.Unavailable("server_stopping", retry_after=1.0)
        connection = ClientConnection(
            sink.push,
            sink.close,
            self._generate_sid(),
            address,
            previous.rate_buckets if previous else self.request_limiter.create_buckets(),
            previous.throttled_since if previous else {},
            is_conversation=is_conversation,
        )
        if account is not None:
            self._tokens.attach(connection, account)
        self._connections.add(connection)
        if is_conversation and self.membership_feed is not None:
            try:
                await self.membership_feed.connect(connection)
            except BaseException:
                self.on_disconnect(connection)
                raise
        return connection

    async def dispatch(
        self, connection: ClientConnection, event: str, arguments: list[Raw], *, wants_ack: bool
    ) -> bytes | None:
        """Run one request and return its acknowledgement, None without `wants_ack` (`EventDispatcher.dispatch`).

        An unknown event is a `BadRequest`. After the disconnect and during a shutdown, requests fail with
        `Unavailable`. An unexpected exception is logged and becomes `InternalError`. An immediately available token
        ends the throttling of its rate class.
        """
        dialect = self._dialects_by_event.get(event) or self._find_dialect(event, arguments)
        request = None
        try:
            self._require_open(connection)
            request = dialect.decode(connection, event, arguments)
            delay = self._acquire_tokens(connection, request, arguments)
            if not delay:
                connection.throttled_since.pop(request.rate_class, None)
            elif wants_ack and not connection.rate_buckets["refusals"].acquire(self._monotonic()):
                raise errors.RateLimited(get_excess_reason(request.rate_class), retry_after=round(delay, 3))
            else:
                await self._await_tokens(connection, request, arguments, delay)
            try:
                result = await dialect.handle(self.handlers, connection, request, wants_ack=wants_ack)
            except StaleAccess as stale:
                result = await self.handlers.access_control.retry_stale(
                    connection,
                    partial(dialect.handle, self.handlers, connection, request, wants_ack=wants_ack),
                    stale,
                )
            return dialect.encode_result(result) if wants_ack else None
        except errors.ChatError as chat_error:
            error = chat_error
            undecodable = request is None and not isinstance(error, errors.Unavailable)
            is_invalid = undecodable or isinstance(error, errors.BadRequest)
            if is_invalid and connection.rate_buckets["invalid"].acquire(self._monotonic()):
                connection.close("too many invalid requests")
        except Exception:
            log.exception("request handler failed, responding with an internal error")
            error = errors.InternalError("internal_error")
        if wants_ack:
            return dialect.encode_failure(error)
        _push_error(connection, error)
        return None

    def on_disconnect(self, connection: ClientConnection) -> None:
        """Remove a connection from its rooms, and announce the leaves; a repeated call has no effect."""
        connection.is_open = False
        self._connections.discard(connection)
        if self.membership_feed is not None:
            self.membership_feed.disconnect(connection)
        self._tokens.detach(connection)
        self.handlers.on_disconnect(connection)

    # -- shutdown

    def announce_shutdown(self, reconnect_after: float) -> None:
        """Reject new connections and further requests, and send `goingAway` to all clients.

        Connections stay open, and running handlers continue. Requests that wait for a token fail.

        Args:
            reconnect_after: Seconds after which clients reconnect.
        """
        self.is_stopping = True
        frame = encode_event(events.GOING_AWAY, events.GoingAwayPush(reconnect_after=reconnect_after))
        for connection in self._connections:
            connection.push(frame)

    async def move_clients(self, duration: float) -> None:
        """End all event streams and reject further ones, then close the connections in random order after `goingAway`.

        Later connections are accepted and stay open.

        Args:
            duration: Seconds over which the connections close, so that the clients do not connect again all at once.
        """
        self.close_streams()
        connections = list(self._connections)
        random.shuffle(connections)
        frame = encode_event(events.GOING_AWAY, events.GoingAwayPush(reconnect_after=0.0))
        for connection in connections:
            if connection.is_open:
                connection.push(frame)
                connection.close("clients move to other servers")
            await asyncio.sleep(duration / len(connections))

    def close_connections(self, reason: str) -> None:
        """Close all connections; `reason` appears in their log lines."""
        for connection in list(self._connections):
            connection.close(reason)

    def close(self) -> None:
        """Discard pending presence updates, notices and user lists; connections stay open."""
        self.handlers.close()
        for dialect in self._dialects:
            dialect.close()

    # -- event processing

    def _find_dialect(self, event: str, arguments: list[Raw]) -> Dialect:
        """Return the first dialect that matches an event."""
        return next(dialect for dialect in self._dialects if dialect.matches(event, arguments))

    def _require_open(self, connection: ClientConnection) -> None:
        """Check that requests of a connection are accepted.

        Raises:
            Unavailable: The server is stopping, or the connection is closed.
        """
        if self.is_stopping:
            raise errors.Unavailable("server_stopping", retry_after=1.0)
        if connection not in self._connections:
            raise errors.Unavailable("connection_closed")

    def _acquire_tokens(self, connection: ClientConnection, request: requests.Request, arguments: list[Raw]) -> float:
        """Acquire the tokens for a request (`RequestLimiter.acquire`)."""
        if not self.request_limiter.is_enabled:
            return 0.0
        size = sum(len(memoryview(argument)) for argument in arguments) if request.rate_class == "messages" else 0
        return self.request_limiter.acquire(connection.rate_buckets, request.rate_class, size)

    async def _await_tokens(
        self, connection: ClientConnection, request: requests.Request, arguments: list[Raw], delay: float
    ) -> None:
        """Wait until the tokens for a request are acquired, and record the start of throttling.

        The first attempt follows after `delay` seconds.

        Raises:
            Unavailable: The connection is closed, or the server is stopping.
            RateLimited: The throttling exceeds `flood_timeout`; an `error` event was pushed and the connection closed.
        """
        while delay:
            now = self._monotonic()
            if now - connection.throttled_since.setdefault(request.rate_class, now) > self._flood_timeout:
                error = errors.RateLimited("rate_limit_ignored")
                _push_error(connection, error)
                connection.close("rate limit exceeded for too long")
                raise error
            await asyncio.sleep(min(max(delay, 0.001), self._flood_timeout))
            self._require_open(connection)
            delay = self._acquire_tokens(connection, request, arguments)


def _push_error(connection: ClientConnection, error: errors.ChatError) -> None:
    connection.push(encode_event(events.ERROR, codec.ErrorBody.from_error(error)))
