"""Table of bounded size with least-recently-used eviction."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class LruTable(Generic[KeyT, ValueT]):
    """Values by key. Above the capacity, the least recently used entry is dropped.

    Args:
        capacity: Maximum number of entries.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values = OrderedDict[KeyT, ValueT]()  # least recently used first

    def get(self, key: KeyT) -> ValueT | None:
        """Return the value of a key, None for an unknown one; counts as use."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: KeyT, value: ValueT) -> None:
        """Store the value of a key; counts as use."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def remove(self, key: KeyT) -> None:
        """Remove a key, if present."""
        self._values.pop(key, None)

    def items(self) -> list[tuple[KeyT, ValueT]]:
        """Return all entries, least recently used first; does not count as use."""
        return list(self._values.items())
