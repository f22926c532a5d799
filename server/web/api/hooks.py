"""HTTP endpoints of webhooks (docs/protocol.md, "Webhooks")."""

from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import web
from msgspec import Struct

from server.gateway.handlers import Handlers
from server.gateway.hook_messages import HookMessages
from server.gateway.room_hooks import HOOKS_PATH
from server.web.api.authentication import RequestAuthenticator
from server.web.api.endpoints import ApiCall, Endpoint, RawContent
from server.web.api.guard import read_body
from server.web.api.hook_payloads import FORM_TYPE, extract_text
from server.web.api.rooms import ROOM_PROBLEMS, RoomPath
from tui_chat.protocol import events, responses, room_requests
from tui_chat.protocol.request_base import Request
from tui_chat.protocol.wire_struct import OpaqueString

MAX_HOOK_BYTES = 256 * 1024
"""Maximum size of the body of a message, in bytes; programs send much more than the text."""


class HookBody(Struct, frozen=True, rename="camel"):
    """Body of `POST /api/rooms/{name}/hooks`.

    Attributes:
        nick_name: Name of the webhook, the author of its messages.
    """

    nick_name: str


class HookPath(RoomPath, frozen=True):
    """Path parameters of a webhook.

    Attributes:
        id: Identifier of the webhook.
    """

    id: OpaqueString


class HookSecret(Struct, frozen=True):
    """Path parameters of the URL of a webhook.

    Attributes:
        secret: Secret from the response of the creation.
    """

    secret: OpaqueString


class HookPayload(Struct, frozen=True):
    """Common fields of the payloads of programs; docs/bots.md lists further accepted fields.

    Attributes:
        text: Text of the message.
    """

    text: str


class HookApi:
    """Endpoints of webhooks.

    Args:
        handlers: Request handlers of the server.
        messages: Writer of messages.
        authenticator: Source of the client of a request.

    Attributes:
        endpoints: Declared endpoints.
    """

    def __init__(self, handlers: Handlers, messages: HookMessages, authenticator: RequestAuthenticator) -> None:
        self._handlers = handlers
        self._messages = messages
        self._authenticator = authenticator
        path = "/api/rooms/{name}/hooks"
        self.endpoints = (
            Endpoint(
                method="POST",
                path=path,
                name="createHook",
                summary="Create a webhook of a room",
                tag="webhooks",
                handle=self._create,
                credentials="account",
                rate_class=room_requests.CreateHook.rate_class,
                parameters=RoomPath,
                body=HookBody,
                response=responses.HookCreated,
                status=HTTPStatus.CREATED,
                problems=(*ROOM_PROBLEMS, HTTPStatus.CONFLICT),
            ),
            Endpoint(
                method="GET",
                path=path,
                name="listHooks",
                summary="List the webhooks of a room that the account may revoke",
                tag="webhooks",
                handle=self._list_all,
                credentials="account",
                parameters=RoomPath,
                response=responses.HookList,
                problems=ROOM_PROBLEMS,
            ),
            Endpoint(
                method="DELETE",
                path=path + "/{id}",
                name="revokeHook",
                summary="Revoke a webhook of a room",
                tag="webhooks",
                handle=self._revoke,
                credentials="account",
                rate_class=room_requests.RevokeHook.rate_class,
                parameters=HookPath,
                problems=ROOM_PROBLEMS,
            ),
            Endpoint(
                method="POST",
                path=HOOKS_PATH + "/{secret}",
                name="postToHook",
                summary="Send a message with a webhook",
                tag="webhooks",
                handle=self._post,
                credentials="none",
                rate_class=None,
                parameters=HookSecret,
                body=RawContent({"application/json": HookPayload, "text/plain": str, FORM_TYPE: HookPayload}),
                response=RawContent({"text/plain": str}),
                problems=(HTTPStatus.NOT_FOUND,),
            ),
        )

    async def _create(self, call: ApiCall[RoomPath, HookBody]) -> Any:
        return await self._run_request(
            call, room_requests.CreateHook(room=call.parameters.name, nick_name=call.body.nick_name)
        )

    async def _list_all(self, call: ApiCall[RoomPath, None]) -> Any:
        return await self._run_request(call, room_requests.ListHooks(room=call.parameters.name))

    async def _revoke(self, call: ApiCall[HookPath, None]) -> None:
        await self._run_request(call, room_requests.RevokeHook(room=call.parameters.name, id=call.parameters.id))

    async def _post(self, call: ApiCall[HookSecret, None]) -> web.Response:
        """Append the text of a payload as a message; return `ok` as Slack does, which Grafana and Alertmanager compare.

        The secret is verified before the body is read.

        Raises:
            BadRequest: The payload is malformed or has no text.
            TooLong: The body is larger than `MAX_HOOK_BYTES`.
            ChatError: The secret or the message is rejected (`HookMessages`).
            web.HTTPRequestTimeout: The body is not complete in time.
        """
        request, secret = call.request, call.parameters.secret
        caller = await self._messages.identify(secret, call.caller.address)
        text = extract_text(await read_body(request, MAX_HOOK_BYTES), request.content_type)
        await self._messages.append(caller, secret, text)
        return web.Response(text="ok")

    async def _run_request(self, call: ApiCall[Any, Any], request: Request) -> events.WireStruct:
        """Run a request with the shared handlers, and return its response; raises as the handler (`RoomHooks`)."""
        connection = call.caller.create_connection()
        connection.server_origin = self._authenticator.get_client(call.request).server_origin
        return await self._handlers.access_control.retry_stale(
            connection, partial(self._handlers.handle, connection, request)
        )
