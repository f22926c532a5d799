"""Test vectors of texts, names, mentions, commands, links, limits and notices against the Python implementation."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec import convert

from tests.support.vectors import expand, load_vectors, vector_cases
from tui_chat.client.net.address import is_room_link, parse_address
from tui_chat.client.room_moderation import find_active_sanctions
from tui_chat.client.sanitize import timestamp
from tui_chat.protocol import limits, names, sanitize
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Entry, JoinNotice, LeaveNotice, Message, NickNotice
from tui_chat.protocol.mentions import MentionTokens
from tui_chat.protocol.reactions import validate_reaction
from tui_chat.protocol.search_query import SearchQuery
from tui_chat.session.commands import registry
from tui_chat.session.commands.registry import CommandCall, CommandRejected
from tui_chat.session.duration_parser import parse_end
from tui_chat.session.file_captions import describe_content
from tui_chat.session.hyperlinks import find_hyperlinks
from tui_chat.session.i18n import tr
from tui_chat.session.lines import action_text
from tui_chat.session.room_index import RecentSpeakers
from tui_chat.session.strings import chat as chat_strings

Case = dict[str, Any]

SANITIZERS: dict[str, Callable[[Any], Any]] = {
    "body": sanitize.sanitize_body,
    "line": sanitize.sanitize_line,
    "message": sanitize.validate_message_body,
    "topic": sanitize.validate_topic,
    "query": sanitize.validate_query,
    "timestamp": timestamp,
}
VALIDATORS: dict[str, Callable[[Any], Any]] = {
    **SANITIZERS,
    "nickname": names.validate_nickname,
    "room_name": names.validate_room_name,
    "reaction": validate_reaction,
}


def result_or_error(function: Callable[[Any], Any], text: Any) -> Any:
    """Return the result of a function, or the code of its error in the form of the vectors."""
    try:
        return function(text)
    except ChatError as error:
        return {"error": error.code}


@vector_cases("sanitize")
def test_sanitized_texts_match_the_vectors(case: Case) -> None:
    assert result_or_error(SANITIZERS[case["function"]], case["input"]) == case["expected"]


@vector_cases("limits")
def test_validity_at_the_limits_matches_the_vectors(case: Case) -> None:
    result = result_or_error(VALIDATORS[case["function"]], expand(case["input"]))
    assert (result if isinstance(result, dict) else "valid") == case["expected"]


def test_limits_match_the_vectors() -> None:
    constants = load_vectors("limits")["constants"]
    assert {name: getattr(limits, name) for name in constants} == constants


@vector_cases("names")
def test_names_match_the_vectors(case: Case) -> None:
    for function in [case["function"]] if "function" in case else ["nickname", "room_name"]:
        try:
            display = VALIDATORS[function](case["input"])
        except (names.NickInvalid, names.RoomInvalid):
            assert case["expected"] == {"error": "invalid"}
        else:
            assert {"display": display, "key": names.canonical_key(case["input"])} == case["expected"]


@vector_cases("quoted_names")
def test_nicknames_in_notices_match_the_vectors(case: Case) -> None:
    assert chat_strings.quote_nick(case["input"]) == case["expected"]


@vector_cases("mentions")
def test_mentions_match_the_vectors(case: Case) -> None:
    tokens = MentionTokens(case["input"]["text"])
    mentioned = [name for name in case["input"]["names"] if tokens.includes(name, case["input"].get("members", ()))]
    assert {"names": mentioned, "room": tokens.includes_room} == case["expected"]


@vector_cases("commands")
def test_commands_match_the_vectors(case: Case) -> None:
    if "action" in case:
        assert action_text(case["action"]) == case["expected"]
        return
    expected = case["expected"]
    if "error" not in expected:
        match registry.parse(case["input"]):
            case CommandCall(command=command, arguments=arguments):
                assert {"command": command.name, "arguments": list(arguments)} == expected
            case text:
                assert {"text": text} == expected
        return
    if expected["error"] == "unknown":
        problem = f"Unknown command /{expected['command'][:40]}."
    else:
        command = registry.find(expected["command"])
        assert command is not None
        problem = tr(chat_strings.COMMAND_USAGE, syntax=command.usage)
    with pytest.raises(CommandRejected) as rejection:
        registry.parse(case["input"])
    assert str(rejection.value).startswith(problem)


@vector_cases("join_visibility")
def test_relevance_of_membership_notices_matches_the_vectors(case: Case) -> None:
    speakers = RecentSpeakers()
    for message in case["messages"]:
        speakers.add(message["memberId"], "ann", message["ts"])
    for number in range(case.get("laterSpeakers", 0)):
        speakers.add(f"later {number}", "bob", 0)
    fields = {"room": "tea", "message": "", "nickName": "ann", "oldNickName": "anne", **case["notice"]}
    assert speakers.is_relevant(convert(fields, JoinNotice | LeaveNotice | NickNotice)) is case["expected"]


@vector_cases("disguised_hosts")
def test_disguised_hosts_match_the_vectors(case: Case) -> None:
    assert [link.disguised_host for link in find_hyperlinks(case["input"])] == [case["expected"]]


@vector_cases("search_terms")
def test_matches_of_search_queries_match_the_vectors(case: Case) -> None:
    text = case["input"]["text"]
    spans = SearchQuery(case["input"]["query"]).find_spans(text)
    assert [text[start:end] for start, end in spans] == case["expected"]


@vector_cases("links")
def test_links_match_the_vectors(case: Case) -> None:
    text = case["input"]
    assert [text[link.start : link.end] for link in find_hyperlinks(text)] == case["expected"]


@vector_cases("room_links")
def test_room_links_match_the_vectors(case: Case) -> None:
    link = None
    if is_room_link(case["input"]):
        address = parse_address(case["input"])
        server = urlsplit(address.base_url)
        is_default_port = server.port == {"http": 80, "https": 443}[server.scheme]
        origin = f"{server.scheme}://{server.hostname}" if is_default_port else address.base_url
        link = {"origin": origin, "room": address.room or "", "invite": address.invite or ""}
    assert link == case["expected"]


@vector_cases("durations")
def test_durations_and_dates_match_the_vectors(case: Case) -> None:
    start = 1_800_000_000_000
    expected = case["expected"]
    end = None
    if expected and "local" in expected:
        end = datetime(*expected["local"]).timestamp() * 1_000
    elif expected:
        end = start + 1_000 * expected["seconds"]
    assert parse_end(case["input"], start) == end


@vector_cases("sanctions")
def test_active_sanctions_match_the_vectors(case: Case) -> None:
    author = {"room": "tea", "id": 1, "ts": 1, "memberId": "root", "nickName": "root"}
    by = {"by": {"memberId": "root", "nickName": "root"}}
    entries = [convert({**entry, **author, **by}, Entry) for entry in load_vectors("sanctions")["entries"]]
    assert [entry.seq for entry in find_active_sanctions(entries, case["now"])] == case["expected"]


@vector_cases("file_captions")
def test_captions_of_files_match_the_vectors(case: Case) -> None:
    message = {"message": case["input"]["message"], "attachments": [case["input"]["attachment"]]}
    entry = {"seq": 1, "id": 1, "room": "tea", "memberId": "a", "nickName": "ann", "ts": 1, **message}
    assert describe_content(convert(entry, Message)) == case["expected"]
