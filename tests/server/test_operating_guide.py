"""Consistency of docs/operating.md with the settings and their defaults."""

import re
from pathlib import Path

from server.settings import ServerSettings

GUIDE_PATH = Path(__file__).parents[2] / "docs" / "operating.md"
GUIDE = GUIDE_PATH.read_text(encoding="utf-8")


def test_documented_options_and_variables_exist() -> None:
    options = {name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]+)", GUIDE)}
    variables = {name.lower() for name in re.findall(r"CHAT_([A-Z_]+)", GUIDE)}
    client_options = {"serve"}
    server_options = {*ServerSettings.__struct_fields__, "help", "config", "json", "managed"}
    assert options | variables <= server_options | client_options


def test_every_option_in_messages_of_the_server_exists() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (GUIDE_PATH.parents[1] / "server").rglob("*.py"))
    options = {name.replace("-", "_") for name in re.findall(r"(?<![\w-])--([a-z][a-z-]+)", sources)}
    assert "cors_origin" in options
    flags_without_setting = {"completion", "config", "help", "json", "managed", "version"}
    assert options <= {*ServerSettings.__struct_fields__, *flags_without_setting}


def test_documented_listen_address_is_the_default() -> None:
    settings = ServerSettings()
    assert f"listen on {settings.host}:{settings.port}" in GUIDE
    assert f"| default | {settings.message_rate:g} |" in GUIDE
