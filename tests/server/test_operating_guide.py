"""Consistency of docs/operating.md with the settings and their defaults."""

import re
from pathlib import Path

import pytest

from server.settings import ServerSettings, resolve_settings

GUIDE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def test_documented_options_and_variables_exist() -> None:
    options = {name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]+)", GUIDE)}
    variables = {name.lower() for name in re.findall(r"CHAT_([A-Z_]+)", GUIDE)}
    assert options | variables <= {*ServerSettings.__struct_fields__, "help", "config"}


@pytest.mark.parametrize(
    ("excerpt", "setting", "value"),
    [
        ("| `--message-burst` | 10 |", "message_burst", 10),
        ("| `--message-rate` | 3 |", "message_rate", 3),
        ("| `--join-rate` | 5 |", "join_rate", 5),
        ("| `--connections-per-address` | 20 |", "connections_per_address", 20),
        ("| `--connects-per-minute` | 64 |", "connects_per_minute", 64),
        ("| `--rooms-per-minute` | 30 |", "rooms_per_minute", 30),
        ("| `--flood-timeout` | 30 |", "flood_timeout", 30),
        ("| `--max-unsent-bytes` | 1048576 |", "max_unsent_bytes", 1 << 20),
        ("| `--stall-timeout` | 10 |", "stall_timeout", 10),
        ("listen on 127.0.0.1:3000", "port", 3000),
        ("listen on 127.0.0.1:3000", "host", "127.0.0.1"),
    ],
)
def test_documented_defaults_match_the_settings(excerpt: str, setting: str, value: object) -> None:
    assert excerpt in GUIDE
    assert getattr(resolve_settings({}, {}, None).settings, setting) == value
