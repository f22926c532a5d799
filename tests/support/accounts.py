"""Accounts of a server in the test process."""

from server.app import RunningServer
from server.domain.account_directory import ServerRole
from server.gateway.account_service import IssuedToken

PASSWORD = "correct horse"


async def create_account(
    server: RunningServer,
    name: str = "ann",
    *,
    nick_name: str | None = None,
    password: str | None = None,
    role: ServerRole = "user",
) -> IssuedToken:
    """Create an account and return a token; an account without a password needs no hash computation."""
    account = await server.account_service.create_account(
        name, password=password, address="127.0.0.1", nick_name=nick_name, role=role
    )
    return await server.account_service.issue_token(account, "test")
