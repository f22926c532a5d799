"""Base of all structs on the wire."""

from typing import Annotated

from msgspec import Meta, Struct

from tui_chat.protocol.limits import SECRET_CHARACTERS

OpaqueString = Annotated[str, Meta(max_length=SECRET_CHARACTERS)]


class WireStruct(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Base of all wire structs: camelCase names, default values omitted, unknown fields ignored."""
