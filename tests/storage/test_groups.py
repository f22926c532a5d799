"""Groups of the conversation dialect in a SQLite database."""

from server.storage.database import Database
from tests.support.groups import verify_groups


async def test_groups_have_codes_covers_conversations_and_messages(database: Database) -> None:
    await verify_groups(database)
