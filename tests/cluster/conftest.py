"""PostgreSQL and Redis servers, and nodes in the test process."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.postgresql import PostgreSQLServer, shared_postgresql
from tests.support.redis import RedisServer, redis_server

StartNode = Callable[[], AbstractAsyncContextManager[RunningServer]]
"""Function that runs a node in the test process."""


@pytest.fixture(scope="package")
def postgresql() -> PostgreSQLServer:
    return shared_postgresql()


@pytest.fixture(scope="package")
def redis() -> Generator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(params=["postgres", pytest.param("redis", marks=pytest.mark.needs_redis)])
def bus(request: pytest.FixtureRequest) -> str:
    """Value of `--bus`; the tests run with each implementation."""
    return "postgres" if request.param == "postgres" else request.getfixturevalue("redis").url


@pytest.fixture
def start_node(postgresql: PostgreSQLServer, bus: str, tmp_path: Path) -> StartNode:
    return lambda: running_server(tmp_path, database=postgresql.url, bus=bus, rate_limit="off")


@pytest.fixture
async def nodes(start_node: StartNode) -> AsyncGenerator[list[RunningServer]]:
    """Two nodes of one database."""
    async with start_node() as first, start_node() as second:
        yield [first, second]
