"""Event loop factory: uvloop if available, otherwise the asyncio default."""

import asyncio
from collections.abc import Callable

try:
    from uvloop import new_event_loop as _new_uvloop
except ImportError:  # uvloop does not support Windows
    _new_uvloop = None

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = _new_uvloop or asyncio.new_event_loop
