"""The join form: room, nickname, server. What is wrong is said beside the field it is about."""

from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from server.protocol.errors import ChatError
from tui_chat.client import address
from tui_chat.session import refusals, words
from tui_chat.session.language import tr
from tui_chat.ui import keys
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.start import DEFAULT_SERVER
from tui_chat.ui.widgets.field import Field
from tui_chat.ui.widgets.key_bar import KeyBar


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where somebody wants to go, all of it checked.

    Attributes:
        server: The server's base URL.
        typed: The server as it was typed, to be remembered.
    """

    room: str
    nick: str
    server: str
    typed: str


class JoinScreen(Screen[None]):
    """The first screen."""

    BINDINGS = keys.bindings(keys.Place.FORM)
    AUTO_FOCUS = ""

    @dataclass
    class Asked(Message):
        """The form is complete and Enter was pressed."""

        entrance: Entrance

    @dataclass
    class ServeAsked(Message):
        """A server is wanted at the form's address, to be joined then."""

        entrance: Entrance

    class StopAsked(Message):
        """The person does not want to wait any longer."""

    def __init__(self, room: str, nick: str, server: str, notice: str = "") -> None:
        """Make it.

        Args:
            room: What stands in the field at first; so with `nick` and `server`.
            nick: The nickname.
            server: The server's address as a person writes it.
            notice: Something to be said at once.
        """
        super().__init__()
        self._first = {"room": room, "nick": nick, "server": server}
        self._fields: dict[str, Field] = {}
        self._notice = notice
        self._waiting = False

    def compose(self) -> ComposeResult:
        """The card in the middle, the keys at the bottom."""
        first = self._first
        self._fields = {
            "room": Field(tr(words.LABEL_ROOM), first["room"], tr(words.PLACEHOLDER_ROOM), id="room"),
            "nick": Field(tr(words.LABEL_NICK), first["nick"], tr(words.PLACEHOLDER_NICK), id="nick"),
            "server": Field(tr(words.LABEL_SERVER), first["server"], DEFAULT_SERVER, id="server"),
        }
        with VerticalScroll(id="page", can_focus=False), Vertical(id="card"):
            yield Static(words.TITLE, id="title", markup=False)
            yield Static(tr(words.JOIN_HINT), id="hint", markup=False)
            yield from self._fields.values()
            with Horizontal(id="buttons"):
                yield Button(tr(words.BUTTON_JOIN), id="join", compact=True, variant="primary")
                yield Button(tr(words.BUTTON_START_SERVER), id="serve", compact=True)
            yield Static(self._notice, id="progress", markup=False)
        yield KeyBar(keys.Place.FORM, keys.Place.ANYWHERE)

    def on_resize(self, event: events.Resize) -> None:
        """A low terminal gets the form without its margins."""
        self.set_class(event.size.height < 18, "-short")

    def on_mount(self) -> None:
        """The caret stands in the first field that is empty."""
        self.query_one("#serve").display = False
        settings_app(self).settings_changed.subscribe(self, lambda _: self._tell())
        empty = next((field for field in self._fields.values() if not field.value), self._fields["room"])
        empty.focus_input()

    def _tell(self) -> None:
        """Say everything in the language in use."""
        self.query_one("#hint", Static).update(tr(words.JOIN_HINT))
        self._fields["room"].tell(tr(words.LABEL_ROOM), tr(words.PLACEHOLDER_ROOM))
        self._fields["nick"].tell(tr(words.LABEL_NICK), tr(words.PLACEHOLDER_NICK))
        self._fields["server"].tell(tr(words.LABEL_SERVER), DEFAULT_SERVER)
        self.query_one("#join", Button).label = tr(words.BUTTON_JOIN)
        self.query_one("#serve", Button).label = tr(words.BUTTON_START_SERVER)

    def action_next_or_join(self) -> None:
        """Join when all is there, else go to the field that is missing."""
        self._submit(JoinScreen.Asked)

    def action_stop(self) -> None:
        """Wait no longer for the server."""
        if self._waiting:
            self.post_message(JoinScreen.StopAsked())

    @on(Input.Submitted)
    def _entered(self) -> None:
        self._submit(JoinScreen.Asked)

    @on(Input.Changed)
    def _changed(self) -> None:
        for field in self._fields.values():
            field.complain("")
        self.query_one("#serve").display = False

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self._submit(JoinScreen.ServeAsked if event.button.id == "serve" else JoinScreen.Asked)

    def submit(self) -> None:
        """As if Enter was pressed."""
        self._submit(JoinScreen.Asked)

    def go_to(self, server: str, room: str) -> None:
        """Join there, in this room or, for an empty one, in the one that stands in the form."""
        self.set_server(server)
        if room:
            self._fields["room"].value = room
        # Whatever is missing or wrong is said by the form as always.
        self.call_after_refresh(self.submit)

    def set_server(self, server: str) -> None:
        """Put this into the field of the server."""
        self._fields["server"].value = server

    def wait(self, text: str) -> None:
        """Say what is waited for; until then nothing can be typed, which would only go astray."""
        self.progress(text)
        self._waiting = True
        self.query_one("#card").disabled = True

    def progress(self, text: str) -> None:
        """Say something, and wait no longer; empty says nothing."""
        self.query_one("#progress", Static).update(text)
        if self._waiting:
            self._waiting = False
            self.query_one("#card").disabled = False
            self._fields["room"].focus_input()

    def complain(self, field: str, problem: str) -> None:
        """Say what is wrong beside one field (`room`, `nick` or `server`), and put the caret there."""
        self.progress("")
        self._fields[field].complain(problem)
        self._fields[field].focus_input()

    def offer_server(self) -> None:
        """Show the button that starts a server, and put the caret on it."""
        button = self.query_one("#serve", Button)
        button.display = True
        button.focus()

    def _submit(self, message: "type[JoinScreen.Asked | JoinScreen.ServeAsked]") -> None:
        entrance = None if self._waiting else self._checked()
        if entrance is not None:
            self.post_message(message(entrance))

    def _checked(self) -> Entrance | None:
        # PRECIS costs 30 ms to import, which the first screen does not wait for.
        from server.protocol import names  # noqa: PLC0415

        for field in self._fields.values():
            field.complain("")
        room, nick, typed = (self._fields[name].value for name in ("room", "nick", "server"))
        base_url = ""
        problems: dict[str, str] = {}
        try:
            found = address.parse_address(typed or DEFAULT_SERVER)
            base_url = found.base_url
            if found.room and not room:
                room = self._fields["room"].value = found.room
        except ValueError as fault:
            problems["server"] = refusals.sentence(str(fault))
        try:
            room = names.validate_room_name(room) if room else ""
        except ChatError as fault:
            problems["room"] = refusals.describe(fault)
        try:
            nick = names.validate_nickname(nick) if nick else ""
        except ChatError as fault:
            problems["nick"] = refusals.describe(fault)
        if not room:
            problems.setdefault("room", tr(words.ROOM_REQUIRED))
        if not nick:
            problems.setdefault("nick", tr(words.NICK_REQUIRED))
        for name in ("server", "nick", "room"):
            if name in problems:
                self.complain(name, problems[name])
        return None if problems else Entrance(room, nick, base_url, typed or DEFAULT_SERVER)
