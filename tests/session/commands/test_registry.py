import pytest

from tui_chat.session.commands import handlers, registry
from tui_chat.session.commands.registry import CommandCall, CommandRejected, escape, parse


def parse_call(text: str) -> tuple[str, tuple[str, ...]]:
    parsed = parse(text)
    assert isinstance(parsed, CommandCall)
    return parsed.command.name, parsed.arguments


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("/join tea", "join", ("tea",)),
        ("/JOIN  the big room ", "join", ("the big room",)),
        ("/j 茶馆", "join", ("茶馆",)),
        ("/part", "part", ()),
        ("/Leave tea", "part", ("tea",)),
        ("/close", "part", ()),
        ("/nick Ann Lee", "nick", ("Ann Lee",)),
        ("/who", "names", ()),
        ("/list", "list", ()),
        ("/exit", "quit", ()),
    ],
)
def test_a_name_or_alias_in_any_case_selects_the_command(text: str, name: str, arguments: tuple[str, ...]) -> None:
    assert parse_call(text) == (name, arguments)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("/jion tea", "join"), ("/topci x", "topic"), ("/nik ann", "nick"), ("/serch tea", "search"), ("/not", "notify")],
)
def test_a_wrong_command_name_suggests_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(CommandRejected, match=f"Did you mean /{nearest}\\?"):
        parse(text)


def test_a_double_slash_escapes_a_leading_slash() -> None:
    assert parse("//join tea") == "/join tea"
    assert [escape(text) for text in ("/join tea", "/me waves", "tea")] == ["//join tea", "/me waves", "tea"]


def test_text_without_a_leading_slash_is_chat_text() -> None:
    assert parse(" /join tea") == " /join tea"
    assert parse("a /b") == "a /b"


@pytest.mark.parametrize("text", ["/frobnicate", "/", "/ join", "/usr/bin/env"])
def test_an_unknown_command_is_rejected(text: str) -> None:
    with pytest.raises(CommandRejected, match="Unknown command /"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "usage"),
    [("/join", "/join room"), ("/nick", "/nick nickname"), ("/clear all", "/clear"), ("/quit now", "/quit")],
)
def test_wrong_arguments_report_the_usage_of_the_command(text: str, usage: str) -> None:
    with pytest.raises(CommandRejected, match=f"^Usage: {usage}$"):
        parse(text)


def test_command_names_and_aliases_are_unique() -> None:
    all_names = [name for command in registry.COMMANDS for name in (command.name, *command.aliases)]
    assert len(all_names) == len(set(all_names))


def test_the_registry_has_a_command_for_each_handler() -> None:
    assert handlers.HANDLERS.keys() <= {command.name for command in registry.COMMANDS}
