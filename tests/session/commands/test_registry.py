import pytest

from tui_chat.session.commands import registry
from tui_chat.session.commands.registry import Action, ChatText, CommandCall, ParseError, parse


def called(text: str) -> tuple[Action, tuple[str, ...]]:
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
def test_a_command_is_known_by_every_name_in_any_case(text: str, action: Action, arguments: tuple[str, ...]) -> None:
    assert called(text) == (action, arguments)


def test_two_slashes_say_one() -> None:
    assert parse("//join tea") == ChatText("/join tea")


def test_other_text_is_said_as_it_is() -> None:
    assert parse(" /join tea") == ChatText(" /join tea")
    assert parse("a /b") == ChatText("a /b")


@pytest.mark.parametrize("text", ["/frobnicate", "/", "/ join", "/usr/bin/env"])
def test_an_unknown_command_is_an_error_and_not_said(text: str) -> None:
    assert isinstance(parse(text), ParseError)


@pytest.mark.parametrize("text", ["/join", "/nick", "/names all", "/quit now"])
def test_a_command_with_wrong_arguments_says_how_it_is_typed(text: str) -> None:
    wrong = parse(text)
    assert isinstance(wrong, ParseError)
    assert text.split(maxsplit=1)[0] in wrong.problem


def test_every_name_belongs_to_one_command() -> None:
    taken = [name for command in registry.COMMANDS for name in (command.name, *command.aliases)]
    assert len(taken) == len(set(taken))
    assert {command.action for command in registry.COMMANDS} == set(Action)
