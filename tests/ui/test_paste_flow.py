"""Treatment of large pastes, without an app."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import FakeRoom
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.session.paste import Paste, PasteMode
from tui_chat.ui.screens.confirm import Answer
from tui_chat.ui.screens.paste import PasteFlow, PasteScreen


class PasteParts(ChatParts):
    """Paste flow in a room, with recorded messages and files.

    Attributes:
        sent: Sent messages in order.
        max_sent: Number of messages after which the outbox is full.
        room: Current room.
        files: Sent files in order: room and paths, or room, name and content.
        flow: Flow under test.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.max_sent = 10
        self.room = FakeRoom("tea").join("one")
        self.session.add_room(self.room)
        self.view.draw_changes()
        self.files: list[object] = []
        self.flow = PasteFlow(self.view, self.send, self.send_files, self.upload)

    def upload(self, room: str, paths: Sequence[Path]) -> None:
        self.files.append((room, paths))

    def send_files(self, room: str, files: Sequence[OutboxFile]) -> str:
        self.files += [(room, file.name, file.content) for file in files]
        return ""

    def send(self, text: str) -> str:
        if len(self.sent) == self.max_sent:
            return "outbox is full"
        self.sent.append(text)
        return ""


@pytest.fixture
def parts() -> PasteParts:
    return PasteParts()


def paste(parts: PasteParts, text: str, mode: PasteMode | None) -> None:
    """Paste a text, and close the dialog with a mode, None to discard the text."""
    parts.flow.confirm(text)
    assert isinstance(parts.dialogs[-1][0], PasteScreen)
    parts.close_dialog(mode)


def test_a_discarded_paste_has_no_effect(parts: PasteParts) -> None:
    paste(parts, "one\ntwo", None)
    assert parts.sent == []
    assert parts.view.composer.text == ""
    assert parts.focused == [parts.view.composer]


def test_an_edited_paste_is_inserted_into_the_composer(parts: PasteParts) -> None:
    parts.view.composer.set_text("say: ")
    paste(parts, "one\ntwo", PasteMode.EDIT)
    assert parts.view.composer.text == "say: one\ntwo"


def test_a_single_message_includes_the_composer_text(parts: PasteParts) -> None:
    parts.view.composer.set_text("say: ")
    paste(parts, "one\ntwo", PasteMode.SINGLE_MESSAGE)
    assert parts.sent == ["say: one\ntwo"]
    assert parts.view.composer.text == ""


def test_the_unsent_rest_returns_to_the_composer_with_its_error(parts: PasteParts) -> None:
    parts.max_sent = 1
    paste(parts, "one\ntwo\nthree", PasteMode.LINE_BY_LINE)
    assert parts.sent == ["one"]
    assert parts.view.composer.text == "two\nthree"
    parts.view.on_text_changed()
    assert parts.status.error == "outbox is full"


def test_the_unsent_rest_is_inserted_into_the_composer_text(parts: PasteParts) -> None:
    parts.max_sent = 1
    parts.view.composer.set_text("a draft: ")
    paste(parts, "one\ntwo\nthree", PasteMode.LINE_BY_LINE)
    assert parts.view.composer.text == "a draft: two\nthree"


def test_a_paste_is_sent_as_a_text_file(parts: PasteParts) -> None:
    parts.view.composer.set_text("draft")
    paste(parts, "one\n茶", PasteMode.FILE)
    assert parts.files == [("tea", "paste.txt", "one\n茶".encode())]
    assert parts.view.composer.text == "draft"


def test_a_huge_paste_can_only_be_sent_as_a_file_and_is_rejected_without_the_permission(parts: PasteParts) -> None:
    huge = "x" * 100_000
    assert Paste(huge).available_modes(may_upload=True) == [(PasteMode.FILE, 1)]
    parts.room.policy = RoomPolicy(upload="moderators")
    parts.flow.confirm(huge)
    assert "too large" in parts.status.error


def test_dropped_files_are_sent_only_after_a_confirmation_and_with_the_permission(parts: PasteParts) -> None:
    path = Path("/x/a.txt")
    for answer, text in ((None, "/x/a.txt"), (Answer(False, "!"), "/x/a.txt!"), (Answer(True), "")):
        parts.view.composer.set_text("")
        parts.flow.confirm_files([path], "/x/a.txt")
        parts.close_dialog(answer)
        assert parts.view.composer.text == text
    assert parts.files == [("tea", [path])]
    parts.room.policy = RoomPolicy(upload="moderators")
    parts.flow.confirm_files([path], "/x/a.txt")
    assert parts.view.composer.text == "/x/a.txt"


def test_files_are_sent_and_texts_inserted_after_a_change_of_the_room(parts: PasteParts) -> None:
    den, path = FakeRoom("den").join("one"), Path("/x/a.txt")
    parts.session.add_room(den, show=False)
    for confirm, answer in (
        (lambda: parts.flow.confirm_files([path], "/x/a.txt"), Answer(True)),
        (lambda: parts.flow.confirm("one\ntwo"), PasteMode.FILE),
    ):
        parts.session.show_room("tea")
        confirm()
        parts.session.show_room("den")
        parts.close_dialog(answer)
    assert parts.files == [("tea", [path]), ("tea", "paste.txt", b"one\ntwo")]
    for mode in (PasteMode.SINGLE_MESSAGE, PasteMode.LINE_BY_LINE):
        parts.flow.confirm("one\ntwo")
        parts.session.show_room("tea" if mode is PasteMode.SINGLE_MESSAGE else "den")
        parts.close_dialog(mode)
        assert (parts.sent, parts.view.composer.text) == ([], "one\ntwo")
        parts.view.composer.set_text("")
