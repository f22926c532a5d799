import asyncio
import os
import stat
from pathlib import Path

from tui_chat.session.input_history import HISTORY_MAX
from tui_chat.session.kept_writing import FILE, KeptWriting, Left
from tui_chat.session.writing import Kind, Writing

HERE, ELSEWHERE = "http://localhost:3000", "http://chat.example:3000"


def kept(folder: Path, server: str = HERE, nick: str = "ann", *, history: bool = True) -> KeptWriting:
    return KeptWriting(folder, server, nick, history=history, on_problem=problems.append)


problems: list[str] = []


async def test_a_draft_is_there_again_with_what_it_was_for(tmp_path: Path) -> None:
    answer = Writing(Kind.REPLY, 7, "bob: tea?")
    async with kept(tmp_path) as writing:
        writing.draft("tea", "half a", None)
        writing.draft("tea", "half an answer", answer)
        writing.draft("Dev", "for dev", None)
    async with kept(tmp_path) as writing:
        assert await writing.left("TEA") == Left("half an answer", answer)
        assert await writing.left("dev") == Left("for dev")
        writing.draft("tea", "", None)
    async with kept(tmp_path) as writing:
        assert await writing.left("tea") == Left()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600 or os.name != "posix"


async def test_another_server_or_person_finds_nothing_of_it(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        writing.draft("tea", "mine", None)
        writing.sent("tea", "said")
        writing.opened("tea")
    for other in (kept(tmp_path, ELSEWHERE), kept(tmp_path, nick="bob")):
        async with other:
            assert await other.left("tea") == Left()
            assert await other.rooms() == []


async def test_it_goes_with_you_when_you_are_renamed(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        writing.opened("tea")
        writing.sent("tea", "said as ann")
        writing.known_as("Anna")
        writing.draft("tea", "written as anna", None)
        assert await writing.rooms() == ["tea"]
    async with kept(tmp_path, nick="anna") as writing:
        assert await writing.left("tea") == Left("written as anna", None, ("said as ann",))


async def test_the_last_hundred_texts_of_each_room_are_kept(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        for number in range(HISTORY_MAX + 20):
            writing.sent("tea", f"text {number}")
        writing.sent("dev", "only one")
    async with kept(tmp_path) as writing:
        assert (await writing.left("dev")).sent == ("only one",)
        sent = (await writing.left("tea")).sent
        assert (sent[0], sent[-1], len(sent)) == ("text 20", f"text {HISTORY_MAX + 19}", HISTORY_MAX)


async def test_without_history_nothing_that_was_sent_is_on_disk(tmp_path: Path) -> None:
    async with kept(tmp_path, history=False) as writing:
        writing.sent("tea", "between us")
        writing.draft("tea", "half", None)
        assert (await writing.left("tea")).draft == "half"
    assert all(b"between us" not in file.read_bytes() for file in tmp_path.iterdir())


async def test_rooms_keep_their_places_until_they_are_left(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        for room in ("tea", "dev", "ops", "tea"):
            writing.opened(room)
        writing.closed("DEV")
    async with kept(tmp_path) as writing:
        assert await writing.rooms() == ["tea", "ops"]


async def test_how_far_a_room_was_read_is_known_until_it_is_left(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing:
        writing.opened("tea")
        assert (await writing.left("tea")).read is None
        writing.read("tea", 7)
        writing.read("Tea", 9)
        writing.opened("tea")
    async with kept(tmp_path) as writing:
        assert (await writing.left("tea")).read == 9
        writing.closed("tea")
        assert (await writing.left("tea")).read is None


async def test_a_draft_is_on_disk_without_being_closed(tmp_path: Path) -> None:
    async with kept(tmp_path) as writing, kept(tmp_path) as reader:
        writing.draft("tea", "typed", None)
        async with asyncio.timeout(20):
            while (await reader.left("tea")).draft != "typed":  # noqa: ASYNC110 (another program's file says nothing)
                await asyncio.sleep(0.02)


async def test_a_damaged_file_is_set_aside_and_told_once(tmp_path: Path) -> None:
    problems.clear()
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    async with kept(tmp_path) as writing:
        assert await writing.left("tea") == Left()
        writing.draft("tea", "typed", None)
        assert (await writing.left("tea")).draft == "typed"
    assert len(problems) == 1
    assert list(tmp_path.glob("*.damaged-*"))


async def test_a_folder_that_cannot_be_written_costs_one_sentence(tmp_path: Path) -> None:
    problems.clear()
    (tmp_path / "file").write_text("in the way")
    async with kept(tmp_path / "file") as writing:
        writing.draft("tea", "typed", None)
        writing.opened("tea")
        assert await writing.left("tea") == Left()
        assert await writing.rooms() == []
    assert len(problems) == 1
