"""Completeness and placeholder checks of the message catalogues."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog

from tools import update_catalogue
from tui_chat.client import errors as client_errors
from tui_chat.protocol import errors
from tui_chat.protocol.errors import ChatError
from tui_chat.session import error_text, i18n
from tui_chat.session.i18n import Language

ROOT = Path(__file__).parents[2]
FOLDERS = [i18n.catalogue_dir(language) for language in Language if i18n.catalogue_dir(language)]


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def catalogue(folder: str) -> Catalog:
    return update_catalogue.build_catalogue(update_catalogue.catalogue_path(folder), folder)


def test_every_message_is_translated(catalogue: Catalog) -> None:
    assert update_catalogue.find_untranslated(catalogue) == [], (
        "run make messages, then translate the new entries (docs/translating.md)"
    )


def test_translations_have_the_placeholders_of_their_message(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            expected = placeholders(message.id[-1] if isinstance(message.id, tuple) else str(message.id))
            for translation in message.string if isinstance(message.string, tuple) else (str(message.string),):
                assert placeholders(translation) == expected, message.id


def test_catalogue_files_match_the_generated_output(folder: str, catalogue: Catalog) -> None:
    path = update_catalogue.catalogue_path(folder)
    assert path.read_bytes() == update_catalogue.render_po(catalogue), "run make messages"
    assert path.with_suffix(".mo").read_bytes() == update_catalogue.compile_mo(catalogue), "run make messages"


def placeholders(text: str) -> list[tuple[str, str | None]]:
    fields = [(name, form) for _, name, form, _ in Formatter().parse(text) if name is not None]
    return sorted([*fields, *((percent, None) for percent in re.findall(r"%(?:\(\w+\))?[srd]", text))])


ERROR_TYPES: dict[str, type[ChatError]] = {
    error_type.__name__: error_type for error_type in errors.ERRORS_BY_CODE.values()
} | {
    name: error_type
    for name, error_type in vars(client_errors).items()
    if isinstance(error_type, type) and issubclass(error_type, ChatError)
}

CLIENT_PACKAGES = ("tui_chat/protocol", "tui_chat/client")
"""Packages that raise errors before a request is sent; each reason needs its own translation."""

SERVER_PACKAGES = ("server/domain", "server/engineio", "server/gateway", "server/storage")
"""Packages that raise errors on the server; a translation of the error code is sufficient."""


def find_reasons(folders: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield location, sample text and error code of each error that the packages raise."""
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
                error_type = ERROR_TYPES.get(node.func.id)
                if error_type is not None and (text := sample_text(node.args[0])):
                    yield f"{file.name}:{node.lineno}", text, error_type.code


def sample_text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "messages" for part in node.values)
    return ""


def test_every_error_reason_has_a_translation() -> None:
    client_reasons, server_reasons = list(find_reasons(CLIENT_PACKAGES)), list(find_reasons(SERVER_PACKAGES))
    i18n.activate(Language.CHINESE)
    try:
        untranslated = [(location, text) for location, text, _ in client_reasons if error_text.phrase(text) == text]
        untranslated += [
            (location, text) for location, text, code in server_reasons if error_text.phrase(text, code) == text
        ]
    finally:
        i18n.activate(Language.ENGLISH)
    assert len(client_reasons) > 10
    assert len(server_reasons) > 10
    assert not untranslated, "add these reasons to tui_chat/session/error_text.py"
