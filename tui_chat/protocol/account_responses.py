"""Responses of the account endpoints (docs/protocol.md, "Account endpoints").

Times are in milliseconds since the epoch.
"""

from msgspec import UNSET, Struct, UnsetType


class Login(Struct, frozen=True, rename="camel"):
    """Token of an account on one device.

    Attributes:
        account: Account name.
        token: Secret credential.
        expires_at: Expiry if the token is not used again.
    """

    account: str
    token: str
    expires_at: int


class Device(Struct, frozen=True, rename="camel"):
    """Login of an account.

    Attributes:
        id: Identifier for a revocation.
        label: Name of the device, possibly empty.
        created_at: Time of the login.
        last_used_at: Hour of the last use.
        current: True for the login of the request.
    """

    id: int
    label: str
    created_at: int
    last_used_at: int
    current: bool


class DeviceList(Struct, frozen=True):
    """Logins of an account, newest first."""

    sessions: list[Device]


class AccountProfile(Struct, frozen=True, rename="camel"):
    """Profile of an account.

    Attributes:
        account: Account name.
        nick_name: Nickname in all rooms.
        member_id: Member id in all rooms.
        role: Role on the server: `user` or `admin`.
        about: Text about the owner, possibly empty.
        created_at: Time of the registration.
        email: Address; absent without one.
    """

    account: str
    nick_name: str
    member_id: str
    role: str
    about: str
    created_at: int
    email: str | UnsetType = UNSET
