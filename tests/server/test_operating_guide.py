"""Consistency of docs/operating.md with the settings and their defaults."""

import re
from pathlib import Path

from server.settings import ServerSettings

GUIDE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def test_documented_options_and_variables_exist() -> None:
    options = {name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]+)", GUIDE)}
    variables = {name.lower() for name in re.findall(r"CHAT_([A-Z_]+)", GUIDE)}
    assert options | variables <= {*ServerSettings.__struct_fields__, "help", "config", "managed"}


def test_documented_listen_address_is_the_default() -> None:
    settings = ServerSettings()
    assert f"listen on {settings.host}:{settings.port}" in GUIDE
    assert f"| default | {settings.message_rate:g} |" in GUIDE
