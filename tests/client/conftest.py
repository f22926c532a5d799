from collections.abc import AsyncGenerator

import pytest

from server.app import RunningServer
from tests.support.tcp_proxy import TcpProxy, tcp_proxy


@pytest.fixture
async def proxy(server: RunningServer) -> AsyncGenerator[TcpProxy]:
    """Proxy in front of the server, for network faults."""
    async with tcp_proxy(server.port) as running:
        yield running
