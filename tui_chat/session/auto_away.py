"""Automatic status after a time without input (setting `away_after`).

- Manual status: a status of `/away`, or of another device, is neither replaced by the automatic one nor removed by
  input. The end of the automatic status by another device counts as input.
- Check: the front end calls `record_input` for each input, and `check` every few seconds.
- Requests: each one runs in the background, and cancels the previous one.
- Errors: a failed request is only logged. `check` repeats a removal; the client repeats the mark as away after each
  reconnect.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from tui_chat.client.events import Online
from tui_chat.protocol.errors import ChatError
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.server_link import ServerLink
from tui_chat.session.settings.schema import ClientSettings

log = logging.getLogger("chat.session")

MINUTE = 60.0
"""Unit of the setting in seconds."""


class AutoAway:
    """Automatic status of one session, with a monotonic clock in seconds."""

    def __init__(
        self,
        session: ChatSession,
        link: ServerLink,
        settings: Callable[[], ClientSettings],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._link = link
        self._settings = settings
        self._now = now
        self._last_input = now()
        self._is_active = False
        self._change_count = 0  # changes of the status by other devices before the automatic one
        self._is_removal_due = False  # after a failed removal
        self._request: asyncio.Task[None] | None = None
        self._logged_error_type: type[Exception] | None = None

    def record_input(self) -> None:
        """Restart the time without input, and remove the automatic status, if set."""
        self._last_input = self._now()
        self._detect_change()
        if self._is_active:
            self._set_status(is_away=False)

    def check(self) -> None:
        """Set the automatic status after `away_after` minutes without input; remove the status if the setting is 0.

        Also repeats a failed removal. The status is not set without a connection, or for a user who is away already. An
        unexpected exception is not raised, but logged unless the last logged one has the same type.
        """
        try:
            self._check()
        except Exception as error:
            if type(error) is not self._logged_error_type:
                self._logged_error_type = type(error)
                log.exception("check of the automatic status failed: repeated at the next check")

    def _check(self) -> None:
        self._detect_change()
        limit = MINUTE * self._settings().away_after
        if self._is_active:
            if not limit:
                self._set_status(is_away=False)
            return
        is_idle = limit > 0 and self._now() - self._last_input >= limit
        is_due = is_idle or self._is_removal_due
        if is_due and isinstance(self._session.connection_state, Online) and not self._is_away():
            self._set_status(is_away=is_idle)

    def _detect_change(self) -> None:
        """End the automatic status after a change by another device, and restart the time without input."""
        if self._is_active and self._link.require_client().user.status_change_count != self._change_count:
            self._is_active, self._last_input = False, self._now()

    def _is_away(self) -> bool:
        return self._link.require_client().user.is_away

    def _set_status(self, *, is_away: bool) -> None:
        self._is_active, self._is_removal_due = is_away, False
        self._change_count = self._link.require_client().user.status_change_count
        if self._request is not None:
            self._request.cancel()
        # No request of `ServerLink.start`: the screen reader waits for those, and this one waits for a connection.
        self._request = asyncio.create_task(self._send_status(is_away=is_away))

    async def _send_status(self, *, is_away: bool) -> None:
        try:
            await self._link.require_client().user.set_status(away=is_away)
            return
        except ChatError as error:
            log.info("automatic status not changed: %s", error.code)
        except Exception:
            log.exception("automatic status not changed: unexpected error")
        self._is_removal_due = not is_away
