"""Whose messages are not shown.

Rule 1  The settings name nicknames; whoever was seen under one of them stays ignored
        under any other nickname, as long as the program runs.
Rule 2  What you say yourself is never ignored.
"""

from collections.abc import Callable

from tui_chat.session.settings.schema import ClientSettings


class IgnoreFilter:
    """Knows who is ignored now.

    Args:
        settings: What is set now.
    """

    def __init__(self, settings: Callable[[], ClientSettings]) -> None:
        self._settings = settings
        self._ignored_nicks: tuple[str, ...] = settings().ignored
        self._ignored_member_ids: set[str] = set()

    def refresh(self) -> bool:
        """Whether others are ignored now than when this was last asked."""
        nicks = self._settings().ignored
        if nicks == self._ignored_nicks:
            return False
        self._ignored_nicks = nicks
        self._ignored_member_ids.clear()
        return True

    def is_hidden(self, nick: str, member_id: str) -> bool:
        """Whether what this member says under this nickname is not to be shown."""
        settings = self._settings()
        if not settings.ignored:
            return False
        if settings.is_ignored(nick):
            self._ignored_member_ids.add(member_id)
        return member_id in self._ignored_member_ids
