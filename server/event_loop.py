"""The event loop that the server runs on: uvloop where there is one."""

import asyncio
from collections.abc import Callable

try:
    from uvloop import new_event_loop as _fast
except ImportError:  # there is none for Windows
    _fast = None

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = _fast or asyncio.new_event_loop
