"""Generator of docs/screenshots: `make screenshots`.

`tests/ui/test_screenshots.py` renders all scenes again and compares the results with the files.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.demo_scene import DemoScene, demo_app_in_terminal, demo_scene, fixed_environment
from tui_chat.session.i18n import Language
from tui_chat.session.store.profile import Profile
from tui_chat.ui.screens.room_switcher import RoomSwitcher
from tui_chat.ui.screens.search import SearchScreen
from tui_chat.ui.screens.settings import SettingsScreen

OUTPUT_DIRECTORY = Path(__file__).parents[1] / "docs" / "screenshots"

SMALL, LARGE, NARROW = (80, 24), (160, 50), (48, 20)


@dataclass(frozen=True)
class ScreenshotScene:
    """Scene of a screenshot.

    Attributes:
        name: Base name of the screenshot files.
        render: Returns the scene as SVG at a terminal size.
        sizes: Terminal sizes as (columns, rows).
        lang: Language of the client.
    """

    name: str
    render: Callable[[tuple[int, int]], Awaitable[str]]
    sizes: tuple[tuple[int, int], ...] = (SMALL, LARGE)
    lang: Language = Language.ENGLISH

    def path(self, size: tuple[int, int]) -> Path:
        """Return the path of the screenshot at a terminal size."""
        return OUTPUT_DIRECTORY / f"{self.name}-{size[0]}x{size[1]}.svg"


async def render_scene(scene: ScreenshotScene, size: tuple[int, int]) -> str:
    """Return the scene as SVG, rendered in the fixed environment."""
    with fixed_environment(scene.lang):
        return await scene.render(size)


async def _play_conversation(scene: DemoScene) -> None:
    """Send the messages of the room `release`."""
    room = await scene.join_room("alice", "release")
    await room.set_topic("1.4 on Friday · https://ci.example.org/release")
    await scene.send_message("release", "alice", "Good morning! Where are we with 1.4?", 1)
    await scene.send_message(
        "release", "bob", "Two issues left. The migration takes 40 s on the large database now, it was 9 min."
    )
    await scene.send_message("release", "bob", "Figures are at https://ci.example.org/builds/4711#migration")
    await scene.send_message("release", "小明", "太好了！我来看看日志 👀")
    seq = await scene.send_message("release", "carol", "Do we keep the old index until everybody has moved?", 3)
    await scene.send_message(
        "release", "alice", "Yes, one release longer. It costs 200 MB, and nobody is stuck.", 1, reply_to=seq
    )
    await (await scene.join_room("bob", "release")).react(seq, "👍")
    await (await scene.join_room("小明", "release")).react(seq, "👍")
    await scene.send_message("release", "carol", "/me updates the notes")
    await scene.send_message(
        "release", "dave", "def keep(index: Index) -> bool:\n    return index.release >= current - 1", 6
    )
    await scene.send_message("release", "bob", "That is all it takes? 🎉", 1)
    await scene.join_room("erin", "release")


async def _render_chat(size: tuple[int, int], theme: str = "dark") -> str:
    async with demo_scene() as scene:
        await _play_conversation(scene)
        await scene.join_room("carol", "lunch")
        await scene.join_room("bob", "help-desk")
        async with demo_app_in_terminal(size, theme=theme, url=scene.url, room="lunch", nick="ann") as ann:
            await ann.join_room("help-desk")
            await ann.join_room("release")
            await scene.send_message("lunch", "carol", "ann: noodles at noon?", 2)
            await scene.send_message("help-desk", "bob", "printer again", 1)
            await scene.send_message("release", "alice", "ann: could you try the migration on your copy?", 1)
            await ann.wait_until(
                lambda: (
                    ann.chat_screen.session.rooms["lunch"].mention_count
                    and ann.chat_screen.session.rooms["help-desk"].unread_count
                )
            )
            await ann.wait_until(lambda: "your copy" in str(ann.chat_screen.view.timeline.lines[-1]))
            await ann.press("O", "n", "space", "i", "t")
            return await ann.render_svg()


async def _render_chinese(size: tuple[int, int]) -> str:
    async with demo_scene() as scene:
        room = await scene.join_room("小红", "茶馆")
        await room.set_topic("喝茶聊天，随意就好 🍵")
        await scene.send_message("茶馆", "小红", "大家早上好！周末去爬山吗？🌄", 1)
        await scene.send_message("茶馆", "阿强", "天气预报说周六有雨 ☔，改周日怎么样？")
        seq = await scene.send_message("茶馆", "小红", "周日也行，早上八点在东门集合，记得带水和雨衣。", 2)
        await scene.send_message("茶馆", "王小明", "好的，我开车，可以坐四个人 🚗", 1, reply_to=seq)
        await (await scene.join_room("阿强", "茶馆")).react(seq, "👍")
        await scene.send_message("茶馆", "Zoë", "I'm in! 我带咖啡 ☕ 👩‍💻", 1)
        await scene.send_message("茶馆", "阿强", "/me 去买零食了")
        async with demo_app_in_terminal(size, url=scene.url, room="茶馆", nick="小明") as demo_app:
            await demo_app.wait_until(lambda: "零食" in str(demo_app.chat_screen.view.timeline.lines[-1]))
            await scene.send_message("茶馆", "王小明", "小明：你来吗？", 1)
            await demo_app.wait_until(lambda: "你来吗" in str(demo_app.chat_screen.view.timeline.lines[-1]))
            return await demo_app.render_svg()


async def _render_join(size: tuple[int, int]) -> str:
    async with demo_app_in_terminal(
        size, profile=Profile(room="lobby", nick="ann", server="http://chat.example.org:3000")
    ) as demo_app:
        return await demo_app.render_svg()


async def _render_search(size: tuple[int, int]) -> str:
    async with demo_scene() as scene:
        await _play_conversation(scene)
        async with demo_app_in_terminal(size, url=scene.url, room="release", nick="ann") as ann:
            await ann.press("alt+s")
            await ann.wait_until(lambda: isinstance(ann.app.screen, SearchScreen) and ann.app.screen.focused)
            await ann.press(*"migration", "enter")
            await ann.wait_until(lambda: "2 found" in ann.screen_text())
            return await ann.render_svg()


async def _render_settings(size: tuple[int, int]) -> str:
    async with demo_scene() as scene:
        await _play_conversation(scene)
        async with demo_app_in_terminal(size, url=scene.url, room="release", nick="ann") as ann:
            await ann.press("f9")
            await ann.wait_until(lambda: isinstance(ann.app.screen, SettingsScreen) and " clock " in ann.screen_text())
            return await ann.render_svg()


async def _render_switcher(size: tuple[int, int]) -> str:
    async with demo_scene() as scene:
        await _play_conversation(scene)
        for room in ("reading-group", "random", "lunch"):
            await scene.join_room("carol", room)
        await (await scene.join_room("carol", "reading-group")).set_topic("The Left Hand of Darkness, chapter 4")
        async with demo_app_in_terminal(size, url=scene.url, room="release", nick="ann") as ann:
            await ann.press("f4")
            await ann.wait_until(lambda: isinstance(ann.app.screen, RoomSwitcher) and ann.app.screen.focused)
            await ann.press("r")
            await ann.wait_until(lambda: "Darkness" in ann.screen_text())
            return await ann.render_svg()


SCENES = (
    ScreenshotScene("join", _render_join),
    ScreenshotScene("join-chinese", _render_join, lang=Language.CHINESE),
    ScreenshotScene("chat-dark", _render_chat),
    ScreenshotScene("chat-light", partial(_render_chat, theme="light")),
    ScreenshotScene("chat-contrast", partial(_render_chat, theme="contrast"), (SMALL,)),
    ScreenshotScene("chat-chinese", _render_chinese, lang=Language.CHINESE),
    ScreenshotScene("chat-narrow", _render_chat, (NARROW,)),
    ScreenshotScene("search", _render_search),
    ScreenshotScene("settings", _render_settings),
    ScreenshotScene("switcher", _render_switcher, (SMALL,)),
)


async def write_screenshots() -> None:
    """Render all screenshots, write them to `OUTPUT_DIRECTORY` and print their paths."""
    OUTPUT_DIRECTORY.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        for size in scene.sizes:
            scene.path(size).write_text(await render_scene(scene, size), encoding="utf-8")
            print(scene.path(size).relative_to(OUTPUT_DIRECTORY.parents[1]))


if __name__ == "__main__":
    asyncio.run(write_screenshots())
