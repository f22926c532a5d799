"""A joined room as the session needs it: what of the SDK's `Room` it reads, and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from server.protocol.entries import Member, Message
from tui_chat.client.posting import Posting


class GapLike(Protocol):
    """A gap of the log, as the SDK has it."""

    @property
    def after(self) -> int: ...  # noqa: D102
    @property
    def before(self) -> int: ...  # noqa: D102


class LogLike(Protocol):
    """A room's log, as the SDK has it."""

    @property
    def first(self) -> int: ...  # noqa: D102
    @property
    def last(self) -> int: ...  # noqa: D102
    def __contains__(self, seq: int) -> bool: ...
    def __getitem__(self, seq: int) -> Message: ...
    def messages(self) -> Iterable[Message]: ...  # noqa: D102
    def gaps(self) -> Sequence[GapLike]: ...  # noqa: D102


class RoomLike(Protocol):
    """A joined room, as the SDK has it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def nick(self) -> str: ...  # noqa: D102
    @property
    def member_id(self) -> str: ...  # noqa: D102
    @property
    def members(self) -> Mapping[str, Member]: ...  # noqa: D102
    @property
    def plain(self) -> bool: ...  # noqa: D102
    @property
    def log(self) -> LogLike: ...  # noqa: D102
    def unsent(self) -> Sequence[Posting]: ...  # noqa: D102
