"""Filter for messages of ignored and blocked members.

- Ignored nicknames are a setting of this device, blocked members belong to the account.
- Identity: a member seen under an ignored nickname stays ignored after a nickname change, until the setting changes or
  the session ends.
- Messages of the user: the caller excludes the user's member id.
"""

from collections.abc import Callable

from tui_chat.session.settings.name_lookup import is_ignored
from tui_chat.session.settings.schema import ClientSettings


class IgnoreFilter:
    """Ignored nicknames from the settings, the member ids seen under them, and blocked members."""

    def __init__(self, settings: Callable[[], ClientSettings]) -> None:
        self.blocked_member_ids: frozenset[str] = frozenset()
        self._settings = settings
        self._applied = (settings().ignored, self.blocked_member_ids)
        self._ignored_member_ids: set[str] = set()

    def set_blocked(self, member_id: str, is_blocked: bool) -> None:
        """Add or remove a blocked member; `pop_change` reports a change. No effect if the member has this state."""
        changed = {member_id}
        self.blocked_member_ids = self.blocked_member_ids | changed if is_blocked else self.blocked_member_ids - changed

    def pop_change(self) -> bool:
        """Return whether the ignored nicknames or the blocked members changed since the last call.

        A change of the nicknames also removes the recorded member ids.
        """
        current = (self._settings().ignored, self.blocked_member_ids)
        if current == self._applied:
            return False
        if current[0] != self._applied[0]:
            self._ignored_member_ids.clear()
        self._applied = current
        return True

    def is_hidden(self, nick: str, member_id: str) -> bool:
        """Return whether messages of this member under this nickname are hidden: blocked, or ignored.

        A call with an ignored nickname also records the member id, so that later nicknames of the member are hidden.
        """
        if member_id in self.blocked_member_ids:
            return True
        settings = self._settings()
        if not settings.ignored:
            return False
        if is_ignored(settings, nick):
            self._ignored_member_ids.add(member_id)
        return member_id in self._ignored_member_ids
