"""Sizes of history pages, search results and messages as JSON."""

import asyncio

from server.domain.live_room import MEMBER_PAGE_BYTES
from server.settings import SETTINGS
from server.storage.database import Database
from server.storage.page_size import MAX_PAGE_BYTES
from tests.support.storage import RoomRef, build_message, build_reaction
from tui_chat.protocol import codec, limits
from tui_chat.protocol.events import Member

LONGEST_NAME = "😀" * limits.NAME_CODE_POINTS  # at least as large as any permitted name
LONGEST_NAMED_ROOM = RoomRef(key="tea", name=LONGEST_NAME)
MESSAGE_COUNT = 100


def build_author(number: int) -> Member:
    """Return a member with a unique id and the longest nickname."""
    return Member(member_id=f"{number:022}", nick_name=LONGEST_NAME, role="member")


async def test_pages_and_search_results_of_escaped_texts_and_long_names_are_limited(database: Database) -> None:
    text = "tea " + '"' * 2_000
    message = build_message(text, room=LONGEST_NAMED_ROOM, author=build_author(1))
    await asyncio.gather(*(database.journal.append(message) for _ in range(MESSAGE_COUNT)))
    page = await database.reader.read_page("tea", after=0, limit=MESSAGE_COUNT)
    assert 10 < len(page.messages) < MESSAGE_COUNT
    assert page.has_more
    assert len(codec.encode_response(page)) <= MAX_PAGE_BYTES
    found: list[int] = []
    before: int | None = None
    while len(found) < MESSAGE_COUNT:
        result = await database.reader.search("tea", room_key="tea", joined=["tea"], before=before, limit=MESSAGE_COUNT)
        assert sum(len(codec.encode_response(message)) for message in result.messages) <= MAX_PAGE_BYTES
        found += [message.seq for message in result.messages]
        before = result.next_before
    assert found == list(range(MESSAGE_COUNT, 0, -1))
    assert before is None


async def test_the_largest_message_and_a_list_of_members_fit_the_smallest_send_queue(database: Database) -> None:
    text = "😀" * limits.STORED_MESSAGE_CHARACTERS
    await database.journal.append(build_message(text, room=LONGEST_NAMED_ROOM, author=build_author(0)))
    await asyncio.gather(
        *(
            database.journal.append(build_reaction(1, f"{emoji:016}", by=build_author(author), room=LONGEST_NAMED_ROOM))
            for emoji in range(limits.REACTIONS_PER_MESSAGE)
            for author in range(limits.REACTION_NAMES)
        )
    )
    page = await database.reader.read_page("tea", after=0, limit=1)
    file_bytes = limits.ATTACHMENTS_PER_MESSAGE * (limits.FILE_NAME_CHARACTERS * 4 + 2 * limits.PATH_CHARACTERS)
    least = SETTINGS["max_unsent_bytes"].limits
    assert least is not None
    assert MAX_PAGE_BYTES < len(codec.encode_response(page)) < least[0] - MEMBER_PAGE_BYTES - file_bytes
