"""Sources of the server settings, in real processes, and the documents derived from their declaration."""

import asyncio
import sys
from pathlib import Path
from typing import get_args

import pytest

from server.settings import SETTINGS, ConfigError, render_markdown
from server.settings_sources import resolve_settings
from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.raw_client import raw_client
from tests.support.server_process import run_server, server_process, spawn_server
from tests.support.wait import TIMEOUT
from tui_chat.argument_parser import shown_command

CONSOLE_SCRIPT = Path(sys.executable).with_name("chat-server")


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
        code, output, _ = await run_server(tmp_path, "config", *arguments, **variables)
        assert code == 0
        assert expected in output.splitlines()


async def test_a_server_runs_with_the_settings_of_its_file(tmp_path: Path) -> None:
    file, database = tmp_path / "server.toml", tmp_path / "own.db"
    file.write_text(f'port = 0\ndatabase = "{database}"\ncors_origin = ["https://a.example", "https://b.example"]\n')
    process = await spawn_server(tmp_path, "--config", str(file))
    assert process.stdout is not None
    ready_line = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).decode()
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
        ("port = 70000", "invalid value 70000 for port (expected int from 0 to 65535)"),
        ('port = "4000x"', "invalid value '4000x' for port (expected int from 0 to 65535)"),
        ("port = true", "invalid value True for port (expected int from 0 to 65535)"),
        ("[port]\nnumber = 1", "invalid value {'number': 1} for port (expected int from 0 to 65535)"),
        ('log_level = "loud"', "invalid value 'loud' for log_level (invalid enum value 'loud')"),
        ('cors_origin = "https://a.example"', "invalid value 'https://a.example' for cors_origin (expected array)"),
        ("message-rate = 3", "unknown setting 'message-rate'; did you mean message_rate?"),
        ("flod_timeout = 3", "unknown setting 'flod_timeout'; did you mean flood_timeout?"),
        ("favourite = 3", f"unknown setting 'favourite'; see {shown_command('chat-server')} --help"),
        ("port = ", "Invalid value (at line 1, column 8)"),
    ],
)
async def test_an_invalid_file_is_rejected_with_one_line_that_names_file_and_key(
    tmp_path: Path, content: str, reason: str
) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f"{content}\n")
    assert await run_server(tmp_path, "--config", str(file)) == (2, "", f"chat-server: {file}: {reason}\n")


def test_a_file_above_the_size_limit_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f"# {'x' * 2**20}\nport = 1\n")
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        resolve_settings({}, {}, file)


async def test_only_the_effective_value_is_validated(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('drain = "never"\nport = 70000\ncors_origin = 7\n')
    replaced = ("--config", str(file), "--port", "1", "--cors-origin", "http://a.example")
    code, output, errors = await run_server(tmp_path, "config", *replaced, "--drain", "1", CHAT_DRAIN="soon")
    assert (code, errors) == (0, "")
    assert "drain = 1.0  (command line)" in output
    code, output, errors = await run_server(tmp_path, *replaced, CHAT_DRAIN="soon")
    assert (code, output) == (2, "")
    expected = "chat-server: environment CHAT_DRAIN: invalid value 'soon' for drain (expected float from 0 to 3600)\n"
    assert errors == expected


async def test_numbers_outside_their_limits_are_rejected_with_the_allowed_range(tmp_path: Path) -> None:
    for name, setting in SETTINGS.items():
        if setting.limits is None:
            continue
        for value in ("nan", "inf", "-inf", "1e400", str(setting.limits[0] - 0.5), str(setting.limits[1] * 2)):
            with pytest.raises(ConfigError) as rejection:
                resolve_settings({name: value}, {}, None)
            assert "from {:.10g} to {:.10g})".format(*setting.limits) in str(rejection.value), value
        for value in setting.limits:
            settings, _ = resolve_settings({name: value}, {}, None)
            assert getattr(settings, name) == value
    assert [name for name, setting in SETTINGS.items() if get_args(setting.type)[0] in (int, float)] == [
        name for name, setting in SETTINGS.items() if setting.limits is not None
    ]
    for flag in ("--ping-interval", "--drain"):
        code, output, errors = await run_server(tmp_path, flag, "inf")
        assert (code, output, errors.count("\n")) == (2, "", 1)


async def test_paths_of_all_sources_are_absolute_and_expanded(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    file = tmp_path / "server.toml"
    file.write_text('pages = "~/site"\n', encoding="utf-8-sig")
    flags = ("--config", str(file), "--tls-key", "key.pem", "--tls-cert", "~/cert.pem", "--log-file", "~/server.log")
    _, output, _ = await run_server(tmp_path, "config", *flags, CHAT_DATABASE="~/chat.db")
    for name, path in (
        ("database", "chat.db"),
        ("pages", "site"),
        ("tls_key", Path.cwd() / "key.pem"),
        ("tls_cert", "cert.pem"),
        ("log_file", "server.log"),
    ):
        assert f"{name} = {tmp_path / path}  (" in output
    _, output, _ = await run_server(tmp_path, "config", CHAT_DATABASE="postgresql://host/db")
    assert "database = postgresql://host/db  (" in output
    process = await spawn_server(tmp_path, "--port", "0", "--database", "~/inner/chat.db")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), TIMEOUT)
    assert (tmp_path / "inner" / "chat.db").exists()
    process.terminate()
    await process.communicate()


async def test_unknown_variables_are_reported_with_the_nearest_name(tmp_path: Path) -> None:
    code, _, errors = await run_server(tmp_path, "config", CHAT_PROT="1", CHAT_PORT="4000", XCHAT_PORT="5")
    assert (code, errors) == (0, "chat-server: unknown environment variable CHAT_PROT; did you mean CHAT_PORT?\n")


async def test_variables_of_a_service_named_chat_are_ignored_with_one_warning(tmp_path: Path) -> None:
    service = {
        "CHAT_SERVICE_HOST": "10.0.0.1",
        "CHAT_SERVICE_PORT": "8000",
        "CHAT_SERVICE_PORT_HTTP": "8000",
        "CHAT_PORT": "tcp://10.0.0.1:8000",
        "CHAT_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "CHAT_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    code, output, errors = await run_server(tmp_path, "config", CHAT_PROT="1", **service)
    assert code == 0
    assert "port = 3000  (default)" in output.splitlines()
    assert errors == (
        "chat-server: CHAT_PORT='tcp://10.0.0.1:8000' is the address of a service, not a port; ignored, use --port\n"
        "chat-server: unknown environment variable CHAT_PROT; did you mean CHAT_PORT?\n"
    )
    for value in ("abc", "http://10.0.0.1:8000", "tcp:8000"):
        code, output, errors = await run_server(tmp_path, "config", CHAT_PORT=value)
        assert (code, output) == (2, "")
        assert errors.startswith(f"chat-server: environment CHAT_PORT: invalid value {value!r} for port")
    assert (await run_server(tmp_path, "config", "--port", "tcp://10.0.0.1:8000"))[0] == 2


async def test_a_list_variable_separates_items_by_commas(tmp_path: Path) -> None:
    _, output, _ = await run_server(tmp_path, "config", CHAT_TRUSTED_PROXY="10.0.0.1, 10.1.0.0/16,")
    assert "trusted_proxy = 10.0.0.1, 10.1.0.0/16  (environment CHAT_TRUSTED_PROXY)" in output


async def test_help_describes_each_setting(tmp_path: Path) -> None:
    command, environ = (str(CONSOLE_SCRIPT), "--help"), program_environment(tmp_path, COLUMNS="250")
    process = await start_program(command, environ, stdout=PIPE, stderr=PIPE)
    data, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    output = data.decode()
    assert (process.returncode, errors) == (0, b"")
    for setting in SETTINGS.values():
        (line,) = [line for line in output.splitlines() if line.strip().startswith(f"{setting.flag} ")]
        assert setting.help in line
        assert f"default: {setting.default_text}]" in line


def test_docs_operating_md_contains_the_generated_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    assert render_markdown() in page, "make docs"


async def test_flags_with_equals_sign_switches_and_a_second_list_item_are_accepted(tmp_path: Path) -> None:
    flags = ("--log-level=warning", "--cors-origin", "https://a.example", "--cors-origin", "https://b.example")
    async with server_process(tmp_path, *flags) as server:
        assert server.url
    _, output, _ = await run_server(tmp_path, *flags, "--insecure-login", "off", "--conversations", "config")
    assert "log_level = warning  (command line)" in output
    assert "insecure_login = off  (command line)" in output
    assert "conversations = on  (command line)" in output
    assert "cors_origin = https://a.example, https://b.example  (command line)" in output
