"""Sources of the server settings, in real processes, and the documents derived from their declaration."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from server.settings import SETTINGS, render_markdown
from tests.support.raw_client import raw_client
from tests.support.server_process import server_process, spawn_server

CONSOLE_SCRIPT = Path(sys.executable).with_name("chat-server")


async def run_script(home: Path, *arguments: str, **variables: str) -> tuple[int | None, str, str]:
    """Run the installed `chat-server` until its exit; return exit code, output and errors."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    process = await asyncio.create_subprocess_exec(
        *(str(CONSOLE_SCRIPT), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment, "HOME": str(home), **variables},
    )
    output, errors = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, output.decode(), errors.decode()


async def test_a_flag_precedes_the_environment_the_file_and_the_default(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text("ping_interval = 5\n")
    from_file, in_environment = ("--config", str(file)), {"CHAT_PING_INTERVAL": "6"}
    for arguments, variables, expected in (
        ((), {}, "ping_interval = 25.0  (default)"),
        (from_file, {}, f"ping_interval = 5.0  ({file})"),
        (from_file, in_environment, "ping_interval = 6.0  (environment CHAT_PING_INTERVAL)"),
        ((*from_file, "--ping-interval", "7"), in_environment, "ping_interval = 7.0  (command line)"),
    ):
        code, output, _ = await run_script(tmp_path, "config", *arguments, **variables)
        assert code == 0
        assert expected in output.splitlines()


async def test_a_server_runs_with_the_settings_of_its_file(tmp_path: Path) -> None:
    file, database = tmp_path / "server.toml", tmp_path / "own.db"
    file.write_text(f'port = 0\ndatabase = "{database}"\ncors_origin = ["https://a.example", "https://b.example"]\n')
    process = await spawn_server(tmp_path, "--config", str(file))
    assert process.stdout is not None
    ready_line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    async with raw_client(ready_line.split("listens on ")[1].split()[0]) as ann:
        await ann.join("tea", "ann")
        assert (await ann.request("sendMessage", {"room": "tea", "message": "hi"}))["seq"] == 1
    process.terminate()
    await process.communicate()
    assert process.returncode == 0
    assert database.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("port = 70000", "invalid value 70000 for port (expected int <= 65535)"),
        ('port = "4000x"', "invalid value '4000x' for port (expected int)"),
        ("port = true", "invalid value True for port (expected int)"),
        ("[port]\nnumber = 1", "invalid value {'number': 1} for port (expected int)"),
        ('log_level = "loud"', "invalid value 'loud' for log_level (invalid enum value 'loud')"),
        ('cors_origin = "https://a.example"', "invalid value 'https://a.example' for cors_origin (expected array)"),
        ("message-rate = 3", "unknown setting 'message-rate'; did you mean message_rate?"),
        ("flod_timeout = 3", "unknown setting 'flod_timeout'; did you mean flood_timeout?"),
        ("favourite = 3", "unknown setting 'favourite'; see chat-server --help"),
        ("port = ", "Invalid value (at line 1, column 8)"),
    ],
)
async def test_an_invalid_file_is_rejected_with_one_line_that_names_file_and_key(
    tmp_path: Path, content: str, reason: str
) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f"{content}\n")
    assert await run_script(tmp_path, "--config", str(file)) == (2, "", f"chat-server: {file}: {reason}\n")


async def test_an_invalid_variable_is_rejected_although_a_flag_replaces_the_value(tmp_path: Path) -> None:
    code, output, errors = await run_script(tmp_path, "--drain", "1", CHAT_DRAIN="soon")
    assert (code, output) == (2, "")
    assert errors == "chat-server: environment CHAT_DRAIN: invalid value 'soon' for drain (expected float)\n"


async def test_a_list_variable_separates_items_by_commas(tmp_path: Path) -> None:
    _, output, _ = await run_script(tmp_path, "config", CHAT_TRUSTED_PROXY="10.0.0.1, 10.1.0.0/16,")
    assert "trusted_proxy = 10.0.0.1, 10.1.0.0/16  (environment CHAT_TRUSTED_PROXY)" in output


async def test_help_describes_each_setting(tmp_path: Path) -> None:
    code, output, errors = await run_script(tmp_path, "--help", COLUMNS="250")
    assert (code, errors) == (0, "")
    for setting in SETTINGS.values():
        (line,) = [line for line in output.splitlines() if line.strip().startswith(f"{setting.flag} ")]
        assert setting.help in line
        assert f"default: {setting.default_text}]" in line


def test_docs_operating_md_contains_the_generated_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    assert render_markdown() in page, "make docs"


async def test_flags_with_equals_sign_and_a_second_list_item_are_accepted(tmp_path: Path) -> None:
    flags = ("--log-level=warning", "--cors-origin", "https://a.example", "--cors-origin", "https://b.example")
    async with server_process(tmp_path, *flags) as server:
        assert server.url
    _, output, _ = await run_script(tmp_path, *flags, "config")
    assert "log_level = warning  (command line)" in output
    assert "cors_origin = https://a.example, https://b.example  (command line)" in output
