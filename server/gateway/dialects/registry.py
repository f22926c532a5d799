"""All dialects, in the order in which they are asked whether an event is theirs."""

from server.gateway.dialects.dialect import Dialect, DialectContext
from server.gateway.dialects.native import NativeDialect
from server.gateway.dialects.resource_crud import ResourceCrudDialect
from server.gateway.dialects.server_msg import ServerMsgDialect
from server.gateway.dialects.string_join import StringJoinDialect

DIALECT_TYPES: tuple[type[Dialect], ...] = (StringJoinDialect, ServerMsgDialect, ResourceCrudDialect, NativeDialect)
"""The native one is last: it takes whatever bears the name of one of its requests."""


def create_dialects(context: DialectContext) -> tuple[Dialect, ...]:
    """One of each."""
    return tuple(dialect_type(context) for dialect_type in DIALECT_TYPES)
