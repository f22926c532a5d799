import subprocess
import sys
from pathlib import Path

import pytest

from tui_chat.session.commands import policy_parser, registry
from tui_chat.session.commands.completion import Completion, complete
from tui_chat.session.commands.path_completion import complete_path
from tui_chat.session.commands.registry import ArgumentKind
from tui_chat.session.compose_mode import resolve_emoji
from tui_chat.session.settings import schema as settings_schema


def candidate_texts(completion: Completion | None) -> list[str]:
    return [candidate.text for candidate in completion.candidates] if completion else []


def test_a_nickname_at_the_start_of_a_line_gets_a_colon() -> None:
    assert candidate_texts(complete("an", ["Ann", "bob", "andy"], [])) == ["Ann: ", "andy: "]
    assert candidate_texts(complete("so\nan", ["Ann"], [])) == ["Ann: "]


def test_a_nickname_elsewhere_gets_a_space() -> None:
    assert candidate_texts(complete("hello @A", ["Ann"], [])) == ["@Ann "]
    assert candidate_texts(complete("hello 小", ["小明"], [])) == ["小明 "]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("(an", "(ann"),
        ("see [@an", "see [@ann"),
        ("“an", "“ann"),
        ("well,an", "well,ann "),
        ("so...an", "so...ann "),
        ("你好an", "你好ann "),
        ("你好，小", "你好，小明 "),
        ("我们找小", "我们找小明 "),
        ("我们找@小", "我们找@小明 "),
        ("ask Bob L", "ask Bob Lee "),
        ("bob ", "Bob Lee: "),
        ("@bob l", "@Bob Lee "),
        ("(bob le", "(Bob Lee"),
        ("おはようan", "おはようann "),
        ("(#t", "(#tea "),
    ],
)
def test_names_complete_after_punctuation_and_text_without_spaces(typed: str, expected: str) -> None:
    completion = complete(typed, ["ann", "小明", "Bob Lee"], ["tea"])
    assert completion is not None
    assert typed[: completion.start] + completion.current_text == expected


@pytest.mark.parametrize("typed", ["don't", "mail@an", "https://an", "path/an", "#an", "xan", "_an", "an "])
def test_parts_of_other_words_have_no_completions(typed: str) -> None:
    assert complete(typed, ["ann", "tom"], []) is None


def test_commands_complete_only_at_the_start() -> None:
    assert candidate_texts(complete("/ni", [], [])) == ["/nick "]
    assert candidate_texts(complete("/NAM", [], [])) == ["/names "]
    assert complete("say /n", [], []) is None
    assert complete("//n", [], []) is None


def test_rooms_complete_after_join_and_after_a_hash() -> None:
    assert candidate_texts(complete("/join t", ["tom"], ["tea", "dev"])) == ["tea "]
    assert candidate_texts(complete("see #t", ["tom"], ["tea"])) == ["#tea "]


def test_an_empty_word_has_no_completions() -> None:
    assert complete("", ["ann"], ["tea"]) is None
    assert complete("hello ", ["ann"], ["tea"]) is None


def test_repeated_tabs_cycle_through_the_candidates_and_the_typed_text() -> None:
    completion = complete("a", ["ann", "al"], [])
    assert completion is not None
    cycled_texts = [completion.current_text]
    for _ in range(3):
        completion = completion.cycle(1)
        cycled_texts.append(completion.current_text)
    assert cycled_texts == ["ann: ", "al: ", "a", "ann: "]
    assert completion.cycle(-1).current_text == "a"


def test_command_aliases_are_completed() -> None:
    assert candidate_texts(complete("/le", [], [])) == ["/leave "]
    assert "/close " in candidate_texts(complete("/cl", [], []))


def test_a_room_name_with_spaces_completes_as_a_whole() -> None:
    assert candidate_texts(complete("/join the b", [], ["the big room", "tea"])) == ["the big room "]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("/whois an", "ann "),
        ("/theme co", "contrast "),
        ("/set nick", "nick_width "),
        ("/set joins s", "smart "),
        ("/set theme d", "dark "),
        ("/notify m", "mentions "),
        ("/react :smile", "😄 "),
        ("/react thumbsu", "👍 "),
        ("/leave t", "tea "),
        ("/policy gu", "guestPost "),
        ("/policy speak mo", "moderators "),
    ],
)
def test_command_arguments_complete_by_argument_kind(typed: str, first: str) -> None:
    assert candidate_texts(complete(typed, ["ann"], ["tea"]))[0] == first


def test_nicknames_complete_inside_a_text_argument() -> None:
    assert candidate_texts(complete("/reply thanks an", ["ann"], [])) == ["ann "]


def test_every_argument_kind_except_text_has_completions() -> None:
    for command in registry.COMMANDS:
        before = f"/{command.name} "
        for argument in command.arguments:
            typed = before + (":smi" if argument.kind is ArgumentKind.EMOJI else "")
            candidates = candidate_texts(complete(typed, ["ann"], ["tea"]))
            assert bool(candidates) is (argument.kind is not ArgumentKind.TEXT), typed
            names = {
                ArgumentKind.SETTING: next(iter(settings_schema.fields())),
                ArgumentKind.POLICY_FIELD: next(iter(policy_parser.FIELDS)),
            }
            before += names.get(argument.kind, "x") + " "


@pytest.mark.parametrize(
    ("typed", "first"), [("so :smile", "😄 "), (":smile:", "😄 "), (":+1", "👍 "), (":HEART", "❤️ "), ("\n:kiss", "💋 ")]
)
def test_a_shortcode_completes_to_its_emoji(typed: str, first: str) -> None:
    assert candidate_texts(complete(typed, [], []))[0] == first


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("4", "🎉"),
        (":tada:", "🎉"),
        ("Tada ", "🎉"),
        ("+1", "👍"),
        ("Piñata", "🪅"),
        ("👀", "👀"),
        ("lol", "lol"),
        ("7", "7"),
        ("", ""),
    ],
)
def test_digits_and_shortcodes_are_resolved_to_emoji_and_other_text_is_unchanged(typed: str, expected: str) -> None:
    assert resolve_emoji(typed) == expected


def test_an_emoji_matches_a_later_word_of_its_name_and_is_listed_once() -> None:
    completion = complete(":tea", [], [])
    assert completion is not None
    texts = candidate_texts(completion)
    assert "🍵 " in texts
    assert len(texts) == len(set(texts))
    assert completion.candidates[0].label.startswith("🍵 tea")


@pytest.mark.parametrize("typed", [":", "::", "at 10:30", "http://", ":)", "a:b"])
def test_colons_outside_a_shortcode_have_no_completions(typed: str) -> None:
    assert complete(typed, ["ann"], ["tea"]) is None


def test_paths_complete_to_typeable_entries_with_a_separator_after_directories(tmp_path: Path) -> None:
    (tmp_path / "a dir").mkdir()
    for name in ("a.txt", ".hidden", "b"):
        (tmp_path / name).touch()
    assert complete_path(f"{tmp_path}/") == [f"{tmp_path}/{name}" for name in ("a dir/", "a.txt", "b")]
    assert complete_path(f"{tmp_path}/.h") == [f"{tmp_path}/.hidden"]
    assert complete_path(f"{tmp_path}/missing/x") == []
    for name in ("c 3.04\u202fPM.png", "c\u3000d", "c\x1b[0m", "c\n"):
        (tmp_path / name).touch()
    assert complete_path(f"{tmp_path}/c") == [f"{tmp_path}/c 3.04\u202fPM.png", f"{tmp_path}/c\u3000d"]
    for command in ("upload", "attach"):
        completion = complete(f"/{command} {tmp_path}/a", (), ())
        assert completion is not None
        assert [candidate.text for candidate in completion.candidates] == [f"{tmp_path}/a dir/", f"{tmp_path}/a.txt"]


def test_the_emoji_module_is_imported_by_the_first_shortcode_completion() -> None:
    program = (
        "import sys; from tui_chat.session.commands.completion import complete; complete('an', ['ann'], []);"
        "assert 'emoji' not in sys.modules; complete(':smile', [], []); assert 'emoji' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
