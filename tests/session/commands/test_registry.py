import pytest

from tui_chat.session.commands import registry
from tui_chat.session.commands.registry import Action, ChatText, CommandCall, ParseError, parse


def parse_call(text: str) -> tuple[Action, tuple[str, ...]]:
    parsed = parse(text)
    assert isinstance(parsed, CommandCall)
    return parsed.command.action, parsed.arguments


@pytest.mark.parametrize(
    ("text", "action", "arguments"),
    [
        ("/join tea", Action.JOIN, ("tea",)),
        ("/JOIN  the big room ", Action.JOIN, ("the big room",)),
        ("/j 茶馆", Action.JOIN, ("茶馆",)),
        ("/part", Action.PART, ()),
        ("/leave tea", Action.PART, ("tea",)),
        ("/close", Action.PART, ()),
        ("/nick Ann Lee", Action.NICK, ("Ann Lee",)),
        ("/who", Action.NAMES, ()),
        ("/list", Action.LIST, ()),
        ("/exit", Action.QUIT, ()),
    ],
)
def test_commands_and_aliases_are_case_insensitive(text: str, action: Action, arguments: tuple[str, ...]) -> None:
    assert parse_call(text) == (action, arguments)


def test_a_double_slash_escapes_a_leading_slash() -> None:
    assert parse("//join tea") == ChatText("/join tea")


def test_text_without_a_leading_slash_is_chat_text() -> None:
    assert parse(" /join tea") == ChatText(" /join tea")
    assert parse("a /b") == ChatText("a /b")


@pytest.mark.parametrize("text", ["/frobnicate", "/", "/ join", "/usr/bin/env"])
def test_an_unknown_command_is_a_parse_error(text: str) -> None:
    assert isinstance(parse(text), ParseError)


@pytest.mark.parametrize("text", ["/join", "/nick", "/names all", "/quit now"])
def test_wrong_arguments_report_the_usage_of_the_command(text: str) -> None:
    error = parse(text)
    assert isinstance(error, ParseError)
    assert text.split(maxsplit=1)[0] in error.problem


def test_command_names_and_aliases_are_unique() -> None:
    all_names = [name for command in registry.COMMANDS for name in (command.name, *command.aliases)]
    assert len(all_names) == len(set(all_names))
    assert {command.action for command in registry.COMMANDS} == set(Action)
