"""The catalogue says all that the code says, and says it whole."""

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
FOLDERS = [i18n.catalogue_dir(spoken) for spoken in Language if i18n.catalogue_dir(spoken)]


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def catalogue(folder: str) -> Catalog:
    return update_catalogue.build_catalogue(update_catalogue.catalogue_path(folder), folder)


def test_every_sentence_is_translated(catalogue: Catalog) -> None:
    assert update_catalogue.find_untranslated(catalogue) == [], "make messages, then fill them in (docs/translating.md)"


def test_a_translation_has_the_parts_of_its_sentence(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            wanted = parts(message.id[-1] if isinstance(message.id, tuple) else str(message.id))
            for said in message.string if isinstance(message.string, tuple) else (str(message.string),):
                assert parts(said) == wanted, message.id


def test_the_files_are_those_that_the_code_makes(folder: str, catalogue: Catalog) -> None:
    path = update_catalogue.catalogue_path(folder)
    assert path.read_bytes() == update_catalogue.render_po(catalogue), "make messages"
    assert path.with_suffix(".mo").read_bytes() == update_catalogue.compile_mo(catalogue), "make messages"


def parts(text: str) -> list[tuple[str, str | None]]:
    named = [(name, form) for _, name, form, _ in Formatter().parse(text) if name is not None]
    return sorted([*named, *((percent, None) for percent in re.findall(r"%(?:\(\w+\))?[srd]", text))])


REFUSALS: dict[str, type[ChatError]] = {kind.__name__: kind for kind in errors.ERRORS_BY_CODE.values()} | {
    name: kind for name, kind in vars(client_errors).items() if isinstance(kind, type) and issubclass(kind, ChatError)
}

BOTH_SIDES = ("tui_chat/protocol", "tui_chat/client")
"""What is refused before a server is asked: these reasons must be known one by one, with their parts."""

SERVER = ("server/domain", "server/engineio", "server/gateway", "server/storage")
"""What a server refuses: at least the code can be said."""


def reasons(folders: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Where each reason of a refusal stands, it with something for each of its parts, and its code."""
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
                kind = REFUSALS.get(node.func.id)
                if kind is not None and (said := reason(node.args[0])):
                    yield f"{file.name}:{node.lineno}", said, kind.code


def reason(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "messages" for part in node.values)
    return ""


def test_every_reason_of_a_refusal_can_be_said_in_another_language() -> None:
    ours, the_servers = list(reasons(BOTH_SIDES)), list(reasons(SERVER))
    i18n.activate(Language.CHINESE)
    try:
        untold = [(where, said) for where, said, _ in ours if error_text.phrase(said) == said]
        untold += [(where, said) for where, said, code in the_servers if error_text.phrase(said, code) == said]
    finally:
        i18n.activate(Language.ENGLISH)
    assert len(ours) > 10
    assert len(the_servers) > 10
    assert not untold, "tui_chat/session/error_text.py does not know them"
