import subprocess
import sys

import pytest

from tui_chat.session.commands import registry
from tui_chat.session.commands.completion import Completion, complete
from tui_chat.session.commands.registry import ArgumentKind
from tui_chat.session.compose_mode import resolve_emoji
from tui_chat.session.settings import schema as settings_schema


def shown(completion: Completion | None) -> list[str]:
    return [candidate.text for candidate in completion.candidates] if completion else []


def test_a_nickname_at_the_start_of_a_line_gets_a_colon() -> None:
    assert shown(complete("an", ["Ann", "bob", "andy"], [])) == ["Ann: ", "andy: "]
    assert shown(complete("so\nan", ["Ann"], [])) == ["Ann: "]


def test_a_nickname_elsewhere_gets_a_space() -> None:
    assert shown(complete("hello @A", ["Ann"], [])) == ["@Ann "]
    assert shown(complete("hello 小", ["小明"], [])) == ["小明 "]


def test_commands_complete_only_at_the_start() -> None:
    assert shown(complete("/ni", [], [])) == ["/nick "]
    assert shown(complete("/NAM", [], [])) == ["/names "]
    assert complete("say /n", [], []) is None
    assert complete("//n", [], []) is None


def test_rooms_complete_after_join_and_after_a_hash() -> None:
    assert shown(complete("/join t", ["tom"], ["tea", "dev"])) == ["tea "]
    assert shown(complete("see #t", ["tom"], ["tea"])) == ["#tea "]


def test_nothing_typed_completes_to_nothing() -> None:
    assert complete("", ["ann"], ["tea"]) is None
    assert complete("hello ", ["ann"], ["tea"]) is None


def test_further_tabs_walk_the_candidates_and_come_back_to_what_was_typed() -> None:
    completion = complete("a", ["ann", "al"], [])
    assert completion is not None
    turns = [completion.current_text]
    for _ in range(3):
        completion = completion.cycle(1)
        turns.append(completion.current_text)
    assert turns == ["ann: ", "al: ", "a", "ann: "]
    assert completion.cycle(-1).current_text == "a"


def test_other_names_of_a_command_complete_after_its_name() -> None:
    assert shown(complete("/le", [], [])) == ["/leave "]
    assert "/close " in shown(complete("/cl", [], []))


def test_a_room_of_several_words_completes_whole() -> None:
    assert shown(complete("/join the b", [], ["the big room", "tea"])) == ["the big room "]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("/whois an", "ann "),
        ("/theme co", "contrast "),
        ("/set nick", "nick_width "),
        ("/set show_joins o", "on "),
        ("/set theme d", "dark "),
        ("/notify m", "mentions "),
        ("/react :smile", "😄 "),
        ("/react thumbsu", "👍 "),
        ("/leave t", "tea "),
    ],
)
def test_what_follows_a_command_completes_to_what_it_takes(typed: str, first: str) -> None:
    assert shown(complete(typed, ["ann"], ["tea"]))[0] == first


def test_a_command_that_takes_a_text_completes_words_in_it() -> None:
    assert shown(complete("/reply thanks an", ["ann"], [])) == ["ann "]


def test_every_kind_of_argument_that_is_chosen_can_be_completed() -> None:
    for command in registry.COMMANDS:
        before = f"/{command.name} "
        for argument in command.arguments:
            typed = before + (":smi" if argument.kind is ArgumentKind.EMOJI else "")
            offered = shown(complete(typed, ["ann"], ["tea"]))
            assert bool(offered) is (argument.kind is not ArgumentKind.TEXT), typed
            before += next(iter(settings_schema.fields())) + " " if argument.kind is ArgumentKind.SETTING else "x "


@pytest.mark.parametrize(
    ("typed", "first"), [("so :smile", "😄 "), (":smile:", "😄 "), (":+1", "👍 "), (":HEART", "❤️ "), ("\n:kiss", "💋 ")]
)
def test_a_name_between_colons_completes_to_its_emoji(typed: str, first: str) -> None:
    assert shown(complete(typed, [], []))[0] == first


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("4", "🎉"), (":tada:", "🎉"), ("Tada ", "🎉"), ("+1", "👍"), ("👀", "👀"), ("lol", "lol"), ("7", "7"), ("", "")],
)
def test_a_reaction_is_typed_by_digit_by_name_or_as_it_is(typed: str, meant: str) -> None:
    assert resolve_emoji(typed) == meant


def test_an_emoji_is_found_by_a_later_word_of_its_name_and_offered_once() -> None:
    completion = complete(":tea", [], [])
    assert completion is not None
    texts = shown(completion)
    assert "🍵 " in texts
    assert len(texts) == len(set(texts))
    assert completion.candidates[0].label.startswith("🍵 tea")


@pytest.mark.parametrize("typed", [":", "::", "at 10:30", "http://", ":)", "a:b"])
def test_other_colons_are_left_alone(typed: str) -> None:
    assert complete(typed, ["ann"], ["tea"]) is None


def test_the_names_of_emoji_are_loaded_when_one_is_wanted() -> None:
    program = (
        "import sys; from tui_chat.session.commands.completion import complete; complete('an', ['ann'], []);"
        "assert 'emoji' not in sys.modules; complete(':smile', [], []); assert 'emoji' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
