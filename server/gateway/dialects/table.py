"""All dialects, in the order in which they are asked whether an event is theirs."""

from server.gateway.dialects.bare import Bare
from server.gateway.dialects.dialect import Dialect, Surroundings
from server.gateway.dialects.grouped import Grouped
from server.gateway.dialects.native import Native
from server.gateway.dialects.resource import Resource

DIALECTS: tuple[type[Dialect], ...] = (Bare, Grouped, Resource, Native)
"""The native one is last: it takes whatever bears the name of one of its requests."""


def all_dialects(surroundings: Surroundings) -> tuple[Dialect, ...]:
    """One of each."""
    return tuple(dialect(surroundings) for dialect in DIALECTS)
