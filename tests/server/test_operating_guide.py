"""docs/operating.md against the program: what it names exists, and its defaults are the defaults."""

import re
from pathlib import Path

import pytest

from server.settings import ServerSettings, resolve_settings

GUIDE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def test_every_option_and_variable_it_names_is_one() -> None:
    options = {name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]+)", GUIDE)}
    variables = {name.lower() for name in re.findall(r"CHAT_([A-Z_]+)", GUIDE)}
    assert options | variables <= {*ServerSettings.__struct_fields__, "help", "config"}


@pytest.mark.parametrize(
    ("said", "setting", "value"),
    [
        ("ten messages at once and three a second", "message_burst", 10),
        ("ten messages at once and three a second", "message_rate", 3),
        ("join or rename five times a second", "join_rate", 5),
        ("may hold 20 connections", "connections_per_address", 20),
        ("open 64 a minute", "connects_per_minute", 64),
        ("make 30 rooms a minute", "rooms_per_minute", 30),
        ("a megabyte behind", "unsent_bytes", 1 << 20),
        ("stood still for ten seconds", "stall_timeout", 10),
        ("listens on 127.0.0.1:3000", "port", 3000),
        ("listens on 127.0.0.1:3000", "host", "127.0.0.1"),
    ],
)
def test_the_figures_it_gives_are_the_defaults(said: str, setting: str, value: object) -> None:
    assert said in GUIDE
    assert getattr(resolve_settings({}, {}, None).settings, setting) == value
