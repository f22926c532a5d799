"""Retry decisions for the messages of one room and for uploads.

- Temporary errors: `rate_limited`, `unavailable` and `internal`. All other errors are final.
- Delay: `retryAfter` of the error, otherwise exponential backoff. `rate_limited` does not increase the backoff, because
  the rate limit is no failure of the server.
- Internal errors: an item fails at its `MAX_INTERNAL_ERRORS`-th `internal` error.

`server/web/static/net/retry_policy.js` has the same rules; `tests/vectors/outbox.json` tests both.
"""

from uuid import UUID

from tui_chat.protocol.errors import ChatError, InternalError, RateLimited, Unavailable

RETRY_DELAY = 0.5
"""Delay after the first temporary error without `retryAfter`, in seconds."""
MAX_RETRY_DELAY = 15.0
"""Ceiling of the exponential backoff, in seconds."""
MAX_INTERNAL_ERRORS = 3
"""Number of `internal` errors at which an item fails."""


class RetryPolicy:
    """Error counters of the messages of one room, or of one upload."""

    def __init__(self) -> None:
        self._failures = 0  # consecutive temporary errors without `rate_limited`, counted up to the maximum delay
        self._internal_errors = 0  # of the item `_client_id`
        self._client_id: UUID | None = None

    def reset(self) -> None:
        """Clear the counters after a success."""
        self._failures = self._internal_errors = 0

    def next_delay(self, client_id: UUID, error: ChatError) -> float | None:
        """Count an error, and return the delay in seconds before the next attempt of the item.

        None for a final error, which clears the counters.
        """
        if client_id != self._client_id:
            self._client_id, self._internal_errors = client_id, 0
        self._internal_errors += isinstance(error, InternalError)
        if not isinstance(error, (RateLimited, Unavailable, InternalError)) or (
            self._internal_errors >= MAX_INTERNAL_ERRORS
        ):
            self.reset()
            return None
        delay = min(MAX_RETRY_DELAY, RETRY_DELAY * 2.0**self._failures)
        self._failures += delay < MAX_RETRY_DELAY and not isinstance(error, RateLimited)
        return delay if error.retry_after is None else error.retry_after
