"""Rendered rows and colors of a timeline."""

import pytest
from msgspec.structs import replace
from textual.color import Color

from tests.support.timeline_app import MINUTE_MS, START_TS, TimelineApp, make_message, sample_lines
from tui_chat.session import i18n
from tui_chat.session.lines import Line, NoticeLine, ReactionCount, UnreadLine
from tui_chat.ui import theme as themes
from tui_chat.ui.timeline.layout import format_gap

WIDE = """\
                 ── Friday, 20 November 2026 ──
 09:01     alice   Good evening. Is the build green again?
                   I pushed the fix for the flaky test
 09:02       bob   Yes, see
                   https://ci.example.org/builds/4711/console?with=
                   a-rather-long-query&and=more#L2042 for its log.
                 ── 1,240 messages not loaded · Enter ──
 09:03           · carol, dave and 3 others joined
 23:02      小明 ✓ 早上好！今天的发布计划是什么？我们先把数据库迁移
                   做完，然后再更新网关，最后检查所有的客户端。
 23:03     carol   👩💻 on it CN 👍 ❤ é ñ — ok
                   def f(x):
                       return x + 1

                   print(f(41))
 23:06 a-very-l…   short
 23:07      dave @ @小明 could you look at the pull request? It is
                   about the resume rule.
 ────────────────── new ───────────────────────────────────────────
 23:08      小明 ✓ Looking now.
 23:09           ✓ Fine by me, merging. (edited)
 23:10      dave   message deleted
 23:11       bob   supercalifragilisticexpialidocioussupercalifragi
                   listicexpialidocioussupercalifragilisticexpialid
                   ocioussupercalifragilisticexpialidocious
 23:13      小明 ✗ This one could not go out
                   not sent: the room is closed to guests — retry
 23:14           … and this is on its way"""

NARROW = """\
 小明  23:08
 ✓ Looking now.
 ✓ Fine by me, merging. (edited)
 dave  23:10
   message deleted
 bob  23:11
   supercalifragilisticexpialidocious
   supercalifragilisticexpialidocious
   supercalifragilisticexpialidocious
   supercalifragilisticexpialidocious
 小明  23:13
 ✗ This one could not go out
   not sent: the room is closed to
   guests — retry
 … and this is on its way"""


@pytest.mark.parametrize(("size", "expected"), [((81, 29), WIDE), ((51, 16), NARROW)])
async def test_sample_lines_are_rendered_for_each_width(size: tuple[int, int], expected: str):
    app = TimelineApp(sample_lines())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "\n".join(app.rendered_rows()) == expected


async def test_lines_of_one_sender_are_grouped_within_five_minutes_until_midnight():
    def line(number: int, minutes: float, nick: str = "bob") -> Line:
        return make_message(number, nick=nick, ts=START_TS + int(minutes * MINUTE_MS))

    lines = [
        line(1, 0),
        line(2, 0.5),
        line(3, 4),
        line(4, 10),
        UnreadLine(),
        line(5, 11),
        NoticeLine("n", START_TS + 12 * MINUTE_MS, "carol joined"),
        line(6, 12),
        line(7, 15 * 60 - 1),
        line(8, 15 * 60 + 1),
    ]
    app = TimelineApp(lines)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        heads = [row[:17].split() for row in app.rendered_rows() if "message" in row]
        assert heads == [
            ["09:00", "bob"],
            [],
            ["09:04"],
            ["09:10", "bob"],
            ["09:11", "bob"],
            ["09:12", "bob"],
            ["23:59", "bob"],
            ["00:01", "bob"],
        ]


@pytest.mark.usefixtures("restored_language")
async def test_labels_use_the_language_of_the_latest_column_change():
    app = TimelineApp([make_message(1), UnreadLine(), replace(make_message(2), edited=True)])
    async with app.run_test(size=(80, 11)) as pilot:
        await pilot.pause()
        assert "message 2 (edited)" in app.rendered_rows()[-1]
        i18n.activate(i18n.Language.CHINESE)
        app.timeline.set_columns("24h", 0)
        await pilot.pause()
        rows = "\n".join(app.rendered_rows())
        assert "── 2026年11月20日 星期五 ──" in rows
        assert "─ 新消息 ─" in rows
        assert "message 2 （已编辑）" in rows


def test_a_gap_of_one_message_has_a_singular_label():
    assert format_gap(1) == "1 message not loaded · Enter"


@pytest.mark.parametrize("background", ["#000000", "#1e1e1e", "#2b2f36", "#d8d8d8", "#eef0f3", "#ffffff", "#777777"])
@pytest.mark.parametrize("shade", [*themes.DARK_NICK_COLORS, *themes.LIGHT_NICK_COLORS])
def test_nickname_colors_have_enough_contrast_on_any_background(shade: str, background: str):
    background_color = Color.parse(background)
    max_contrast = max(
        themes.contrast_ratio(Color(255, 255, 255), background_color),
        themes.contrast_ratio(Color(0, 0, 0), background_color),
    )
    contrast = themes.contrast_ratio(Color.parse(themes.ensure_contrast(shade, background_color)), background_color)
    assert contrast >= min(themes.MIN_CONTRAST, max_contrast)


@pytest.mark.parametrize(
    ("shades", "background"), [(themes.DARK_NICK_COLORS, "#2b2f36"), (themes.LIGHT_NICK_COLORS, "#eef0f3")]
)
def test_palette_colors_are_unchanged_on_their_own_background(shades: tuple[str, ...], background: str):
    assert [themes.ensure_contrast(shade, Color.parse(background)) for shade in shades] == [
        Color.parse(shade).hex6 for shade in shades
    ]


def test_the_nickname_color_ignores_the_case():
    assert themes.nick_color("Alice", themes.DARK_NICK_COLORS) == themes.nick_color("alice", themes.DARK_NICK_COLORS)
    assert len({themes.nick_color(f"person{number}", themes.DARK_NICK_COLORS) for number in range(200)}) == len(
        themes.DARK_NICK_COLORS
    )


async def test_a_theme_change_gives_the_colors_of_a_start_with_the_theme():
    def colors(app: TimelineApp) -> set[str]:
        rows = [app.timeline.render_line(y) for y in range(app.timeline.size.height)]
        styles = [segment.style for row in rows for segment in row if segment.style is not None]
        return {color.name for style in styles for color in (style.color, style.bgcolor) if color is not None}

    theme_names = ("textual-dark", "textual-light")
    colors_by_theme: list[set[str]] = []
    for theme in theme_names:
        app = TimelineApp(sample_lines())
        app.theme = theme
        async with app.run_test(size=(81, 29)) as pilot:
            await pilot.pause()
            colors_by_theme.append(colors(app))
    app = TimelineApp(sample_lines())
    async with app.run_test(size=(81, 29)) as pilot:
        for theme, expected in [*zip(theme_names, colors_by_theme, strict=True)] * 2:
            app.theme = theme
            await pilot.pause()
            assert colors(app) == expected


async def test_ansi_themes_have_nicknames_in_ansi_colors():
    app = TimelineApp(sample_lines())
    async with app.run_test(size=(81, 29)) as pilot:
        for theme in ("ansi-dark", "ansi-light"):
            app.theme = theme
            await pilot.pause()
            assert "\n".join(app.rendered_rows()) == WIDE
            nick_colors = {
                segment.style.color.name
                for y in range(app.timeline.size.height)
                for segment in app.timeline.render_line(y)
                if segment.text.strip() in {"alice", "bob", "carol", "dave", "小明"}
                and segment.style is not None
                and segment.style.color is not None
            }
            assert nick_colors
            assert nick_colors <= set(themes.ANSI_NICK_COLORS)


async def test_no_color_preserves_the_cursor_mark(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = TimelineApp(sample_lines())
    async with app.run_test(size=(81, 29)) as pilot:
        app.timeline.action_show_cursor()
        await pilot.pause()
        assert app.rendered_rows()[-1].startswith("▌")
        assert "\n".join(app.rendered_rows()).replace("▌", " ") == WIDE


async def test_a_quote_is_above_its_reply_and_reactions_are_below() -> None:
    line = replace(
        make_message(2, "like this"),
        reply_to=1,
        quote="bob: how do I do that with a name that is far too long for one row of this terminal, and more of it?",
        reactions=(ReactionCount("👍", 2, False), ReactionCount("🎉", 1_204, True)),
    )
    app = TimelineApp([make_message(1, "how?", nick="bob"), line, replace(make_message(3), reply_to=77)])
    async with app.run_test() as pilot:
        await pilot.pause()
        rows = app.rendered_rows()
        row_index = next(number for number, row in enumerate(rows) if "like this" in row)
        start = rows[row_index].index("like this")
        assert rows[row_index - 1][start - 2 :].startswith("╭ bob: how do I do")
        assert rows[row_index - 1].endswith("…")
        assert rows[row_index + 1][start - 1 :] == " 👍 2 [🎉 1,204]"
        assert "╭ an earlier message" in rows[row_index + 2]


async def test_quotes_and_reactions_are_rendered_as_plain_text() -> None:
    line = replace(
        make_message(1, "text"),
        reply_to=9,
        quote="bob: \x1b[31mred\x1b]52;c;AAAA\x07\nsecond\u202e",
        reactions=(ReactionCount("\x1b[2J\u0301" + "x" * 400, 1, False), ReactionCount("👩‍💻" * 40, 1, True)),
    )
    app = TimelineApp([line])
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        for y in range(app.timeline.size.height):
            strip = app.timeline.render_line(y)
            assert strip.cell_length == app.timeline.size.width
            assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in strip.text)
            assert "\u202e" not in strip.text


@pytest.mark.parametrize("width", [24, 48, 59, 60, 80])
async def test_a_wrapped_chinese_notice_shows_every_character(width: int) -> None:
    app = TimelineApp()
    async with app.run_test(size=(width, 40)):
        for length in range(10, 70):
            text = "".join("小明、张三加入了房间"[index % 10] for index in range(length)) + "终"
            app.timeline.set_lines([NoticeLine("n", START_TS, text)])
            rows = ["".join(segment.text for segment in app.timeline.render_line(row)) for row in range(40)]
            assert text in "".join(rows).replace(" ", "")
