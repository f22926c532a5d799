"""Random actions of persons in rooms through every entry point, compared with a model of the permissions.

- Model: `ExpectedRoom` knows roles, policies and sanctions. It shares no code with `server.domain.permissions`.
- Entry points: the events of all dialects, and the HTTP endpoints of rooms, event streams, webhooks, files, profiles,
  sessions and groups.
- Confidentiality: every message has a unique text. A person receives the texts that the model permits, in any push and
  response, and no others.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support import permission_groups, permission_http, permission_queries, permission_rooms
from tests.support.permission_model import (
    ACCOUNT_NAMES,
    KINDS,
    MENTIONED,
    NAMES,
    NATIVE_NAMES,
    POLICIES,
    POSITIONS,
    ROOMS,
    ExpectedMessage,
    ExpectedRoom,
)
from tests.support.permission_stage import Stage, join, send

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Phases without the reduction of a failing example, which exceeds the time limit of a test."""


class PermissionMachine(RuleBasedStateMachine):
    """Random actions of all persons in an open, an owned, a private and a direct room.

    The direct room is the same in all examples, because its members are.
    """

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.rooms: dict[str, ExpectedRoom] = {}
        mentions = " ".join(f"@{name}" for name in MENTIONED)
        self.texts = (f"text{self.stage.next_number()}x{number} {mentions}" for number in itertools.count())
        self.owner_of_text: dict[str, ExpectedRoom] = {}

    @initialize(absent=st.sets(NAMES, max_size=3), muted=st.sets(NAMES, max_size=3))
    def create_rooms(self, absent: set[str], muted: set[str]) -> None:
        number = self.stage.next_number()
        self.rooms = {
            "open": ExpectedRoom(f"open{number}"),
            "owned": ExpectedRoom(f"owned{number}", owned=True, roles={"owner": "owner"}, present={"owner"}),
            "vault": ExpectedRoom("", visibility="private", owned=True, roles={"owner": "owner"}, present={"owner"}),
        }
        self.request("owner", "createRoom", roomName=self.rooms["owned"].name)
        created = self.request("owner", "createRoom", title=f"vault{number}", visibility="private")
        self.rooms["vault"].name = created["room"]["name"]
        groups = self.stage.request_http("owner", "GET", "/api/group/list").body["data"]["owner"]
        self.rooms["vault"].group_id = next(group["id"] for group in groups if group["name"] == f"vault{number}")
        for room in ("open", "owned"):
            for name in KINDS.keys() - absent:
                self.join_room(name, room)
            self.set_role("admin", "ben", room, "moderator")
            self.send_message("owner", room)
            for name in muted:
                self.moderate("admin", name, room, "mute")
        self.invite_to_the_vault("ann")
        self.send_message("owner", "vault")
        self.rooms["direct"] = self.stage.direct
        self.open_direct_room("owner")
        self.send_message("owner", "direct")

    def teardown(self) -> None:
        for room in self.rooms.values():
            for name in room.present:
                self.request(name, "leaveRoom", room=room.name)
            for name in room.observers:
                self.request(name, "unobserve", room=room.name)
            room.present.clear()
            room.observers.clear()
        self.check_pushes()
        self.stage.expect_no_group_push()

    # -- requests

    def request(self, name: str, event: str, **fields: Any) -> dict[str, Any]:
        """Send a request of a person, and return the acknowledgement; a trailing underscore of a field is removed."""
        payload = {field_name.rstrip("_"): value for field_name, value in fields.items()}
        return self.stage.run(self.stage.persons[name].client.request(event, payload))

    def expect(self, response: dict[str, Any], is_permitted: bool) -> bool:
        """Check whether a request succeeded, and return `is_permitted`."""
        assert response["ok"] is is_permitted, response
        return is_permitted

    def check_pushes(self, texts: dict[str, set[str]] | None = None) -> None:
        """Compare the texts in the received packets with those that each person may receive.

        Args:
            texts: Expected texts by person; all others receive none.
        """
        for name, person in self.stage.persons.items():
            self.request(name, "unobserve", room="lobby")  # the response follows all earlier pushes
            packets, person.client.pushes = person.client.pushes, []
            received = {
                text
                for text in self.owner_of_text
                if any(f'"{text}{end}' in packet for packet in packets for end in ('"', "\\n"))  # a file is a line
            }
            assert received == (texts or {}).get(name, set()), (name, packets)

    def record_message(self, model: ExpectedRoom, message: ExpectedMessage) -> None:
        """Add a message to the model, and check the pushes to the readers of its room and its group."""
        message.mentioned = model.find_mentioned(message.author)
        model.messages.append(message)
        self.check_pushes({reader: {message.text} for reader in model.present | model.observers})
        if model.group_id:
            self.stage.expect_group_push(model, message.text)

    # -- membership

    @rule(name=NAMES, room=ROOMS)
    def join_room(self, name: str, room: str) -> None:
        model = self.rooms[room]
        reason = self.stage.run(join(self.stage.persons[name], name, model.name))
        assert (not reason) is model.reads(name), reason
        if reason:
            assert reason == ("member_banned" if model.sees(name) else "room_not_found")
            return
        model.present.add(name)
        model.observers.discard(name)
        if KINDS[name][0] != "guest":
            model.roles.setdefault(name, "member")

    @rule(name=NAMES, room=ROOMS)
    def leave_room(self, name: str, room: str) -> None:
        model = self.rooms[room]
        self.expect(self.request(name, "leaveRoom", room=model.name), name in model.present)
        model.present.discard(name)

    @rule(name=NATIVE_NAMES, room=ROOMS)
    def observe_room(self, name: str, room: str) -> None:
        model = self.rooms[room]
        response = self.request(name, "observe", room=model.name, limit=200)
        if self.expect(response, model.reads(name)):
            model.expect_entries(response["messages"])
            if name not in model.present:
                model.observers.add(name)

    # -- messages

    @rule(name=NAMES, room=ROOMS)
    def send_message(self, name: str, room: str) -> None:
        model, text = self.rooms[room], next(self.texts)
        response = self.stage.run(send(self.stage.persons[name], name, model.name, text))
        self.owner_of_text[text] = model
        if not self.expect(response, name in model.present and model.writes(name)):
            self.check_pushes()
            return
        self.record_message(model, ExpectedMessage(response["seq"], name, text))

    @rule(name=NATIVE_NAMES, room=ROOMS)
    def send_without_join(self, name: str, room: str) -> None:
        model, text = self.rooms[room], next(self.texts)
        if any(name in other.present for other in self.rooms.values()):
            return
        response = self.request(name, "sendMessage", room=model.name, message=text, as_={"nickName": name})
        self.owner_of_text[text] = model
        if self.expect(response, model.writes(name)):
            self.record_message(model, ExpectedMessage(response["seq"], name, text))
        else:
            self.check_pushes()

    @rule(name=NAMES, room=ROOMS, position=POSITIONS)
    def edit_message(self, name: str, room: str, position: int) -> None:
        model = self.rooms[room]
        message = model.get_message(position)
        if message is None:
            return
        text = next(self.texts)
        self.owner_of_text[text] = model
        response = self.request(name, "editMessage", room=model.name, seq=message.seq, message=text)
        is_permitted = name in model.present and model.writes(name) and message.author == name
        if self.expect(response, is_permitted and not message.is_deleted):
            message.text = text
            message.mentioned = model.find_mentioned(name)
        for person in self.stage.persons.values():
            self.stage.run(person.client.request("unobserve", {"room": "lobby"}))
            person.client.pushes.clear()

    @rule(name=NAMES, room=ROOMS, position=POSITIONS)
    def delete_message(self, name: str, room: str, position: int) -> None:
        model = self.rooms[room]
        message = model.get_message(position)
        if message is None:
            return
        response = self.request(name, "deleteMessage", room=model.name, seq=message.seq)
        is_own = message.author == name
        is_permitted = model.reads(name) if is_own else model.moderates(name, message.author)
        if self.expect(response, name in model.present and is_permitted):
            message.is_deleted = True

    @rule(name=NAMES, room=ROOMS, on=st.booleans(), position=POSITIONS)
    def react(self, name: str, room: str, on: bool, position: int) -> None:
        model = self.rooms[room]
        message = model.get_message(position)
        if message is not None:
            response = self.request(name, "react", room=model.name, seq=message.seq, emoji="👍", on=on)
            is_permitted = name in model.present and model.reacts(name)
            self.expect(response, is_permitted and not (message.is_deleted and on))

    @rule(name=NAMES, room=ROOMS)
    def set_topic(self, name: str, room: str) -> None:
        model = self.rooms[room]
        response = self.request(name, "setTopic", room=model.name, topic="news")
        self.expect(response, name in model.present and model.sets_topic(name))

    # -- queries

    read_history = permission_queries.read_history
    list_members = permission_queries.list_members
    search_room = permission_queries.search_room
    search_everywhere = permission_queries.search_everywhere
    list_rooms = permission_queries.list_rooms
    list_memberships = permission_queries.list_memberships
    list_resources = permission_queries.list_resources
    list_mentions = permission_queries.list_mentions
    mark_read = permission_queries.mark_read
    read_events = permission_queries.read_events

    # -- HTTP

    read_room = permission_http.read_room
    post_message = permission_http.post_message
    list_rooms_by_http = permission_http.list_rooms
    send_file = permission_http.send_file
    use_unsent_file = permission_http.use_unsent_file
    read_files = permission_http.read_files
    read_profile = permission_http.read_profile
    change_profile = permission_http.change_profile
    revoke_session_of_other = permission_http.revoke_session_of_other

    # -- administration

    rename_room = permission_rooms.rename_room
    rename_resource = permission_rooms.rename_resource
    delete_room = permission_rooms.delete_room
    create_invite = permission_rooms.create_invite
    list_invites = permission_rooms.list_invites
    revoke_invite = permission_rooms.revoke_invite
    create_hook = permission_rooms.create_hook
    post_by_hook = permission_rooms.post_by_hook

    # -- conversation dialect

    read_group = permission_groups.read_group
    post_to_group = permission_groups.post_to_group
    join_group = permission_groups.join_group

    # -- moderation

    @rule(actor=NAMES, subject=NAMES, room=ROOMS, event=st.sampled_from(["kick", "ban", "unban", "mute", "unmute"]))
    def moderate(self, actor: str, subject: str, room: str, event: str) -> None:
        model = self.rooms[room]
        member_id = self.stage.persons[subject].member_id
        response = self.request(actor, event, room=model.name, memberId=member_id)
        if (
            actor in model.present
            and model.moderates(actor, subject)
            and not model.knows(subject)
            and not response["ok"]
        ):
            assert response["error"]["reason"] == "member_not_found"
            return
        if not self.expect(response, actor in model.present and model.moderates(actor, subject)):
            return
        match event:
            case "kick" | "ban":
                for persons in (model.present, model.observers):
                    persons.discard(subject)
                model.roles.pop(subject, None)
                if event == "ban":
                    model.banned.add(subject)
            case "unban":
                model.banned.discard(subject)
            case "mute":
                model.muted.add(subject)
            case _:
                model.muted.discard(subject)

    @rule(subject=ACCOUNT_NAMES, event=st.sampled_from(["kick", "ban"]))
    def send_after_removal(self, subject: str, event: str) -> None:
        """Kick or ban an account from the group and send a message that it must not receive."""
        self.moderate("owner", subject, "vault", event)
        self.send_message("owner", "vault")

    @rule(actor=NAMES, subject=NAMES, room=ROOMS, role=st.sampled_from(["member", "moderator", "owner"]))
    def set_role(self, actor: str, subject: str, room: str, role: str) -> None:
        model = self.rooms[room]
        member_id = self.stage.persons[subject].member_id
        response = self.request(actor, "setRole", room=model.name, memberId=member_id, role=role)
        if self.expect(response, actor in model.present and model.assigns(actor, subject, role)):
            model.roles[subject] = role

    @rule(name=NAMES, room=ROOMS, policy=POLICIES)
    def set_policy(self, name: str, room: str, policy: tuple[str, Any]) -> None:
        model = self.rooms[room]
        field_name, value = policy
        if field_name == "visibility" and room in ("vault", "direct"):
            return
        response = self.request(name, "setPolicy", room=model.name, **{field_name: value})
        if self.expect(response, model.manages(name, 3)):
            if field_name == "visibility":
                model.visibility = value
            else:
                model.policy[field_name] = value

    @rule(name=NAMES, room=ROOMS)
    def read_audit(self, name: str, room: str) -> None:
        model = self.rooms[room]
        response = self.request(name, "audit", room=model.name)
        self.expect(response, name in model.present and model.manages(name, 2))

    @rule(name=NAMES)
    def invite_to_the_vault(self, name: str) -> None:
        model = self.rooms["vault"]
        may_invite = "owner" in model.present and model.invites("owner")
        if not may_invite or KINDS[name][1] != "native" or name in model.banned:
            return
        invite = self.request("owner", "createInvite", room=model.name)["invite"]
        model.invite_ids.add(invite["id"])
        person = self.stage.persons[name]
        assert self.stage.run(person.join(model.name, invite=invite["code"])) == ""
        model.present.add(name)
        model.observers.discard(name)
        model.roles.setdefault(name, "member")

    @rule(name=st.sampled_from(["owner", "ann"]))
    def open_direct_room(self, name: str) -> None:
        model = self.rooms["direct"]
        partner = self.stage.persons["ann" if name == "owner" else "owner"]
        opened = self.request(name, "openDirect", memberIds=[partner.member_id])
        assert opened["room"]["name"] == (model.name or opened["room"]["name"])
        model.name = opened["room"]["name"]
        model.present.add(name)
        model.observers.discard(name)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Server and connected persons."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_the_server_permits_exactly_what_the_model_permits(stage: Stage) -> None:
    machine_type: Callable[[], PermissionMachine] = type("SharedStageMachine", (PermissionMachine,), {"stage": stage})
    run_state_machine_as_test(
        machine_type, settings=settings(max_examples=12, stateful_step_count=30, deadline=None, phases=PHASES)
    )
