"""Webhooks (docs/protocol.md, "Webhooks"): creation, list, revocation and permissions; marks of bots."""

from typing import Any

from tests.support.accounts import create_account
from tests.support.moderated_room import ModeratedRoom
from tests.support.persons import Person, connect_person


async def create_hook(creator: Person, name: str = "grafana", *, room: str = "tea") -> dict[str, Any]:
    """Create a webhook, and return the response with its id and URL."""
    response = await creator.client.request("createHook", {"room": room, "nickName": name})
    assert response["ok"], response
    return response


async def list_hooks(person: Person, *, room: str = "tea") -> list[str]:
    """Return the names of the webhooks that a person may revoke."""
    response = await person.client.request("listHooks", {"room": room})
    assert response["ok"], response
    return [hook["nickName"] for hook in response["hooks"]]


async def test_members_manage_their_own_webhooks_and_administrators_all_in_a_room_without_an_owner(
    room: ModeratedRoom,
) -> None:
    admin, ann, bob = (
        await room.add("root", "admin"),
        await room.add("ann", "account"),
        await room.add("bob", "account"),
    )
    guest = await room.add("eve")
    hook = await create_hook(ann)
    assert hook["url"].startswith(f"{room.server.url}/api/hooks/")
    entry = await bob.client.wait_for_push("update", action="hookCreated")
    assert entry["target"] == {"memberId": hook["id"], "nickName": "grafana", "bot": True}
    assert entry["by"]["account"] == "ann"
    assert await ann.attempt("createHook", nickName="Grafana") == "hook_exists"
    assert await ann.attempt("createHook", nickName="BOB") == "hook_name_in_use"
    assert await ann.attempt("createHook", nickName="b\u043eb") == "hook_name_in_use"  # Cyrillic o
    assert await guest.attempt("createHook", nickName="ci") == "account_required"
    await create_hook(bob, "ci")
    assert (await list_hooks(ann), await list_hooks(bob)) == (["grafana"], ["ci"])
    assert await list_hooks(admin) == ["ci", "grafana"]
    assert await bob.attempt("revokeHook", id=hook["id"]) == "hook_not_found"
    assert await admin.attempt("revokeHook", id=hook["id"]) == ""
    assert await ann.attempt("revokeHook", id=hook["id"]) == "hook_not_found"
    audit = await admin.client.request("audit", {"room": "tea"})
    assert [entry["action"] for entry in audit["messages"]] == ["hookCreated", "hookCreated", "hookRevoked"]
    secret = hook["url"].rpartition("/")[2]
    assert all(secret not in str(entry) for entry in await bob.read_log())


async def test_members_and_messages_of_bots_are_marked(room: ModeratedRoom) -> None:
    issued = await create_account(room.server, "robot", is_bot=True)
    ann = await room.add("ann", "account")
    robot = await room.add("robot", token=issued.token)
    seq = await robot.send()
    entries = {entry["seq"]: entry for entry in await ann.read_log()}
    assert (entries[seq]["account"], entries[seq]["bot"]) == ("robot", True)
    await ann.send()
    assert "bot" not in (await robot.read_log())[-1]
    members = (await ann.client.request("listMembers", {"room": "tea"}))["members"]
    assert {member["nickName"]: member.get("bot", False) for member in members} == {"ann": False, "robot": True}


async def test_only_moderators_manage_webhooks_of_an_owned_room_until_its_deletion(room: ModeratedRoom) -> None:
    async with (
        connect_person(room.server, "ann", "account") as owner,
        connect_person(room.server, "bob", "account") as bob,
    ):
        assert (await owner.client.request("createRoom", {"roomName": "ops"}))["ok"]
        assert await bob.join("ops") == ""
        assert await bob.attempt("createHook", room="ops", nickName="ci") == "moderators_only"
        assert await bob.attempt("listHooks", room="ops") == "moderators_only"
        assert await owner.attempt("setRole", room="ops", memberId=bob.member_id, role="moderator") == ""
        for number in range(20):
            await create_hook(bob, f"ci{number}", room="ops")
        assert await bob.attempt("createHook", room="ops", nickName="ci") == "too_many_hooks"
        assert await owner.attempt("deleteRoom", room="ops") == ""
        assert (await owner.client.request("createRoom", {"roomName": "ops"}))["ok"]
        assert await list_hooks(owner, room="ops") == []
        assert await owner.attempt("createHook", room="nowhere", nickName="ci") == "room_not_found"
