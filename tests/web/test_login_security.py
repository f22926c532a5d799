"""Guesses, enumeration of names and floods of logins; expiry and revocation of tokens, with a real server."""

import asyncio
import json
import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from server.app import RunningServer, serve
from server.domain import login_limiter
from server.domain.login_limiter import FREE_FAILURES
from server.gateway import password_hashing
from server.gateway.password_hashing import MAX_QUEUED_PER_ADDRESS, MEMORY_KIB, NICE_INCREMENT, PasswordHashing
from server.settings import ServerSettings
from server.storage.account_repository import MAX_DEVICES
from tests.support.account_api import AccountApiClient, ApiResponse, account_api
from tests.support.accounts import PASSWORD, create_account, open_connection
from tests.support.in_process_server import running_server
from tests.support.storage import ManualClock
from tests.support.wait import wait_until

DAY_MS = 24 * 3_600_000
GUESSES = 10_000
PIPELINE_BATCH = 100
"""Number of pipelined requests per batch."""

MAX_ROUNDS = 40
"""Maximum number of rounds of a CPU time comparison; the minima of many rounds exclude the noise of other programs."""


@pytest.fixture
def production_password_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with the production parameters."""
    monkeypatch.setattr(password_hashing, "MEMORY_KIB", MEMORY_KIB)


@pytest.fixture
def password_check_gate(monkeypatch: pytest.MonkeyPatch) -> Generator[threading.Event]:
    """Block all password checks until the returned event is set."""
    unblock, verify = threading.Event(), password_hashing.PasswordHasher.verify

    def verify_later(hasher: password_hashing.PasswordHasher, password_hash: str, password: str) -> bool:
        unblock.wait()
        return verify(hasher, password_hash, password)

    monkeypatch.setattr(password_hashing.PasswordHasher, "verify", verify_later)
    yield unblock
    unblock.set()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server behind a trusted proxy with HTTPS, so that a header selects the client address."""
    async with running_server(tmp_path, registration="open", rate_limit="off", trusted_proxy=("127.0.0.1",)) as running:
        yield running


def from_address(api: AccountApiClient, address: str) -> AccountApiClient:
    """Return a client with the given address, behind the proxy."""
    return api.with_headers(X_Forwarded_For=address, X_Forwarded_Proto="https")


async def send_guesses(port: int, address: str, count: int) -> Counter[int]:
    """Send logins with wrong passwords over one connection; return the number of responses by status."""
    body = json.dumps({"account": "ann", "password": "wrong password"}).encode()
    head = f"Host: chat\r\nX-Forwarded-For: {address}\r\nX-Forwarded-Proto: https\r\nContent-Length: {len(body)}\r\n"
    request = f"POST /api/sessions HTTP/1.1\r\nContent-Type: application/json\r\n{head}\r\n".encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses = Counter[int]()
    try:
        for number in range(count):
            if number % PIPELINE_BATCH == 0:
                writer.write(request * min(PIPELINE_BATCH, count - number))
            response = await reader.readuntil(b"\r\n\r\n")
            statuses[int(response.split()[1])] += 1
            length = next(line for line in response.split(b"\r\n") if line.lower().startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
    finally:
        writer.close()
    return statuses


async def test_of_10000_guesses_only_five_are_checked_and_other_logins_succeed(
    server: RunningServer, api: AccountApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_limiter, "FIRST_DELAY", 600.0)  # longer than the guesses on a slow machine
    await api.register("ann")
    await api.register("bob")
    assert await send_guesses(server.port, "192.0.2.1", GUESSES) == {401: 5, 429: GUESSES - 5}
    blocked = await from_address(api, "192.0.2.1").log_in("ann")
    assert (blocked.reason, blocked.status) == ("too_many_logins", 429)
    assert 0 < blocked.body["retryAfter"] <= 600
    assert 0 < int(blocked.headers["Retry-After"]) <= 600
    assert (await from_address(api, "192.0.2.1").log_in("bob")).status == 200
    assert (await from_address(api, "198.51.100.1").log_in("ann")).status == 200


async def test_unknown_accounts_are_limited_like_known_ones(api: AccountApiClient) -> None:
    await api.register("ann")
    for name in ("ann", "nobody"):
        responses = [await from_address(api, "192.0.2.1").log_in(name, "wrong password") for _ in range(6)]
        assert [response.status for response in responses] == [401] * 5 + [429]


@pytest.mark.usefixtures("production_password_hashes")
async def test_unknown_accounts_and_wrong_passwords_have_the_same_response_and_cpu_time(
    server: RunningServer, api: AccountApiClient
) -> None:
    await api.register("ann")
    await create_account(server, "robot")
    await create_account(server, "former")
    await server.account_service.delete_account_by_name("former", "keep")
    attempts = {
        "wrong": ("ann", "wrong password"),
        "invalid": ("ann", "wrong\x00password"),
        "unknown": ("nobody", "wrong password"),
        "bot": ("robot", "wrong password"),
        "deleted": ("former", "wrong password"),
    }
    bodies = set[str]()
    fastest = dict.fromkeys(attempts, math.inf)
    for number in range(MAX_ROUNDS):
        for kind, (name, password) in attempts.items():
            started_at = time.process_time()
            response = await from_address(api, f"192.0.2.{number}").log_in(name, password)
            fastest[kind] = min(fastest[kind], time.process_time() - started_at)
            assert response.status == 401
            bodies.add(json.dumps(response.body))
        if number >= 5 and max(fastest.values()) < 1.2 * min(fastest.values()):
            break
    else:
        raise AssertionError(fastest)
    assert len(bodies) == 1


async def fill_queue(flood: AccountApiClient) -> list[asyncio.Task[ApiResponse]]:
    """Send twice as many logins as the share of an address; return them after half of them were rejected."""
    logins = [
        asyncio.create_task(flood.log_in(f"guess{number}", "wrong password"))
        for number in range(2 * MAX_QUEUED_PER_ADDRESS)
    ]
    await wait_until(lambda: sum(login.done() for login in logins) == MAX_QUEUED_PER_ADDRESS)
    return logins


async def test_a_flood_of_logins_from_one_address_does_not_block_other_addresses(
    api: AccountApiClient, password_check_gate: threading.Event
) -> None:
    await api.register("ann")
    flood = from_address(api, "192.0.2.1")
    logins = await fill_queue(flood)
    other = asyncio.create_task(from_address(api, "198.51.100.1").log_in("ann"))
    assert (await flood.log_in("ann")).reason == "logins_waiting"
    assert not other.done()
    password_check_gate.set()
    assert (await other).status == 200
    responses = [await login for login in logins]
    assert sorted(response.status for response in responses) == [401] * MAX_QUEUED_PER_ADDRESS + [503] * (
        MAX_QUEUED_PER_ADDRESS
    )
    assert (await flood.log_in("ann")).status == 200


async def test_a_login_rejected_by_a_full_queue_is_not_a_failed_login(
    api: AccountApiClient, password_check_gate: threading.Event
) -> None:
    await api.register("ann")
    flood = from_address(api, "192.0.2.1")
    logins = await fill_queue(flood)
    assert [(await flood.log_in("ann")).status for _ in range(2 * FREE_FAILURES)] == [503] * 2 * FREE_FAILURES
    password_check_gate.set()
    await asyncio.gather(*logins)
    assert (await flood.log_in("ann")).status == 200


async def is_valid(server: RunningServer, token: str) -> bool:
    """Return whether a token is accepted over HTTP."""
    async with account_api(server.url) as api:
        return (await api.with_token(token).request("GET", "/api/me")).status == 200


async def test_each_use_extends_a_token_by_90_days_with_and_without_restarts(
    tmp_path: Path, clock: ManualClock
) -> None:
    settings = ServerSettings(port=0, database=str(tmp_path / "chat.db"))
    async with serve(settings, now=clock) as server:
        token = (await create_account(server)).token
        for _ in range(3):
            clock.now += 80 * DAY_MS
            assert await is_valid(server, token)
    for _ in range(3):
        clock.now += 80 * DAY_MS
        async with serve(settings, now=clock) as server:
            assert await is_valid(server, token)
    async with serve(settings, now=clock) as server:
        clock.now += 91 * DAY_MS
        assert not await is_valid(server, token)
    async with serve(settings, now=clock) as server:
        assert not await is_valid(server, token)


async def test_an_open_connection_counts_as_use_of_its_token(tmp_path: Path, clock: ManualClock) -> None:
    async with serve(ServerSettings(port=0, database=str(tmp_path / "chat.db")), now=clock) as server:
        issued = await create_account(server)
        idle = await server.account_service.issue_token(issued.account, "idle")
        async with open_connection(server, {"token": issued.token}):
            for _ in range(100):
                clock.now += DAY_MS
                await server.account_service.tokens.save_uses()
            assert await is_valid(server, issued.token)
            assert not await is_valid(server, idle.token)


async def test_the_time_of_last_use_is_rounded_down_to_the_hour(tmp_path: Path, clock: ManualClock) -> None:
    async with serve(ServerSettings(port=0, database=str(tmp_path / "chat.db")), now=clock) as server:
        token = (await create_account(server)).token
        clock.now += 5 * 3_600_000 + 123_456
        async with account_api(server.url) as api:
            await api.with_token(token).request("GET", "/api/me")
            await server.account_service.tokens.save_uses()
            (device,) = (await api.with_token(token).request("GET", "/api/sessions")).body["sessions"]
        assert device["lastUsedAt"] == clock.now // 3_600_000 * 3_600_000


async def test_the_oldest_device_above_the_limit_is_revoked_and_disconnected(server: RunningServer) -> None:
    issued = await create_account(server)
    async with open_connection(server, {"token": issued.token}) as (client, _):
        tokens = [(await server.account_service.issue_token(issued.account, "")).token for _ in range(MAX_DEVICES)]
        assert await client.wait_for_push("authFail")
    assert not await is_valid(server, issued.token)
    assert await is_valid(server, tokens[0])


async def test_a_login_during_a_password_change_yields_no_valid_token_and_does_not_restore_the_old_password(
    server: RunningServer, api: AccountApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.register("ann")
    logins = [asyncio.ensure_future(api.log_in("ann")) for _ in range(4)]
    await server.account_service.reset_password("ann", "battery staple")
    responses = await asyncio.gather(*logins)
    for response in responses:
        assert response.status in (200, 401)
        if response.status == 200:
            assert not await is_valid(server, response.body["token"])
    assert (await api.log_in("ann", "battery staple")).status == 200  # resets the limit of failed logins
    assert (await api.log_in("ann", PASSWORD)).status == 401
    hash_password = PasswordHashing.hash

    async def hash_after_a_password_change(hashing: PasswordHashing, password: str, address: str) -> str:
        monkeypatch.setattr(PasswordHashing, "hash", hash_password)
        await server.account_service.reset_password("ann", PASSWORD)
        return await hash_password(hashing, password, address)

    def needs_rehash(_hashing: PasswordHashing, _password_hash: str) -> bool:
        return True

    monkeypatch.setattr(PasswordHashing, "needs_rehash", needs_rehash)
    monkeypatch.setattr(PasswordHashing, "hash", hash_after_a_password_change)
    assert (await api.log_in("ann", "battery staple")).status == 401
    assert (await api.log_in("ann", PASSWORD)).status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_password_hashes_have_a_lower_priority_than_a_server_with_a_niceness_above_10(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    priorities: list[int] = []

    def record_priority(_hasher: password_hashing.PasswordHasher, _password: str) -> str:
        priorities.append(os.getpriority(os.PRIO_PROCESS, 0))
        return ""

    def run_server() -> None:
        priorities.append(os.nice(13))  # of this thread
        hashing = PasswordHashing()
        asyncio.run(hashing.hash("correct horse", "192.0.2.1"))
        hashing.close()

    monkeypatch.setattr(password_hashing, "NICE_INCREMENT", NICE_INCREMENT)
    monkeypatch.setattr(password_hashing.PasswordHasher, "hash", record_priority)
    thread = threading.Thread(target=run_server)
    thread.start()
    thread.join()
    server_priority, hash_priority = priorities
    assert hash_priority == min(19, server_priority + 10)
