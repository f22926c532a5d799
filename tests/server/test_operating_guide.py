"""Consistency of docs/operating.md and docs/scaling.md with the settings and their defaults."""

import re
import shlex
from pathlib import Path

from server.arguments import build_parser
from server.settings import ServerSettings
from tui_chat.argument_parser import collect_actions

GUIDE_PATH = Path(__file__).parents[2] / "docs" / "operating.md"
GUIDE = GUIDE_PATH.read_text(encoding="utf-8")
SCALING = GUIDE_PATH.with_name("scaling.md").read_text(encoding="utf-8")

FIELDS = frozenset(ServerSettings.__struct_fields__)
CLIENT_OPTIONS = frozenset({"serve"})


def find_options(text: str) -> set[str]:
    """Return the command-line options in a text, as names of settings."""
    return {name.replace("-", "_") for name in re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text)}


SERVER_OPTIONS = find_options(
    " ".join(option for action in collect_actions(build_parser()) for option in action.option_strings)
)


def find_commands(text: str) -> list[str]:
    """Return the arguments of the `chat-server` commands in the code blocks of a page, without comments."""
    lines = "".join(text.split("```")[1::2]).splitlines()
    return [match[1] for line in lines if (match := re.search(r"(?:^|[ /=])chat-server( [^#]*)", line))]


def test_documented_options_exist() -> None:
    options = find_options(GUIDE)
    assert "cors_origin" in options
    assert options <= SERVER_OPTIONS | CLIENT_OPTIONS


def test_commands_of_the_scaling_guide_are_valid() -> None:
    commands = find_commands(SCALING)
    assert len(commands) >= 5
    for command in commands:
        build_parser().parse(shlex.split(command.replace("%i", "3000")))


def test_documented_variables_exist() -> None:
    variables = {name.lower() for name in re.findall(r"\bCHAT_([A-Z_]+)", GUIDE + SCALING)}
    assert "database" in variables
    assert variables <= FIELDS


def test_every_option_in_messages_of_the_server_exists() -> None:
    paths = (GUIDE_PATH.parents[1] / "server").rglob("*.py")
    # The style sheet of `docs_page` has custom properties with the prefix of options.
    sources = "".join(path.read_text(encoding="utf-8") for path in paths if path.name != "docs_page.py")
    options = find_options(sources)
    assert "cors_origin" in options
    assert options <= SERVER_OPTIONS


def test_documented_listen_address_is_the_default() -> None:
    settings = ServerSettings()
    assert f"listen on {settings.host}:{settings.port}" in GUIDE


def test_documented_message_rate_is_the_default() -> None:
    assert f"| default | {ServerSettings().message_rate:g} |" in GUIDE
