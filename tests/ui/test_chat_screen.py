"""Messages, header, panes and keys of the chat screen with one or two users."""

from contextlib import AsyncExitStack
from pathlib import Path

from textual import events

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tests.support.event_recorder import next_event
from tests.support.free_port import reserved_port
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tui_chat.client.client import ChatClient
from tui_chat.client.events import TypingChanged


async def test_two_users_exchange_messages(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", settings={"joins": "all"}) as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.wait_for_text("bob joined")
        await ann.send_message("hello bob")
        await bob.wait_for_text("hello bob")
        await bob.send_message("你好 ann")
        await ann.wait_for_text("你好 ann")
        assert ann.screen_text().count("hello bob") == 1
        await ann.wait_for_text("2 here")  # presence follows the join notice


async def test_invisible_text_is_not_sent(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for text in ("\u2800\u3164", "\u00ad\u200b", "/me \u115f"):
            ann.composer.insert_text(text)
            await ann.press("enter")
        await ann.wait_for_text("Usage: /me action")
        ann.composer.set_text("visible")
        await ann.press("enter")
        await ann.wait_until_sent()
        assert message_texts(ann.sdk_room("tea")) == ["visible"]


async def test_the_header_shows_room_topic_and_connection_state(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        await room.set_topic("green or black")
        await ann.wait_for_text("green or black")
        header = ann.first_row_of(ann.chat_screen.query_one("ChatHeader"))
        assert header.startswith("tea  green or black")
        assert "● online" in header


async def test_a_confusable_nickname_is_marked_and_explained(server: RunningServer, tmp_path: Path) -> None:
    impostor_nick = "\u0410nn"
    async with chat_app_in_room(tmp_path, server.url, "Ann") as ann, ChatClient(server.url) as impostor:
        room = await impostor.join("tea", nick=impostor_nick)
        await ann.wait_for_text(f"{impostor_nick} (look-alike) joined")
        await room.send("trust me")
        await ann.wait_for_text(f"!{impostor_nick}   trust me")
        await ann.wait_until(lambda: ann.screen_text().count(f"!{impostor_nick}") == 2)  # message and member list
        await ann.send_message("/names")
        await ann.wait_for_text(f"2 here: Ann, !{impostor_nick}\n")
        await ann.wait_for_text("! looks like the nickname")
        await ann.send_message(f"/whois {impostor_nick}")
        await ann.wait_for_text(f"{impostor_nick}: looks like the nickname")


async def test_drafts_stay_with_their_room_during_a_burst_of_keys(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/join dev")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        burst = [events.Key(character, character) for character in "for dev"]
        burst += [events.Key("alt+1", None), *(events.Key(c, c) for c in "for tea"), events.Key("alt+2", None)]
        for key in burst:
            ann.app.post_message(key)
        await ann.wait_until(lambda: ann.composer.text == "for dev")
        await ann.press("alt+left")
        assert ann.composer.text == "for tea"
        ann.app.post_message(events.Key("enter", "\r"))
        ann.app.post_message(events.Key("alt+2", None))
        await ann.wait_until(lambda: ann.composer.text == "for dev")
        assert (ann.message_texts("tea"), ann.message_texts("dev")) == (["for tea"], [])


async def test_scrolling_up_loads_older_history(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        for number in range(120):
            await room.send(f"line {number}")
        async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
            await ann.wait_for_text("line 119")
            await ann.press("alt+home")
            await ann.wait_until(lambda: len(ann.timeline.lines) >= 120)
            await ann.press("alt+home")
            await ann.wait_for_text("line 0")


async def test_the_history_search_shows_its_query_and_its_match_and_undo_restores_cleared_text(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for text in ("tea at four", "and cake"):
            await ann.send_message(text)
        await ann.type_text("half")
        await ann.press("ctrl+r")
        await ann.type_text("te")
        await ann.wait_for_text("search sent messages: te")
        assert ann.composer.text == "tea at four"
        await ann.type_text("x")
        await ann.wait_for_text("no sent message contains: tex")
        await ann.press("escape")
        assert ann.composer.text == "half"
        await ann.wait_until(lambda: "contains: tex" not in ann.screen_text())
        await ann.press("ctrl+c")
        await ann.wait_for_text("Ctrl+_")
        assert ann.composer.text == ""
        await ann.press("ctrl+underscore")
        assert ann.composer.text == "half"


async def test_a_long_error_wraps_and_shows_its_end(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(48, 16)) as ann:
        for problem in (
            "Change rejected: the message is longer than the server permits, so shorten the text and send it again",
            "更改被拒绝：消息超过服务器允许的长度，请缩短文字以后再次发送，或者分成几条消息。再试一次吧，谢谢",
        ):
            ann.chat_screen.view.show_error(problem)
            end = problem.replace(" ", "")
            await ann.wait_until(lambda end=end: end in "".join(ann.screen_text().split()))
            await ann.type_text("x")
            await ann.wait_until(lambda: ann.chat_screen.view.status.size.height == 1)


async def test_the_member_pane_is_hidden_in_a_narrow_terminal_and_f3_shows_the_pane(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(40, 10)) as ann:
        assert not ann.chat_screen.view.members.display
        await ann.wait_until(lambda: "1 here" in ann.screen_text().splitlines()[0])
        await ann.press("f3")
        await ann.wait_until(lambda: ann.chat_screen.view.members.display)
        await ann.wait_until(lambda: "1 here" in "".join(ann.screen_text().splitlines()[1:]))


async def test_ctrl_s_selects_a_message_if_there_is_one_and_m_mentions_its_sender(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        await ann.press("ctrl+s")
        await ann.type_text("still here")
        assert ann.composer.text == "still here"
        ann.composer.set_text("")
        room = await bob.join("tea", nick="bob")
        await room.send("question?")
        await ann.wait_for_text("question?")
        await ann.press("ctrl+s")
        assert ann.timeline.cursor_key is not None
        await ann.press("m")
        assert ann.composer.text == "bob: "
        assert ann.app.focused is ann.composer


async def test_a_failed_message_shows_its_error_and_returns_to_the_composer_or_is_sent_again(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        ann.sdk_room("tea").post("an answer to nothing", 1)
        await ann.wait_for_text("No such message")
        await ann.press("ctrl+s", "e")
        assert ann.composer.text == "an answer to nothing"
        assert "No such message" not in ann.screen_text()
        ann.composer.set_text("")
        ann.sdk_room("tea").post("an answer", 1)
        await ann.wait_for_text("No such message")
        await ann.send_message("the question")
        await ann.wait_until_sent()
        await ann.press("ctrl+s", "enter")
        await ann.wait_until(lambda: ann.timeline.lines[-1].key == "message-2")
        assert "No such message" not in ann.screen_text()


async def test_text_of_other_users_is_never_interpreted_as_markup(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="[b]bold[/b]")
        await room.send("[red]not red[/] [@click=app.quit]x[/] [")
        await room.set_topic("[blink]topic[/]")
        async with chat_app_in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann:
            await ann.wait_for_text("[red]not red[/] [@click=app.quit]x[/] [")
            await ann.wait_for_text("[blink]topic[/]")
            assert ann.screen_text().count("[b]bold[/b]") == 2


async def test_messages_typed_offline_are_sent_once_after_a_reconnect(tmp_path: Path) -> None:
    with reserved_port() as port:
        async with AsyncExitStack() as server_stack:
            server = await server_stack.enter_async_context(running_server(tmp_path, port=port))
            async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
                await server_stack.aclose()
                await ann.wait_for_text("offline")
                await ann.send_message("meanwhile")
                assert ann.chat_screen.session.pending_count == 1
                async with running_server(tmp_path, port=port), ChatClient(server.url) as bob:
                    await ann.wait_for_text("online")
                    await ann.wait_until_sent()
                    assert ann.screen_text().count("meanwhile") == 1
                    assert message_texts(await bob.join("tea", nick="bob")) == ["meanwhile"]


async def test_the_typing_indicator_is_shown_until_a_message_or_an_edit_is_sent(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann") as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
        ChatClient(server.url) as observer,
    ):
        stream = observer.events()
        await observer.join("tea", nick="carol")
        await bob.type_text("h")
        await ann.wait_for_text("bob is typing")
        await bob.press("enter")
        await ann.wait_until(lambda: "bob is typing" not in ann.screen_text())
        await bob.wait_until_sent()
        await bob.press("up")
        await bob.type_text("!")
        await bob.press("enter")
        changes = [await next_event(stream, TypingChanged)]
        while changes[-1].is_typing:
            changes.append(await next_event(stream, TypingChanged))
        assert len(changes) > 2  # the message has ended the indicator without an event


async def test_messages_are_displayed_again_after_extreme_terminal_sizes(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("wide 你好 text")
        for size in ((1, 1), (10, 3), (20, 5), (300, 100)):
            await ann.pilot.resize_terminal(*size)
            await ann.press("f2", "f3", "f1", "f1")
            ann.screen_text()  # renders
            await ann.pilot.resize_terminal(80, 24)
            await ann.wait_for_text("wide 你好 text")
