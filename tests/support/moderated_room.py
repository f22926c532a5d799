"""Room on a real server, with persons of any role."""

from contextlib import AsyncExitStack
from typing import Any

from server.app import RunningServer
from tests.support.persons import Person, connect_person


class ModeratedRoom:
    """Room `tea`, empty before the first `add`.

    Args:
        stack: Owner of the connections.

    Attributes:
        server: Running server.
        persons: Added persons by name.
    """

    def __init__(self, server: RunningServer, stack: AsyncExitStack) -> None:
        self.server = server
        self._stack = stack
        self.persons: dict[str, Person] = {}

    async def add(self, name: str, kind: Any = "guest", **options: Any) -> Person:
        """Connect a person and join the room."""
        person = await self._stack.enter_async_context(connect_person(self.server, name, kind, **options))
        assert await person.join() == ""
        self.persons[name] = person
        return person

    async def add_moderator(self, name: str, admin: Person) -> Person:
        """Add an account, and make it a moderator."""
        person = await self.add(name, "account")
        assert await admin.attempt("setRole", memberId=person.member_id, role="moderator") == ""
        return person
