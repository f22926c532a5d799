"""Accounts, tokens and invites on SQLite and PostgreSQL, with concurrent writers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from server.domain.account_directory import Account
from server.storage.account_records import AccountRecord
from server.storage.account_repository import MAX_DEVICES
from server.storage.database import Database, open_database
from tests.support.storage import ManualClock, RoomRef, build_message, build_reaction, build_upload
from tui_chat.protocol.errors import Conflict, Forbidden, NotFound, Unauthorized
from tui_chat.protocol.events import Member, Message

HASH = "$argon2id$stored"


@pytest.fixture(params=["sqlite", "postgresql"])
async def stored(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    is_sqlite = request.param == "sqlite"
    target = tmp_path / "chat.db" if is_sqlite else request.getfixturevalue("postgresql").url
    database = await open_database(target, clock=clock)
    yield database
    await database.close()


def build_account(name: str | None = None, *, nick_name: str | None = None, member_id: str | None = None) -> Account:
    """Return an account with unique names, because the tests share a PostgreSQL database."""
    name = name or f"a{uuid4().hex[:20]}"
    return Account(id=0, name=name, nick_name=nick_name or name, member_id=member_id or uuid4().hex)


async def create(database: Database, account: Account) -> AccountRecord:
    """Store an account with a password."""
    return await database.accounts.create(account, password_hash=HASH)


async def test_an_account_is_found_by_its_account_name_only(stored: Database) -> None:
    record = await create(stored, build_account(nick_name=f"n{uuid4().hex[:20]}"))
    assert await stored.accounts.find(record.account.name) == record
    assert await stored.accounts.find(record.account.nick_name) is None
    assert await stored.accounts.get(record.account.id) == record
    with pytest.raises(NotFound):
        await stored.accounts.get(10**9)


async def test_concurrent_accounts_never_share_a_name(stored: Database) -> None:
    name = f"a{uuid4().hex[:20]}"
    accounts = [build_account(name), *(build_account(nick_name=name.upper()) for _ in range(5))]
    outcomes = await asyncio.gather(*(create(stored, account) for account in accounts), return_exceptions=True)
    assert sum(isinstance(outcome, AccountRecord) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 5


async def test_a_member_id_belongs_to_one_account(stored: Database) -> None:
    record = await create(stored, build_account())
    with pytest.raises(Conflict):
        await create(stored, build_account(member_id=record.account.member_id))


async def test_a_new_nickname_frees_the_former_one(stored: Database) -> None:
    former, new = f"n{uuid4().hex[:20]}", f"n{uuid4().hex[:20]}"
    record = await create(stored, build_account(nick_name=former))
    await stored.accounts.update(record.account.id, nick_name=new)
    await create(stored, build_account(former))
    with pytest.raises(Conflict):
        await create(stored, build_account(new))
    assert (await stored.accounts.find(record.account.name)) is not None


async def test_an_invite_admits_as_many_concurrent_accounts_as_it_has_uses(
    stored: Database, clock: ManualClock
) -> None:
    digest = uuid4().bytes
    await stored.accounts.add_invite(digest, uses=3, expires_at=clock.now + 1000)
    outcomes = await asyncio.gather(
        *(stored.accounts.create(build_account(), password_hash=None, invite_digest=digest) for _ in range(6)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, AccountRecord) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, Forbidden) for outcome in outcomes) == 3


async def test_a_token_and_a_new_hash_require_the_verified_password(stored: Database) -> None:
    record = await create(stored, build_account())
    account_id, digest = record.account.id, uuid4().bytes
    token = await stored.accounts.add_token(account_id, digest, "laptop", password_hash=HASH)
    assert await stored.accounts.find_token(digest) == token
    with pytest.raises(Unauthorized):
        await stored.accounts.add_token(account_id, uuid4().bytes, "", password_hash="former")
    with pytest.raises(Unauthorized):
        await stored.accounts.update(account_id, required_hash="former", password_hash="rehashed")
    assert (await stored.accounts.update(account_id, required_hash=HASH, password_hash="new")).password_hash == "new"
    other = await stored.accounts.add_token(account_id, uuid4().bytes, "")
    await stored.accounts.update(account_id, keep_token_id=other.id, password_hash="new")
    assert await stored.accounts.find_token(digest) is None
    assert await stored.accounts.list_tokens(account_id) == [other]


async def test_the_token_with_the_oldest_use_is_deleted_above_the_bound(stored: Database, clock: ManualClock) -> None:
    account_id = (await create(stored, build_account())).account.id
    first, second, *_ = [await stored.accounts.add_token(account_id, uuid4().bytes, "") for _ in range(MAX_DEVICES)]
    clock.now += 3_600_000
    await stored.accounts.touch_tokens([first.id])
    assert not await stored.accounts.delete_excess_tokens(account_id)
    await stored.accounts.add_token(account_id, uuid4().bytes, "")
    assert await stored.accounts.delete_excess_tokens(account_id)
    ids = [token.id for token in await stored.accounts.list_tokens(account_id)]
    assert len(ids) == MAX_DEVICES
    assert first.id in ids
    assert second.id not in ids


async def test_an_erased_author_is_renamed_in_entries_and_reactions(stored: Database) -> None:
    room = RoomRef(key=uuid4().hex, name="room")
    member_id = uuid4().hex
    author = Member(member_id=member_id, nick_name="Ann", role="member", account="ann")
    for command in (
        build_message("one", room=room, author=author),
        build_message("two", room=room),
        build_reaction(2, room=room, by=author),
    ):
        await stored.journal.append(command)
    assert len(await stored.erasures.list_messages(member_id, 1)) == 1
    first_id: int | None = 1
    while first_id is not None:
        first_id = await stored.erasures.rename_author(member_id, "deleted-1", first_id)
    page = await stored.reader.read_page(room.key, after=0, limit=10)
    assert [entry.nick_name for entry in page.messages] == ["deleted-1", "Ann", "deleted-1"]
    message = page.messages[1]
    assert isinstance(message, Message)
    assert message.reactions is not None
    assert [reactor.nick_name for reactor in message.reactions["👍"].by] == ["deleted-1"]
    await stored.erasures.delete_references(member_id, "deleted-1")


async def test_only_the_newest_of_concurrent_avatars_stays_pinned(stored: Database) -> None:
    account = (await create(stored, build_account())).account
    avatars = [build_upload(author=Member(account.member_id, "Ann", "member"), pinned=True) for _ in range(4)]
    for upload in avatars:
        await stored.uploads.create(upload, account.member_id)
    await asyncio.gather(*(stored.accounts.update(account.id, avatar_path=upload.path) for upload in avatars))
    newest = (await stored.accounts.get(account.id)).account.avatar_path
    await stored.accounts.update(account.id, avatar_path=newest)
    found = await stored.uploads.find([upload.id for upload in avatars])
    assert [upload.path for upload in avatars if found[upload.id].upload.is_pinned] == [newest]
    await stored.accounts.update(account.id, avatar_path=None)
    found = await stored.uploads.find([upload.id for upload in avatars])
    assert not any(record.upload.is_pinned for record in found.values())


async def test_unknown_accounts_cannot_be_changed(stored: Database) -> None:
    with pytest.raises(NotFound):
        await stored.accounts.update(10**9, about="x")
