"""Execution of the code examples in docs/bots.md on a running server."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.persons import Person, connect_person
from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "bots.md").read_text()
JAVASCRIPT = pytest.mark.needs_node


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[Person]:
    """Account in room `tea`."""
    async with connect_person(server, "ann", "account") as person:
        assert await person.join() == ""
        yield person


def example(heading: str, language: str) -> str:
    """Return the first code block of `language` under `heading`."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    match = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert match
    return match[1]


async def start_example(code: str, language: str, **environment: str) -> asyncio.subprocess.Process:
    """Start an example as a process."""
    commands = {
        "python": lambda: (sys.executable, "-c"),
        "javascript": lambda: (require_node(), "--input-type=module", "-e"),
        "sh": lambda: ("sh", "-c"),
    }
    return await asyncio.create_subprocess_exec(
        *commands[language](),
        code.replace('"socket.io-client"', '"socket.io-client-4.8.4"'),
        cwd=JAVASCRIPT_DIRECTORY,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("heading", "language"),
    [
        ("Python with the SDK", "python"),
        ("Python with HTTP", "python"),
        pytest.param("JavaScript with Socket.IO", "javascript", marks=JAVASCRIPT),
        pytest.param("JavaScript with fetch", "javascript", marks=JAVASCRIPT),
        ("Shell", "sh"),
    ],
)
async def test_an_example_bot_answers_a_command(
    server: RunningServer, ann: Person, heading: str, language: str
) -> None:
    token = (await create_account(server, "echo", is_bot=True)).token
    code = example(heading, language)
    assert "http://localhost:3000" in code
    bot = await start_example(code.replace("http://localhost:3000", server.url), language, CHAT_TOKEN=token)
    try:
        await wait_until(lambda: server.read_metrics().observers + server.read_metrics().members == 2)
        if server.read_metrics().members == 2:  # a member is counted before the server reads its log position
            await ann.client.wait_for_push("message", kind="join", nickName="echo")
        seq = await ann.send("!echo hello there")
        reply = await ann.client.wait_for_push("message", nickName="echo", bot=True)
        assert reply["message"] == "hello there"
        assert reply.get("replyTo") == (None if language == "sh" else seq)
    finally:
        os.killpg(bot.pid, 15)
        await bot.wait()


async def test_the_examples_of_webhooks_post_their_texts(ann: Person) -> None:
    created = await ann.client.request("createHook", {"room": "tea", "nickName": "ci"})
    workflow = example("Examples of webhooks", "yaml")
    command = re.search(r"run: (.*)", workflow)
    assert command is not None
    for code, text in (
        (example("Webhooks", "sh"), "Backup finished"),
        (command[1], "tea/kettle, main: success & more"),
    ):
        program = await start_example(code, "sh", CHAT_WEBHOOK=created["url"], TEXT="tea/kettle, main: success & more")
        assert await program.wait() == 0
        assert (await ann.client.wait_for_push("message", nickName="ci", bot=True))["message"] == text
