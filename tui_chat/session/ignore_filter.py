"""Filter for messages of ignored members.

- Identity: a member seen under an ignored nickname stays ignored after a nickname change, until the setting changes
  or the program ends.
- Own messages: the caller exempts the user's own member id.
"""

from collections.abc import Callable

from tui_chat.session.settings.name_lookup import is_ignored
from tui_chat.session.settings.schema import ClientSettings


class IgnoreFilter:
    """Ignored nicknames from the settings and the member ids seen under them.

    Args:
        settings: Accessor of the current settings.
    """

    def __init__(self, settings: Callable[[], ClientSettings]) -> None:
        self._settings = settings
        self._ignored_nicks: tuple[str, ...] = settings().ignored
        self._ignored_member_ids: set[str] = set()

    def refresh(self) -> bool:
        """Reload the ignored nicknames and return whether they changed.

        A change forgets the member ids seen under ignored nicknames.
        """
        nicks = self._settings().ignored
        if nicks == self._ignored_nicks:
            return False
        self._ignored_nicks = nicks
        self._ignored_member_ids.clear()
        return True

    def is_hidden(self, nick: str, member_id: str) -> bool:
        """Return whether messages of this member under this nickname are hidden.

        A call with an ignored nickname also records the member id, so that later nicknames of the member are hidden.
        """
        settings = self._settings()
        if not settings.ignored:
            return False
        if is_ignored(settings, nick):
            self._ignored_member_ids.add(member_id)
        return member_id in self._ignored_member_ids
