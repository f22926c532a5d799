"""Callers of HTTP requests, and their credentials."""

from msgspec import Struct

from server.domain.account_directory import AccountIdentity
from server.engineio.connection import ClientConnection
from server.gateway.credentials import find_guest_key, find_header_token
from server.gateway.device_tokens import DeviceTokens
from server.gateway.identity import IdentityResolver
from tui_chat.protocol import errors


class HttpCaller(Struct, frozen=True, kw_only=True):
    """Account or guest that sends an HTTP request.

    Attributes:
        address: Network address of the client.
        member_id: Member id of the account or the guest; empty for a guest without a guest key.
        account: Account of the caller, None for a guest.
    """

    address: str
    member_id: str
    account: AccountIdentity | None = None

    def create_connection(self) -> ClientConnection:
        """Return a connection for the request handlers; pushes to the connection are discarded."""
        return ClientConnection(
            push=lambda _: None,
            close=lambda _: None,
            sid="",
            address=self.address,
            rate_buckets={},
            member_id=self.member_id,
            account=self.account,
        )


class CallerIdentifier:
    """Verifier of the credentials of HTTP requests.

    Args:
        tokens: Verifier of tokens.
        identity: Verifier of guest keys.
        allow_guests: Accept guest keys.
    """

    def __init__(self, tokens: DeviceTokens, identity: IdentityResolver, *, allow_guests: bool) -> None:
        self._tokens = tokens
        self._identity = identity
        self._allow_guests = allow_guests

    async def identify(self, authorization: str, address: str, *, is_optional: bool = False) -> HttpCaller:
        """Return the caller of an HTTP request.

        Args:
            authorization: Header `Authorization` with a token or a guest key, empty if absent.
            address: Network address of the client.
            is_optional: Return a guest with an empty member id if the header is absent and the server accepts guests.

        Raises:
            Unauthorized: The token or the key is missing or invalid, or the server accepts no guests.
            Unavailable: The token cannot be read.
        """
        if find_header_token(authorization) is not None:
            account = await self.identify_account(authorization)
            return HttpCaller(address=address, member_id=account.member_id, account=account)
        guest_key = find_guest_key(authorization)
        if not authorization and is_optional and self._allow_guests:
            return HttpCaller(address=address, member_id="")
        if guest_key is None:
            raise errors.Unauthorized("credentials_missing")
        member_id = self._identity.verify_guest_key(guest_key)
        if member_id is None:
            raise errors.Unauthorized("guest_key_invalid")
        if not self._allow_guests:
            raise errors.Unauthorized("login_required")
        return HttpCaller(address=address, member_id=member_id)

    async def identify_account(self, authorization: str) -> AccountIdentity:
        """Return the account of the token in the header `Authorization` of an HTTP request.

        Raises:
            Unauthorized: The token is missing or invalid.
            Unavailable: The token cannot be read.
        """
        token = find_header_token(authorization)
        if token is None:
            raise errors.Unauthorized("login_required")
        return await self._tokens.authenticate(token)
