import asyncio
import os
import stat
from pathlib import Path

from tui_chat.session.compose_mode import ComposeKind, ComposeMode
from tui_chat.session.input_history import MAX_HISTORY
from tui_chat.session.store.composer_store import FILE_NAME, ComposerStore, SavedRoomState

HERE, ELSEWHERE = "http://localhost:3000", "http://chat.example:3000"


def kept(folder: Path, server: str = HERE, nick: str = "ann", *, history: bool = True) -> ComposerStore:
    return ComposerStore(folder, server, nick, keep_history=history, on_problem=problems.append)


problems: list[str] = []


async def test_a_draft_is_there_again_with_what_it_was_for(tmp_path: Path) -> None:
    answer = ComposeMode(ComposeKind.REPLY, 7, "bob: tea?")
    async with kept(tmp_path) as writing:
        writing.save_draft("tea", "half a", None)
        writing.save_draft("tea", "half an answer", answer)
        writing.save_draft("Dev", "for dev", None)
    async with kept(tmp_path) as writing:
        assert await writing.load_room("TEA") == SavedRoomState("half an answer", answer)
        assert await writing.load_room("dev") == SavedRoomState("for dev")
        writing.save_draft("tea", "", None)
    async with kept(tmp_path) as writing:
        assert await writing.load_room("tea") == SavedRoomState()
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600 or os.name != "posix"


async def test_another_server_or_person_finds_nothing_of_it(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        writing.save_draft("tea", "mine", None)
        writing.add_sent_text("tea", "said")
        writing.add_room("tea")
    for other in (kept(tmp_path, ELSEWHERE), kept(tmp_path, nick="bob")):
        async with other:
            assert await other.load_room("tea") == SavedRoomState()
            assert await other.load_room_names() == []


async def test_it_goes_with_you_when_you_are_renamed(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        writing.add_room("tea")
        writing.add_sent_text("tea", "said as ann")
        writing.rename_nick("Anna")
        writing.save_draft("tea", "written as anna", None)
        assert await writing.load_room_names() == ["tea"]
    async with kept(tmp_path, nick="anna") as writing:
        assert await writing.load_room("tea") == SavedRoomState("written as anna", None, ("said as ann",))


async def test_the_last_hundred_texts_of_each_room_are_kept(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        for number in range(MAX_HISTORY + 20):
            writing.add_sent_text("tea", f"text {number}")
        writing.add_sent_text("dev", "only one")
    async with kept(tmp_path) as writing:
        assert (await writing.load_room("dev")).sent_texts == ("only one",)
        sent = (await writing.load_room("tea")).sent_texts
        assert (sent[0], sent[-1], len(sent)) == ("text 20", f"text {MAX_HISTORY + 19}", MAX_HISTORY)


async def test_without_history_nothing_that_was_sent_is_on_disk(tmp_path: Path) -> None:
    async with kept(tmp_path, history=False) as writing:
        writing.add_sent_text("tea", "between us")
        writing.save_draft("tea", "half", None)
        assert (await writing.load_room("tea")).draft == "half"
    assert all(b"between us" not in file.read_bytes() for file in tmp_path.iterdir())


async def test_rooms_keep_their_places_until_they_are_left(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        for room in ("tea", "dev", "ops", "tea"):
            writing.add_room(room)
        writing.remove_room("DEV")
    async with kept(tmp_path) as writing:
        assert await writing.load_room_names() == ["tea", "ops"]


async def test_how_far_a_room_was_read_is_known_until_it_is_left(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        writing.add_room("tea")
        assert (await writing.load_room("tea")).read_seq is None
        writing.save_read_seq("tea", 7)
        writing.save_read_seq("Tea", 9)
        writing.add_room("tea")
    async with kept(tmp_path) as writing:
        assert (await writing.load_room("tea")).read_seq == 9
        writing.remove_room("tea")
        assert (await writing.load_room("tea")).read_seq is None


async def test_a_draft_is_on_disk_without_being_closed(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing, kept(tmp_path) as reader:
        writing.save_draft("tea", "typed", None)
        async with asyncio.timeout(20):
            while (await reader.load_room("tea")).draft != "typed":  # noqa: ASYNC110 (another program's file says nothing)
                await asyncio.sleep(0.02)


async def test_a_damaged_file_is_set_aside_and_told_once(tmp_path: Path) -> None:
    problems.clear()
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    async with kept(tmp_path) as writing:
        assert await writing.load_room("tea") == SavedRoomState()
        writing.save_draft("tea", "typed", None)
        assert (await writing.load_room("tea")).draft == "typed"
    assert len(problems) == 1
    assert list(tmp_path.glob("*.damaged-*"))


async def test_a_folder_that_cannot_be_written_costs_one_sentence(tmp_path: Path) -> None:
    problems.clear()
    (tmp_path / "file").write_text("in the way")
    async with kept(tmp_path / "file") as writing:
        writing.save_draft("tea", "typed", None)
        writing.add_room("tea")
        assert await writing.load_room("tea") == SavedRoomState()
        assert await writing.load_room_names() == []
    assert len(problems) == 1
