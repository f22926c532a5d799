"""The pictures of docs/screenshots, drawn by the program itself: `make screenshots`.

`tests/ui/test_screenshots.py` draws them again and fails when one differs.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tools.stage import Stage, shown, stage, surroundings
from tui_chat.session.language import Language
from tui_chat.session.remembered import Profile
from tui_chat.ui.screens.search import SearchScreen
from tui_chat.ui.screens.settings import SettingsScreen
from tui_chat.ui.screens.switcher import RoomSwitcher

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"

SMALL, LARGE, NARROW = (80, 24), (160, 50), (48, 20)


@dataclass(frozen=True)
class Scene:
    """One thing to show.

    Attributes:
        name: Of its files.
        draw: Gives its picture in this size.
        sizes: Columns and rows of the terminals it is shown in.
        spoken: The language.
    """

    name: str
    draw: Callable[[tuple[int, int]], Awaitable[str]]
    sizes: tuple[tuple[int, int], ...] = (SMALL, LARGE)
    spoken: Language = Language.ENGLISH

    def file(self, size: tuple[int, int]) -> Path:
        """Where its picture is."""
        return FOLDER / f"{self.name}-{size[0]}x{size[1]}.svg"


async def picture(scene: Scene, size: tuple[int, int]) -> str:
    """Draw a scene."""
    with surroundings(scene.spoken):
        return await scene.draw(size)


async def _talk(on: Stage) -> None:
    """An afternoon in three rooms."""
    tea = await on.seat("alice", "release")
    await tea.set_topic("1.4 on Friday · https://ci.example.org/release")
    await on.say("release", "alice", "Good morning! Where are we with 1.4?", 1)
    await on.say("release", "bob", "Two issues left. The migration takes 40 s on the large database now, it was 9 min.")
    await on.say("release", "bob", "Figures are at https://ci.example.org/builds/4711#migration")
    await on.say("release", "小明", "太好了！我来看看日志 👀")
    seq = await on.say("release", "carol", "Do we keep the old index until everybody has moved?", 3)
    await on.say("release", "alice", "Yes, one release longer. It costs 200 MB, and nobody is stuck.", 1, reply_to=seq)
    await (await on.seat("bob", "release")).react(seq, "👍")
    await (await on.seat("小明", "release")).react(seq, "👍")
    await on.say("release", "carol", "/me updates the notes")
    await on.say("release", "dave", "def keep(index: Index) -> bool:\n    return index.release >= current - 1", 6)
    await on.say("release", "bob", "That is all it takes? 🎉", 1)
    await on.seat("erin", "release")


async def _chat(size: tuple[int, int], theme: str = "dark") -> str:
    async with stage() as on:
        await _talk(on)
        await on.seat("carol", "lunch")
        await on.seat("bob", "help-desk")
        async with shown(size, theme=theme, url=on.url, room="lunch", nick="ann") as ann:
            await ann.join("help-desk")
            await ann.join("release")
            await on.say("lunch", "carol", "ann: noodles at noon?", 2)
            await on.say("help-desk", "bob", "printer again", 1)
            await on.say("release", "alice", "ann, could you try the migration on your copy?", 1)
            await ann.until(
                lambda: (
                    ann.chat.session.rooms["lunch"].mention_count and ann.chat.session.rooms["help-desk"].unread_count
                )
            )
            await ann.until(lambda: "your copy" in str(ann.chat.timeline.lines[-1]))
            await ann.press("O", "n", "space", "i", "t")
            return await ann.picture()


async def _chat_light(size: tuple[int, int]) -> str:
    return await _chat(size, "light")


async def _chat_contrast(size: tuple[int, int]) -> str:
    return await _chat(size, "contrast")


async def _chinese(size: tuple[int, int]) -> str:
    async with stage() as on:
        room = await on.seat("小红", "茶馆")
        await room.set_topic("喝茶聊天，随意就好 🍵")
        await on.say("茶馆", "小红", "大家早上好！周末去爬山吗？🌄", 1)
        await on.say("茶馆", "阿强", "天气预报说周六有雨 ☔，改周日怎么样？")
        seq = await on.say("茶馆", "小红", "周日也行，早上八点在东门集合，记得带水和雨衣。", 2)
        await on.say("茶馆", "王小明", "好的，我开车，可以坐四个人 🚗", 1, reply_to=seq)
        await (await on.seat("阿强", "茶馆")).react(seq, "👍")
        await on.say("茶馆", "Zoë", "I'm in! 我带咖啡 ☕ 👩‍💻", 1)
        await on.say("茶馆", "阿强", "/me 去买零食了")
        async with shown(size, url=on.url, room="茶馆", nick="小明") as person:
            await person.until(lambda: "零食" in str(person.chat.timeline.lines[-1]))
            await on.say("茶馆", "王小明", "小明，你来吗？", 1)
            await person.until(lambda: "你来吗" in str(person.chat.timeline.lines[-1]))
            return await person.picture()


async def _join(size: tuple[int, int]) -> str:
    async with shown(size, kept=Profile(room="lobby", nick="ann", server="http://chat.example.org:3000")) as person:
        return await person.picture()


async def _search(size: tuple[int, int]) -> str:
    async with stage() as on:
        await _talk(on)
        async with shown(size, url=on.url, room="release", nick="ann") as ann:
            await ann.press("alt+s")
            await ann.until(lambda: isinstance(ann.app.screen, SearchScreen) and ann.app.screen.focused)
            await ann.press(*"migration", "enter")
            await ann.until(lambda: "4711" in ann.text())
            return await ann.picture()


async def _settings(size: tuple[int, int]) -> str:
    async with stage() as on:
        await _talk(on)
        async with shown(size, url=on.url, room="release", nick="ann") as ann:
            await ann.press("f9")
            await ann.until(lambda: isinstance(ann.app.screen, SettingsScreen))
            return await ann.picture()


async def _switcher(size: tuple[int, int]) -> str:
    async with stage() as on:
        await _talk(on)
        for room in ("reading-group", "random", "lunch"):
            await on.seat("carol", room)
        await (await on.seat("carol", "reading-group")).set_topic("The Left Hand of Darkness, chapter 4")
        async with shown(size, url=on.url, room="release", nick="ann") as ann:
            await ann.press("f4")
            await ann.until(lambda: isinstance(ann.app.screen, RoomSwitcher) and ann.app.screen.focused)
            await ann.press("r")
            await ann.until(lambda: "Darkness" in ann.text())
            return await ann.picture()


SCENES = (
    Scene("join", _join),
    Scene("join-chinese", _join, spoken=Language.CHINESE),
    Scene("chat-dark", _chat),
    Scene("chat-light", _chat_light),
    Scene("chat-contrast", _chat_contrast, (SMALL,)),
    Scene("chat-chinese", _chinese, spoken=Language.CHINESE),
    Scene("chat-narrow", _chat, (NARROW,)),
    Scene("search", _search),
    Scene("settings", _settings),
    Scene("switcher", _switcher, (SMALL,)),
)


async def draw() -> None:
    """Draw every picture anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        for size in scene.sizes:
            scene.file(size).write_text(await picture(scene, size), encoding="utf-8")
            print(scene.file(size).relative_to(FOLDER.parents[1]))


if __name__ == "__main__":
    sys.exit(asyncio.run(draw()))
