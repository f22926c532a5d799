"""Translations, placeholders and command names of the message catalogues; texts and documentation of error reasons."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog

from tools import update_catalogue
from tui_chat import cli
from tui_chat.client import errors as client_errors
from tui_chat.protocol import errors
from tui_chat.protocol.error_reasons import MESSAGES, WIRE_MESSAGES
from tui_chat.protocol.errors import ChatError
from tui_chat.session import i18n
from tui_chat.session.commands import registry

ROOT = Path(__file__).parents[2]
OPTION = r"(?<![\w-])--[a-z][a-z-]*"
FOLDERS = [directory for directory in i18n.CATALOGUE_DIRS.values() if directory]


@pytest.fixture(scope="module", params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    """Return the folder of one catalogue below `tui_chat/locale`."""
    return str(request.param)


@pytest.fixture(scope="module")
def catalogue(folder: str) -> Catalog:
    return update_catalogue.build_catalogue(update_catalogue.catalogue_path(folder), folder)


def test_every_message_is_translated(catalogue: Catalog) -> None:
    assert update_catalogue.find_untranslated(catalogue) == [], (
        "run make messages, then translate the new entries (docs/translating.md)"
    )


def test_translations_have_the_placeholders_of_their_message(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            expected = find_placeholders(message.id[-1] if isinstance(message.id, tuple) else str(message.id))
            for translation in message.string if isinstance(message.string, tuple) else (str(message.string),):
                assert find_placeholders(translation) == expected, message.id


def test_catalogue_files_match_the_generated_output(folder: str, catalogue: Catalog) -> None:
    path = update_catalogue.catalogue_path(folder)
    assert path.read_bytes() == update_catalogue.render_po(catalogue), "run make messages"
    assert path.with_suffix(".mo").read_bytes() == update_catalogue.compile_mo(catalogue), "run make messages"


def find_placeholders(text: str) -> list[tuple[str, str | None]]:
    """Return the sorted placeholders of a text, as name and format; the format is None for `%` placeholders."""
    fields = [(name, format_spec) for _, name, format_spec, _ in Formatter().parse(text) if name is not None]
    return sorted([*fields, *((percent, None) for percent in re.findall(r"%(?:\(\w+\))?[srd]", text))])


def test_commands_and_options_in_messages_exist(catalogue: Catalog) -> None:
    text = "\n".join(str(message.id) for message in catalogue)
    commands = set(re.findall(r"(?<![\w/.:])/([a-z][a-z-]*)", text)) - {"command"}
    assert "stop-server" in commands
    assert [name for name in commands if registry.find(name) is None] == []
    options = set(re.findall(OPTION, text))
    assert "--serve" in options
    program_options = set(re.findall(OPTION, cli.build_parser().format_help()))
    command_options = {option for command in registry.COMMANDS for option in re.findall(OPTION, command.usage)}
    assert options <= program_options | command_options


ERROR_TYPES: dict[str, type[ChatError]] = {
    error_type.__name__: error_type for error_type in errors.ERRORS_BY_CODE.values()
} | {
    name: error_type
    for name, error_type in vars(client_errors).items()
    if isinstance(error_type, type) and issubclass(error_type, ChatError)
}

PACKAGES = ("server", "tui_chat")


def find_reasons() -> Iterator[tuple[str, str]]:
    """Yield location and reason of each error that the code creates with a literal reason and no message."""
    for file in (file for folder in PACKAGES for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                has_message = any(keyword.arg == "message" for keyword in node.keywords)
                if name in ERROR_TYPES and isinstance(node.args[0], ast.Constant) and not has_message:
                    yield f"{file.name}:{node.lineno}", str(node.args[0].value)


def test_every_reason_of_an_error_has_a_message() -> None:
    reasons = list(find_reasons())
    assert len(reasons) > 60
    assert [location for location, reason in reasons if reason not in MESSAGES] == []


def test_the_protocol_documents_exactly_the_reasons_on_the_wire_with_their_parameters() -> None:
    documentation = (ROOT / "docs" / "protocol.md").read_text()
    table = documentation.split("| code | reasons {params} |\n")[1].split("\n\n")[0]
    documented = dict(re.findall(r"`(\w+)`(?: \{(.+?)\})?", "".join(row.split("|")[2] for row in table.splitlines())))
    assert documented.keys() == WIRE_MESSAGES.keys()
    for reason, message in WIRE_MESSAGES.items():
        assert set(re.findall(r"\{(\w+)\}", message)) <= set(re.findall(r"\w+", documented[reason])), reason
