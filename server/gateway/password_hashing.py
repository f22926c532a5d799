"""Argon2id password hashes (RFC 9106) in a thread pool with a bounded queue.

- Cost: 19 MiB of memory, two passes and one lane, the minimum of the OWASP recommendations.
- Equal duration: a check without a stored hash computes a hash of the same cost.
- Priority: on Linux, the threads have a lower priority than the event loop, so that logins do not delay messages.
- Fairness: one client address (`rate_limit_key`) has at most `MAX_QUEUED_PER_ADDRESS` slots of the queue, so that the
  logins of other addresses continue during a flood.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from server.domain.rate_limits import rate_limit_key
from tui_chat.protocol.errors import Unavailable

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
"""Argon2id parameters of new hashes; a login with a hash of other parameters replaces the hash."""

THREADS = 2
"""Number of concurrent hash computations."""

MAX_QUEUED = 64
"""Maximum number of running and waiting computations."""

MAX_QUEUED_PER_ADDRESS = 32
"""Maximum number of running and waiting computations of one client address."""

NICE_INCREMENT = 10
"""Difference in niceness to the event loop; with 10, a thread has a tenth of the share of a busy core."""

_RETRY_AFTER = 1.0  # seconds


class PasswordHashing:
    """Pool of hash computations.

    All methods with a client address raise `Unavailable` if the queue, or the share of the address, is full.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
        # Matches no password; a check costs as much as one of a new hash.
        self._dummy_hash = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="password", initializer=_lower_priority)
        self._queued = Counter[str]()

    async def hash(self, password: str, address: str) -> str:
        """Return the encoded hash of a normalized password with a random salt."""
        async with self._reserve_slot(address):
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._hasher.hash, password)

    async def verify(self, password: str, password_hash: str | None, address: str) -> bool:
        """Return whether a normalized password matches a hash; False after the same duration without a hash."""
        async with self._reserve_slot(address):
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, self._verify, password_hash or self._dummy_hash, password
            )

    def needs_rehash(self, password_hash: str) -> bool:
        """Return whether an encoded hash has other parameters than new hashes."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Discard waiting computations; running ones end in the background."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        """Return whether a password matches an encoded hash; False for a malformed hash."""
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False

    @asynccontextmanager
    async def _reserve_slot(self, address: str) -> AsyncGenerator[None]:
        """Reserve a slot of the queue within the context; raise `Unavailable` without a free one."""
        key = rate_limit_key(address)
        if self._queued.total() >= MAX_QUEUED or self._queued[key] >= MAX_QUEUED_PER_ADDRESS:
            raise Unavailable("logins_waiting", retry_after=_RETRY_AFTER)
        self._queued[key] += 1
        try:
            yield
        finally:
            self._queued[key] -= 1
            if not self._queued[key]:
                del self._queued[key]


def _lower_priority() -> None:
    """Lower the priority of the current thread; no effect on systems other than Linux."""
    if sys.platform == "linux":  # elsewhere, the call lowers the priority of the process
        os.nice(NICE_INCREMENT)
