"""Common command handlers, with a front end that records its calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.fake_room import ANN, BOB, FakeRoom
from tui_chat.client.events import Offline, Online
from tui_chat.local_server import LocalServer
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Member
from tui_chat.screen_reader.command_handlers import ReaderCommands
from tui_chat.screen_reader.reader import ScreenReader
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.commands import registry
from tui_chat.session.commands.background import begin_switch
from tui_chat.session.commands.command_context import CommandContext
from tui_chat.session.commands.handlers import HANDLERS, run_input
from tui_chat.session.commands.message_targets import find_deletion_target
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.file_opener import FileOpener
from tui_chat.session.lines import MessageLine, NoticeLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.server_link import ServerLink
from tui_chat.session.session_events import RequestCompleted, RequestFailed
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings import schema
from tui_chat.session.settings.schema import ClientSettings, RoomLevel
from tui_chat.session.settings.settings_file import SettingsFile

TARGET = SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False)


@dataclass
class RecordedFrontEnd:
    """Front end that records its calls.

    Attributes:
        settings: Current settings.
        handlers: Handlers of this front end.
        calls: Names and arguments of the calls, in order.
        error: Result of `send` and `compose`.
    """

    settings: ClientSettings = field(default_factory=ClientSettings)
    handlers: dict[str, Callable[[str], str]] = field(default_factory=dict[str, Callable[[str], str]])
    calls: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    error: str = ""

    def set_setting(self, name: str, value: object) -> None:
        """Apply a setting."""
        value = schema.fields()[name].default if value is None else value
        self.settings = replace(self.settings, **{name: value})

    def go_to_room(self, room: str) -> None:
        """Record the call."""
        self.calls.append(("go_to_room", room))

    def leave_room(self, view: RoomView) -> None:
        """Record the call."""
        self.calls.append(("leave_room", view.name))

    def send(self, text: str) -> str:
        """Record the call."""
        self.calls.append(("send", text))
        return self.error

    def compose(self, kind: ComposeKind, line: MessageLine | None, text: str) -> str:
        """Record the call."""
        self.calls.append((kind, line and line.text, text))
        return self.error

    def mark_unread(self, view: RoomView, seq: int) -> None:
        """Record the call."""
        self.calls.append(("mark_unread", view.name, seq))

    async def confirm(self, question: str, label: str) -> bool:
        """Record the call, and confirm."""
        self.calls.append(("confirm", question, label))
        return True

    def change_server(self, address: str) -> None:
        """Record the call."""
        self.calls.append(("change_server", address))


@dataclass
class CommandRun:
    """Session with the room `tea` and a recorded front end."""

    front_end: RecordedFrontEnd = field(default_factory=RecordedFrontEnd)
    session: ChatSession = field(default_factory=lambda: ChatSession(lambda: 1_000))
    room: FakeRoom = field(default_factory=lambda: FakeRoom("tea", topic="leaves").join("hello"))

    def __post_init__(self) -> None:
        self.link = ServerLink(TARGET, Path(), None)
        self.session.add_room(self.room)

    @property
    def context(self) -> CommandContext:
        """Context of a command call."""
        front_end = self.front_end
        return CommandContext(
            session=self.session,
            link=self.link,
            settings=lambda: front_end.settings,
            set_setting=front_end.set_setting,
            go_to_room=front_end.go_to_room,
            leave_room=front_end.leave_room,
            send=front_end.send,
            send_files=lambda room, files: "",
            compose=front_end.compose,
            mark_unread=front_end.mark_unread,
            show_output=self.session.add_notice,
            copy_text=lambda text: front_end.calls.append(("copy_text", text)),
            confirm=front_end.confirm,
            change_server=front_end.change_server,
            file_opener=FileOpener(),
            front_end_handlers=front_end.handlers,
        )

    def run(self, text: str) -> str:
        """Run a command and return its error message."""
        return run_input(text, self.context)

    @property
    def notices(self) -> list[str]:
        """Texts of the notices in the current room."""
        assert self.session.current_room is not None
        return [line.text for line in self.session.current_room.transcript.lines if isinstance(line, NoticeLine)]


@pytest.fixture
def commands() -> CommandRun:
    return CommandRun()


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("/names", "2 here: ann, bob"),
        ("/who B", "1 found: bob"),
        ("/names cai", "No such nickname: cai."),
        ("/topic", "Topic: leaves"),
        ("/set clock", "  clock = 24h"),
        ("/mute", "Notifications for tea are off."),
        ("/notify", "Notifications for tea: mentions."),
        ("/ignore", "The ignore list is empty."),
    ],
)
def test_the_output_of_a_command_is_a_notice_of_the_current_room(commands: CommandRun, text: str, notice: str) -> None:
    assert commands.run(text) == ""
    assert commands.notices[-1].startswith(notice)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("/part nosuch", "You are not in nosuch."),
        ("/mute nosuch", "You are not in nosuch."),
        ("/whois nosuch", "No such nickname: nosuch."),
        ("/ignore ann", "You cannot ignore yourself."),
        ("/unignore bob", "bob is not ignored."),
        ("/unignore @bob", "bob is not ignored."),
        ("/set nosuch", "Unknown setting: nosuch."),
        (f"/unread {'9' * 20}", "Usage: /unread"),
        (f"/invite {'9' * 5_000}", "Use up to"),
        ("/invite soon 2h", "Use up to"),
        ("/invite 1 2", "Use up to"),
        ("/set clock never", "Invalid value for clock"),
        ("/notify never", "Invalid value for /notify"),
        ("/nick a\u202eb", "A nickname cannot contain U+202E"),
        ("/server http://", "The host name is missing."),
        ("/server chat://example.org/%E2%80%AE", "A room name cannot contain U+202E"),
    ],
)
def test_a_rejected_command_returns_its_error_without_an_effect(commands: CommandRun, text: str, error: str) -> None:
    assert commands.run(text).startswith(error)
    assert (commands.notices, commands.front_end.calls, commands.front_end.settings) == ([], [], ClientSettings())


def test_unmute_reports_a_default_level_that_keeps_notifications_off(commands: CommandRun) -> None:
    commands.front_end.settings = ClientSettings(notify="none", room_notifications={f"{TARGET.url}/tea": "none"})
    assert commands.run("/unmute") == ""
    assert commands.front_end.settings.room_notifications == {}
    assert commands.notices[-1] == "Notifications for tea are off by default. /notify all turns them on."


def test_commands_change_the_notification_level_of_a_room_on_their_server_only(commands: CommandRun) -> None:
    stored: dict[str, RoomLevel] = {"Tea": "none", "http://other/tea": "all"}
    commands.front_end.settings = ClientSettings(room_notifications=stored)
    for command, level, notice in (
        ("/unmute", "default", "Notifications for tea are on."),
        ("/notify none", "none", "Notifications for tea are off."),
        ("/notify default", "default", "Notifications for tea: mentions."),
        ("/mute", "none", "Notifications for tea are off. /unmute turns them on."),
        ("/notify all", "all", "Notifications for tea: all messages."),
    ):
        assert commands.run(command) == ""
        assert commands.notices[-1] == notice
        assert commands.front_end.settings.room_notifications == stored | {f"{TARGET.url}/tea": level}


def test_unignore_reports_the_nickname_without_the_mention_sign(commands: CommandRun) -> None:
    commands.front_end.settings = ClientSettings(ignored=("bob",))
    assert commands.run("/unignore @bob:") == ""
    assert commands.front_end.settings.ignored == ()
    assert commands.notices[-1] == "bob is no longer ignored."


def test_a_nickname_that_ends_with_a_colon_is_found_before_the_one_without(commands: CommandRun) -> None:
    impostor = Member(member_id="i", nick_name="bob:", role="member")
    room = FakeRoom("dev", members={"a": ANN, "b": BOB, "i": impostor}).join("hello", "hi")
    room.log.apply_push(room.message(3, "spam", impostor))
    room.role = "moderator"
    view = commands.session.add_room(room)
    for typed, nick, text in (("bob", "bob", "hi"), ("@bob:", "bob:", "spam"), ("bob::", "bob:", "spam")):
        assert commands.run(f"/whois {typed}") == ""
        assert commands.notices[-1].startswith(f"{nick}: ")
        assert commands.run(f"/ignore {typed}") == ""
        assert commands.front_end.settings.ignored == (nick,)
        assert commands.run(f"/unignore {typed}") == ""
        assert commands.front_end.settings.ignored == ()
        assert find_deletion_target(view, typed).text == text


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("/join dev", ("go_to_room", "dev")),
        ("/part", ("leave_room", "tea")),
        ("/me waves", ("send", "/me waves")),
        ("/shrug", ("send", r"¯\_(ツ)_/¯")),
        ("/shrug well", ("send", r"well ¯\_(ツ)_/¯")),
        ("/edit", (ComposeKind.EDIT, None, "")),
        ("/reply so", (ComposeKind.REPLY, "hello", "so")),
        ("/react tada", (ComposeKind.REACT, "hello", "tada")),
        ("/server example.org", ("change_server", "example.org")),
    ],
)
def test_input_and_navigation_commands_call_the_front_end(
    commands: CommandRun, text: str, call: tuple[object, ...]
) -> None:
    assert commands.run(text) == ""
    assert commands.front_end.calls == [call]


def test_the_error_of_a_send_is_the_error_of_the_command(commands: CommandRun) -> None:
    commands.front_end.error = "The message is too long."
    assert commands.run("/me waves") == "The message is too long."


def test_a_handler_of_the_front_end_replaces_the_common_handler(commands: CommandRun) -> None:
    commands.front_end.handlers["topic"] = lambda argument: f"own {argument}"
    assert commands.run("/topic new leaves") == "own new leaves"
    assert commands.notices == []


async def test_a_failed_request_arrives_as_an_event(commands: CommandRun) -> None:
    commands.session.connection_state = Online()
    assert commands.run("/list") == ""
    await commands.link.wait_until_idle()
    assert commands.link.event_queue.pop() == RequestFailed("No connection to the server.")


@pytest.mark.parametrize("text", ["/nick bob", "/list", "/topic new leaves"])
def test_a_command_that_needs_the_server_is_rejected_offline(commands: CommandRun, text: str) -> None:
    commands.session.connection_state = Offline(Unavailable("not_connected"), retry_in=1.0, retry_at=1.0)
    name = text.split(maxsplit=1)[0]
    assert commands.run(text) == f"{name} needs a connection. You are offline."


async def read_nothing(text: str, *, is_secret: bool) -> str:
    raise EOFError


async def test_the_screen_reader_mode_handles_every_command(tmp_path: Path) -> None:
    reader = ScreenReader(TARGET, SettingsFile(), tmp_path, lambda text: None)
    commands = ReaderCommands(reader, SettingsFile(), LocalServer(), read_nothing)
    assert set(HANDLERS) | set(commands.context.front_end_handlers) == {command.name for command in registry.COMMANDS}


def test_a_room_known_after_a_request_is_only_joined_if_the_user_has_switched_meanwhile(
    commands: CommandRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    joins: list[tuple[str, str, int]] = []

    def join(room: str, nick: str, switch: int) -> None:
        joins.append((room, nick, switch))

    monkeypatch.setattr(commands.link, "join", join)
    switch_to = begin_switch(commands.context)
    number = commands.session.switch_number
    commands.session.show_room("tea")
    for room in ("tea", "dev"):
        switch_to(room)
    begin_switch(commands.context)("ops")
    while commands.link.event_queue:
        event = commands.link.event_queue.pop()
        assert isinstance(event, RequestCompleted)
        event.on_completed()
    assert joins == [("dev", "ann", number)]
    assert commands.front_end.calls == [("go_to_room", "ops")]
