"""Conformance of the HTTP endpoints to their OpenAPI document, with requests from Schemathesis."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.account_api import AccountApiClient, account_api
from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.program import PIPE

EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))
"""Maximum number of requests per operation, kind of data and kind of path; `make api-requests` sends more."""

SLOW = {"register", "logIn", "changePassword", "upload"}
"""Operations with a password hash or a child process, which receive at most two requests of each kind."""

UNTESTED = {
    "streamEvents",  # the response has no end
    "getOpenApiDocument",  # Schemathesis reads the document itself
}

SUCCESSFUL = {
    *("listRooms", "getRoom", "listMessages", "listHooks", "revokeHook", "postToHook"),
    *("download", "getProfile", "listDevices", "revokeDevice", "getDocumentation"),
}
"""Operations that succeed with some of the generated requests, so that their responses are compared as well."""


@pytest.mark.timeout(120 * EXAMPLES)
async def test_generated_requests_receive_documented_responses(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rate_limit="off", registration="open") as server,
        account_api(server.url) as api,
    ):
        document = (await api.request("GET", "/api/openapi.json")).body
        names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
        tokens = {
            name: (await create_account(server, f"account{index}", role="admin")).token
            for index, name in enumerate(names)
        }
        plan = {
            "url": server.url,
            "examples": {
                name: 0 if name in UNTESTED else min(EXAMPLES, 2) if name in SLOW else EXAMPLES for name in names
            },
            "tokens": tokens,
            "paths": await _create_objects(api.with_token(tokens["sendMessage"])),
            "lenient": ["postToHook"],
            "queries": {"upload": {"room": "tea", "name": "a"}},
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.api_fuzzer", stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        output, failures = await process.communicate(msgspec.json.encode(plan))
    assert process.returncode == 0, failures.decode()
    statuses = msgspec.json.decode(output, type=dict[str, dict[int, int]])
    assert statuses.keys() == set(names) - UNTESTED
    assert {name for name, counts in statuses.items() if any(status < 300 for status in counts)} >= SUCCESSFUL


async def _create_objects(api: AccountApiClient) -> dict[str, dict[str, str]]:
    """Create a message, a file and webhooks; return their path parameters by operation."""
    upload = (await api.request("POST", "/api/uploads?room=tea&name=a.txt", data=b"text")).body
    await api.request("POST", "/api/rooms/tea/messages", {"message": "hi", "attachments": [upload["id"]]})
    path = "/api/rooms/tea/hooks"
    hooks = [(await api.request("POST", path, {"nickName": name})).body for name in ("hook1", "hook2")]
    room = {"name": "tea"}
    in_room = ("getRoom", "listMessages", "sendMessage", "createHook", "listHooks")
    return {
        **dict.fromkeys(in_room, room),
        "download": {"id": upload["id"], "name": "a.txt"},
        "postToHook": {"secret": hooks[0]["url"].rpartition("/")[2]},
        "revokeHook": {**room, "id": hooks[1]["id"]},
        "revokeDevice": {"id": "current"},
    }
