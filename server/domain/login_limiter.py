"""Limit of failed logins per account name and client address.

- Scope: the count belongs to an account name together with an address, so failures block neither the owner of the
  account at another address, nor other users behind the same address.
- Backoff: after `FREE_FAILURES` failures with pauses below `FAILURE_WINDOW`, attempts are refused for `FIRST_DELAY`.
  Each further failure doubles the delay, up to `MAX_DELAY`. The count restarts when no attempt follows a delay for
  `FAILURE_WINDOW` or, if longer, for the length of the delay.
- Concurrency: an attempt counts as a failure from its start, so parallel guesses are limited too.
"""

from msgspec import Struct

from server.domain.rate_limits import rate_limit_key

FREE_FAILURES = 5
"""Number of failures before attempts are refused."""

FAILURE_WINDOW = 60.0
"""Seconds without an attempt after which the count of an unblocked pair restarts."""

FIRST_DELAY, MAX_DELAY = 60.0, 900.0
"""Shortest and longest delay in seconds."""

_SWEEP_INTERVAL = 1024  # attempts between two removals of outdated counts


class _Failures(Struct):
    """Failures of one account name and address.

    Attributes:
        count: Failures, with the attempts in progress.
        expires_at: Monotonic time in seconds at which the count restarts.
        blocked_until: Monotonic time in seconds until which attempts are refused.
    """

    count: int = 0
    expires_at: float = 0.0
    blocked_until: float = 0.0


class LoginLimiter:
    """Limiter of login attempts by the canonical key of the account name; times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], _Failures] = {}
        self._attempts = 0

    def acquire(self, name_key: str, address: str, now: float) -> float:
        """Register a login attempt, which counts as a failure until `release` or `reset`; loopback is limited too.

        Returns:
            0.0 if the attempt is permitted, otherwise the seconds until the next one; a refusal counts no failure.
        """
        self._sweep(now)
        failures = self._failures.setdefault((name_key, rate_limit_key(address)), _Failures())
        if now < failures.blocked_until:
            return failures.blocked_until - now
        if now >= failures.expires_at:
            failures.count = 0
        failures.count += 1
        delay = 0.0
        if failures.count >= FREE_FAILURES:
            delay = min(MAX_DELAY, FIRST_DELAY * 2 ** min(failures.count - FREE_FAILURES, 16))
        failures.blocked_until = now + delay
        failures.expires_at = now + delay + max(FAILURE_WINDOW, delay)
        return 0.0

    def release(self, name_key: str, address: str) -> None:
        """Subtract an attempt that ended without a result, and end the delay of the pair; no effect without a count."""
        failures = self._failures.get((name_key, rate_limit_key(address)))
        if failures is not None:
            failures.count, failures.blocked_until = failures.count - 1, 0.0

    def reset(self, name_key: str, address: str) -> None:
        """Delete the count of a pair after a successful login."""
        self._failures.pop((name_key, rate_limit_key(address)), None)

    def _sweep(self, now: float) -> None:
        """Delete the expired counts at every `_SWEEP_INTERVAL`-th call."""
        self._attempts += 1
        if self._attempts % _SWEEP_INTERVAL == 0:
            self._failures = {key: failures for key, failures in self._failures.items() if now < failures.expires_at}
