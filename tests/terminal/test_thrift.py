"""Fewer bytes, the same picture: what is rewritten draws on a terminal what the original draws."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from nautilus_tui.terminal.thrift import PLAIN, Look, Thrift, applied, in_ascii, thrifty, transition
from tests.terminal import scene
from tests.terminal.stage import Stage

WIDTH, HEIGHT = 12, 4


class Screen:
    """A small terminal that does what it is told, sign by sign."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, Look]] = {}
        self.look = PLAIN
        self.row, self.column = 1, 1
        self.modes: list[str] = []

    def feed(self, data: str) -> None:
        for found in re.finditer(r"\x1b\[([?\d;]*)([a-zA-Z])|(.)", data, re.DOTALL):
            codes, kind, sign = found.groups()
            if sign == "\n":
                self.row += 1
            elif sign is not None:
                self.cells[(self.row, self.column)] = (sign, self.look)
                self.column += 1
            elif kind == "m":
                self.look = applied(self.look, codes)
            elif kind == "H":
                row, _, column = codes.partition(";")
                self.row, self.column = int(row or 1), int(column or 1)
            elif kind == "C":
                self.column += int(codes or 1)
            elif kind == "J":
                self.cells.clear()
            else:
                self.modes.append(codes + kind)


colours = st.sampled_from(
    ["31", "38;2;1;2;3", "38;5;200", "44", "48;2;9;8;7", "39", "49", "1", "4", "7", "0", ""]
)
sgr = st.lists(colours, max_size=3).map(lambda codes: f"\x1b[{';'.join(codes)}m")
move = st.tuples(st.integers(1, HEIGHT), st.integers(1, WIDTH)).map(lambda at: f"\x1b[{at[0]};{at[1]}H")
words = st.text(st.sampled_from("ab 1▲█"), min_size=1, max_size=8)
mode = st.sampled_from(["\x1b[?25l", "\x1b[?2026h", "\x1b[?1049h", "\x1b[2J"])
spans = st.tuples(move, st.lists(st.one_of(sgr, words), max_size=5), st.sampled_from(["", "\n"]))
frames = st.lists(
    st.one_of(spans.map(lambda s: s[0] + "".join(s[1]) + s[2]), mode, sgr), min_size=1, max_size=8
).map("".join)


@given(st.lists(frames, min_size=1, max_size=6), st.booleans())
def test_the_rewritten_draws_what_the_original_draws(written: list[str], whole: bool) -> None:
    plain, thrift, rewriter = Screen(), Screen(), Thrift()
    for frame in written:
        # A frame always begins with a move: nobody relies on where the last one ended.
        frame = "\x1b[1;1H" + frame
        plain.feed(frame)
        thrift.feed(rewriter.rewrite(frame, HEIGHT if whole else 0))
        assert thrift.cells == plain.cells
        assert thrift.modes == plain.modes


@given(st.lists(frames, min_size=1, max_size=5))
def test_the_cursor_ends_where_it_was_sent(written: list[str]) -> None:
    screen, rewriter = Screen(), Thrift()
    for frame in written:
        screen.feed(rewriter.rewrite(f"{frame}\x1b[3;7H"))
        assert (screen.row, screen.column) == (3, 7)


looks = st.builds(
    Look,
    st.sampled_from(["", "31", "38;2;1;2;3"]),
    st.sampled_from(["", "44", "48;2;9;8;7"]),
    st.frozensets(st.sampled_from(["1", "3", "4", "7"])),
)


@given(st.one_of(st.none(), looks), looks)
def test_a_transition_leads_where_it_should(current: Look | None, wanted: Look) -> None:
    look = current or Look("35", "46", frozenset({"9"}))
    for codes in re.findall(r"\x1b\[([\d;]*)m", transition(current, wanted)):
        look = applied(look, codes)
    assert look == wanted


def test_what_is_on_the_screen_is_not_sent_again() -> None:
    thrift = Thrift()
    frame = "\x1b[2;1H\x1b[31mAAPL  187.52\x1b[0m"
    thrift.rewrite(frame)
    assert thrift.rewrite(frame + "\x1b[2;13H") == ""
    last_digit = "\x1b[2;12H3"
    assert thrift.rewrite("\x1b[2;1H\x1b[31mAAPL  187.53\x1b[0m\x1b[1;1H") == last_digit + "\x1b[1;1H"


def test_a_frame_that_writes_every_line_is_sent_whole() -> None:
    thrift = Thrift()
    frame = "".join(f"\x1b[{y + 1};1Hline {y}\n" for y in range(HEIGHT))
    first = thrift.rewrite(frame, HEIGHT)
    assert thrift.rewrite(frame, HEIGHT) == first
    assert thrift.rewrite("\x1b[1;1Hline 0\x1b[1;1H", HEIGHT) == "\x1b[1;1H"


def test_signs_of_other_widths_pass_and_are_not_counted_on() -> None:
    thrift, screen = Thrift(), Screen()
    for text in ("\x1b[1;1H東京 up", "\x1b[1;1Hab", "\x1b[1;1H東京 up"):
        out = thrift.rewrite(text)
        screen.feed(out)
        assert text.removeprefix("\x1b[1;1H") in out


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_a_terminal_of_ascii_gets_ascii_only_and_as_many_cells(texts: list[str]) -> None:
    thrift = Thrift(ascii_only=True)
    for text in texts:
        shown = "".join(sign for sign in text if sign.isprintable())
        assert thrift.rewrite(f"\x1b[1;1H{shown}").isascii()
        assert len(in_ascii(shown)) == cell_len(shown)


def test_signs_become_like_signs() -> None:
    assert in_ascii("▲ 187.52 · é – “x” ─│┼ ⣿ 東") == '^ 187.52 | e - "x" -|+ . ??'


async def test_a_driver_made_thrifty_writes_the_same_screen() -> None:
    from textual.driver import Driver
    from textual.drivers.headless_driver import HeadlessDriver

    said: list[str] = []

    class Noting(HeadlessDriver):
        is_headless = False  # type: ignore[assignment]  # a property above, a fact here

        def write(self, data: str) -> None:
            said.append(data)

        def flush(self) -> None:
            pass

    async def screen_of(driver: type[Driver]) -> Screen:
        said.clear()
        mirror = scene.mirror()
        app = Stage(mirror, scene.view())
        app.driver_class = driver

        async def play(pilot: object) -> None:
            await pilot.pause()  # type: ignore[attr-defined]  # Textual's pilot
            for turn in range(4):
                for quote in scene.quotes(scene.NOW + turn * scene.SECOND):
                    mirror.apply_records([quote])
                app.feed()
                await pilot.press("j")  # type: ignore[attr-defined]  # Textual's pilot
            app.exit()

        await app.run_async(headless=False, size=(100, 30), mouse=False, auto_pilot=play)
        screen = Screen()
        screen.feed("".join(part for part in said if "\x1b[?1049" not in part))
        return screen

    plain = await screen_of(Noting)
    length = sum(map(len, said))
    thrift = await screen_of(thrifty(Noting))
    assert thrift.cells == plain.cells
    assert sum(map(len, said)) < length
