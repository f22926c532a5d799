"""Chat screen: connects keys, clicks and commands with the parts of the screen.

- Parts: each part owns its state and its actions. The screen creates the parts and passes events to them.
- Keys: Textual finds the action of a key as `action_<name>`; `ChatScreen` creates these attributes from one table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import TextArea

from tui_chat.client.net.address import is_room_link
from tui_chat.protocol.sanitize import is_blank
from tui_chat.session.commands.completion import Completion
from tui_chat.session.controller import SessionController
from tui_chat.session.i18n import tr
from tui_chat.session.lines import UnreadLine
from tui_chat.session.session_events import ContextLoaded, JoinFailed, RoomListReceived, SessionEvent
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.input.inserted_text import typed_text
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.account_dialogs import create_account_commands
from tui_chat.ui.screens.chat_images import ChatImages
from tui_chat.ui.screens.chat_view import COMPOSING_SCOPES, ChatView
from tui_chat.ui.screens.compose_controller import ComposeController
from tui_chat.ui.screens.composer_completion import ComposerCompletion
from tui_chat.ui.screens.copy_mode import MAX_LINES, CopyModeScreen
from tui_chat.ui.screens.link import open_link
from tui_chat.ui.screens.member_actions import MemberActions
from tui_chat.ui.screens.message_actions import MessageActions
from tui_chat.ui.screens.message_navigation import MessageNavigation
from tui_chat.ui.screens.output import OutputScreen
from tui_chat.ui.screens.paste import PasteFlow
from tui_chat.ui.screens.room_navigation import RoomNavigation
from tui_chat.ui.screens.screen_commands import ScreenCommands
from tui_chat.ui.terminal.notifier import Notifier
from tui_chat.ui.timeline.messages import (
    CursorMoved,
    FollowChanged,
    GapRequested,
    LinkClicked,
    MessageActivated,
    OlderMessagesRequested,
)
from tui_chat.ui.timeline.selection_screen import SelectionScreen
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.side_list import MemberList, RoomList


class ChatScreen(SelectionScreen, inherit_bindings=False):
    """Chat screen with composing, reading, message actions, navigation and commands."""

    AUTO_FOCUS = "Composer"
    BINDINGS = textual_bindings(KeyScope.CHAT)

    @dataclass
    class ServerChangeRequested(Message):
        """Request of `/server`.

        Attributes:
            address: Server address as typed, already validated.
        """

        address: str

    def __init__(self, controller: SessionController) -> None:
        super().__init__()
        session, server_link = self.session, self.server_link = controller.session, controller.server_link
        self._drafts = controller.drafts
        self._images = ChatImages(controller.image_files, self)
        self.view = ChatView(
            session,
            self._drafts,
            Composer(
                self._complete,
                self._submit,
                self._edit_last_message,
                lambda: app_services(self).keymap,
            ),
            images=self._images.store,
            focus=self.set_focus,
            push_screen=lambda screen, on_closed: app_of(self).push_screen(screen, on_closed),
            is_active=lambda: self.is_active,
            screen_width=lambda: app_of(self).size.width,
            batch_update=lambda: app_of(self).batch_update(),
            set_window_title=self._set_window_title,
            set_interval=self.set_interval,
        )
        self._notifier = Notifier(session, lambda: app_services(self).terminal, self.set_timer)
        self.room_navigation = RoomNavigation(
            server_link, self.view, set_timer=self.set_timer, drain_input=self._drain_input
        )
        self._completion = ComposerCompletion(self.view, server_link, lambda: self.room_navigation.known_room_names)
        self.message_navigation = MessageNavigation(server_link, self.view, self.room_navigation.go_to_room)
        self.view.on_drawn = self.message_navigation.on_drawn
        self.view.on_error = self.message_navigation.cancel
        self.compose_controller = ComposeController(
            controller.messages, self.view, self._drafts, self.message_navigation.go_to_newest
        )
        self.message_actions = MessageActions(
            controller.messages,
            controller.deletions,
            self.view,
            self.compose_controller,
            go_to_reply_target=self.message_navigation.go_to_reply_target,
            copy_text=lambda text: app_of(self).copy_to_clipboard(text),
            mark_unread=controller.read_markers.mark_unread,
            open_link=self._open_link,
        )
        self._commands = ScreenCommands(
            session,
            server_link,
            self.compose_controller,
            self.room_navigation,
            self.message_navigation,
            deletions=controller.deletions,
            get_selected_message=lambda: self.message_actions.selected_message,
            confirm_deletion=self.message_actions.confirm_deletion,
            mark_unread=controller.read_markers.mark_unread,
            copy_text=lambda text: app_of(self).copy_to_clipboard(text),
            confirm=self.message_actions.confirm,
            settings=lambda: app_services(self).settings,
            set_setting=self._set_setting,
            change_server=lambda address: self.post_message(self.ServerChangeRequested(address)),
            open_output=lambda text: self.view.open_dialog(OutputScreen(text), lambda _: None),
            run_app_action=lambda name: self.call_later(self.run_action, f"app.{name}"),
            account_commands=create_account_commands(controller, self.view),
        )
        self.message_actions.save_files = self._commands.save_files
        self.message_actions.open_file = self._commands.open_file
        self._member_actions = MemberActions(self.view, server_link, self.run_command)
        composing = self.compose_controller
        PasteFlow(self.view, composing.send_verbatim, composing.send_files, self._commands.upload).attach()
        self.view.composer.show_status = self.view.status.show_status
        self.actions = self._key_actions()
        for name, action in self.actions.items():
            setattr(self, f"action_{name}", action)

    def _key_actions(self) -> dict[str, Callable[..., object]]:
        """Return the handlers of the key actions by name."""
        timeline, session = self.view.timeline, self.session
        return {
            **self.message_actions.actions,
            "select_message": self._select_message,
            "leave_message_cursor": self.message_navigation.leave_message_cursor,
            "page_up": timeline.action_page_up,
            "page_down": timeline.action_page_down,
            "top": timeline.action_to_top,
            "bottom": self.message_navigation.go_to_newest,
            "first_unread": partial(timeline.scroll_to_key, UnreadLine().key),
            "escape": self._escape,
            "copy_mode": lambda: app_of(self).push_screen(CopyModeScreen(timeline.export_text(MAX_LINES))),
            "search": self.message_navigation.open_search,
            "switch_room": self.room_navigation.open_switcher,
            "choose_member": self._member_actions.open_picker,
            "step_room": self._then_draw(session.cycle_room),
            "show_room_number": self._then_draw(session.show_room_number),
            "next_unread": self.room_navigation.go_to_next_unread,
            "toggle_rooms": partial(self.view.toggle_pane, self.view.rooms),
            "toggle_members": partial(self.view.toggle_pane, self.view.members),
        }

    def compose(self) -> ComposeResult:
        """Yield the widgets of `ChatView.widgets`."""
        yield from self.view.widgets()

    def on_mount(self) -> None:
        """Show the number of new messages, apply the settings now and after each change, and start to draw images."""
        self.watch(self.view.timeline, "new_message_count", self.view.status.show_new_below)
        app_services(self).settings_changed.subscribe(self, self.view.apply_settings)
        self.view.apply_settings(app_services(self).settings)
        self._images.start(self.view.timeline)

    async def on_unmount(self) -> None:
        """Close the images (`ChatImages.close`)."""
        await self._images.close()

    def _open_link(self, url: str) -> None:
        """Show or join the room of a room link, or open another link; show the error or the status text, if any."""
        if is_room_link(url):
            self.run_command(f"/join {url}")
        else:
            self.view.status.show_status(open_link(url, app_of(self)))

    def _set_window_title(self, title: str) -> None:
        app_services(self).terminal.set_window_title(title)

    def _drain_input(self) -> Sequence[events.Key | events.Paste]:
        """Remove and return the waiting input; dispatch its global keys again, because these keys need no room."""
        services = app_services(self)
        items = services.input_sequencer.drain_pending()
        for item in items:
            if isinstance(item, events.Key) and item.key in services.keymap.actions[KeyScope.GLOBAL]:
                app_of(self).post_message(item)
        return items

    def _then_draw(self, change: Callable[..., None]) -> Callable[..., None]:
        """Return a function that calls `change` with its arguments and draws the result."""

        def change_and_draw(*arguments: object) -> None:
            change(*arguments)
            self.view.draw_changes()

        return change_and_draw

    # Composing

    def _complete(self, text_before_cursor: str) -> Completion | None:
        return self._completion.complete(text_before_cursor)

    def _edit_last_message(self) -> bool:
        return self.compose_controller.edit_last_message()

    def _submit(self, raw_text: str) -> None:
        """Send the text without outer newlines, or run the command in it.

        Rejected input returns to the composer, and its error is shown. Blank text is dropped. Accepted input enters the
        input history, except in the compose modes edit and reaction.
        """
        text = raw_text.strip("\n")
        if is_blank(text):
            return
        if error := self.compose_controller.run_and_record(lambda: self.run_input(text), text):
            self.view.composer.set_text(raw_text)
            self.view.show_error(error)

    def run_input(self, text: str) -> str:
        """Queue the text as a message, or run the command in it, and draw the result.

        Returns:
            Error message, empty on success or if the operation has started.
        """
        error = self._commands.run_input(text)
        self.view.draw_changes()
        return error

    def run_command(self, text: str) -> None:
        """Run a command, such as `/help`, and show its error, if any. The input history stays."""
        if error := self.run_input(text):
            self.view.show_error(error)

    def set_composer_text(self, text: str) -> None:
        """Replace the composer text and focus the composer. The compose mode stays."""
        self.view.composer.set_text(text)
        self.set_focus(self.view.composer)

    def clear_input(self) -> bool:
        """Cancel the history search, else the compose mode, else clear the text: one step per call.

        After clearing, the status line names the key that restores the text.

        Returns:
            False if there was nothing to cancel or clear.
        """
        composer = self.view.composer
        if composer.is_searching:
            composer.action_search_cancel()
        elif not self.compose_controller.leave_mode():
            if not composer.text:
                return False
            composer.clear()
            undo_key = app_services(self).keymap.display_key("undo")
            self.view.status.show_status(tr("Cleared. {key} restores the text.", key=undo_key) if undo_key else "")
        return True

    @on(TextArea.Changed)
    def _handle_text_changed(self) -> None:
        view, composer = self.session.current_room, self.view.composer
        if view is not None and composer.has_focus and app_services(self).settings.send_typing:
            self._drafts.update_typing(view, composer.text)
        self.view.on_text_changed()

    @on(Composer.HistorySearchChanged)
    def _handle_history_search_changed(self, event: Composer.HistorySearchChanged) -> None:
        self.view.status.history_search = event.prompt
        self.view.key_bar.scopes = (KeyScope.HISTORY_SEARCH,) if event.prompt else COMPOSING_SCOPES

    # Reading

    def _select_message(self) -> None:
        """Show the message cursor (`Timeline.action_show_cursor`) and focus the timeline, if there is a message.

        A pending navigation is cancelled.
        """
        if self.message_navigation.cancel():
            self.view.status.show_status("")
        timeline = self.view.timeline
        timeline.action_show_cursor()
        if timeline.cursor_key is not None:
            self.set_focus(timeline)  # synchronously, because the next key may already be queued

    def on_key(self, event: events.Key) -> None:
        """End the selection in a focused timeline on a printable key without a binding, and insert the text."""
        is_bound = event.key in app_services(self).keymap.actions[KeyScope.MESSAGE_CURSOR]
        if self.view.timeline.has_focus and not is_bound and (text := typed_text(event)):
            event.stop()
            self._end_selection()
            self.view.composer.insert_text(text)

    def on_paste(self, event: events.Paste) -> None:
        """End the selection in a focused timeline on a paste, and pass the paste to the composer."""
        if self.view.timeline.has_focus:
            self._end_selection()
            self.view.composer.post_message(events.Paste(event.text))

    def _end_selection(self) -> None:
        self.view.timeline.set_cursor(None)
        self.set_focus(self.view.composer)

    def _escape(self) -> None:
        """Leave the compose mode, else return from a navigation, else scroll to the newest line."""
        if not self.compose_controller.leave_mode() and not self.message_navigation.go_back():
            self.message_navigation.go_to_newest()

    @on(CursorMoved)
    def _handle_cursor_moved(self, event: CursorMoved) -> None:
        self.view.key_bar.scopes = COMPOSING_SCOPES if event.key is None else (KeyScope.MESSAGE_CURSOR,)
        if event.key is None:
            self.set_focus(self.view.composer)

    @on(MessageActivated)
    def _handle_message_activated(self, event: MessageActivated) -> None:
        self.message_actions.activate(event.key)

    @on(LinkClicked)
    def _handle_link_clicked(self, event: LinkClicked) -> None:
        self.message_actions.show_links([event.url])

    @on(OlderMessagesRequested)
    def _handle_older_requested(self) -> None:
        if self.session.current_room is not None:
            self.server_link.load_older(self.session.current_room.name)

    @on(GapRequested)
    def _handle_gap_requested(self, event: GapRequested) -> None:
        if self.session.current_room is not None:
            self.server_link.fill_gap(self.session.current_room.name, event.after, oldest_first=event.oldest_first)

    @on(RoomList.RoomSelected)
    def _handle_room_selected(self, event: RoomList.RoomSelected) -> None:
        self.room_navigation.go_to_room(event.room)

    @on(MemberList.MemberSelected)
    def _handle_member_selected(self, event: MemberList.MemberSelected) -> None:
        self._member_actions.open_menu(event.member_id)

    @on(FollowChanged)
    @on(events.ScreenResume)
    @on(events.ScreenSuspend)
    def _update_viewed(self) -> None:
        self.view.draw_changes()

    def set_terminal_focus(self, focused: bool) -> None:
        """Set whether the terminal window has focus, update the viewed state, draw, and send due notifications."""
        self.session.has_focus = focused
        self.draw_changes()

    def draw_changes(self) -> None:
        """Draw all changes of the session, and send due notifications."""
        self.view.draw_changes()
        self._notifier.flush()

    def on_resize(self) -> None:
        """Show or hide the side panes for the new width."""
        self.view.layout()

    def on_click(self, event: events.Click) -> None:
        """Focus the composer after a click, except on the timeline while the message cursor is visible."""
        if event.widget is not self.view.timeline or self.view.timeline.cursor_key is None:
            self.set_focus(self.view.composer)

    # Session

    def on_session_event(self, event: SessionEvent) -> None:
        """Pass room lists, loaded contexts and failed joins to their part of the screen. Ignore other events."""
        match event:
            case RoomListReceived(rooms):
                self.room_navigation.on_rooms_listed(rooms)
            case ContextLoaded(room, seq):
                self.message_navigation.on_context_loaded(room, seq)
            case JoinFailed(room):
                self.room_navigation.cancel_switch(room)
            case _:
                pass

    def _set_setting(self, name: str, value: object) -> None:
        if problem := app_services(self).change_setting(name, value):
            self.view.show_error(problem)
