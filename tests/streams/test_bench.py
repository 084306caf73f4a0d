"""The benches run, and what they count is what was published. No figure is judged here."""

from __future__ import annotations

import asyncio
import io
import math
import shutil
from contextlib import closing
from multiprocessing import Pipe

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from data.bus import Event
from nautilus_tui.bench import ceiling, link, load, peers, rows, servers, streams
from nautilus_tui.bench.processes import answer, child
from nautilus_tui.daemon.streams.wire import JSON, MSGPACK, Format


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("hub", "msgpack"),
        ("hub", "json"),
        ("websockets", "msgpack"),
        ("fastapi", "json"),
        ("litestar", "json"),
    ],
)
def test_every_event_is_counted_once(name: servers.ServerName, form: load.FormName) -> None:
    if name == "fastapi":
        pytest.importorskip("fastapi", reason="the peer of the stream bench, a development dependency")
    with child(servers.main, name) as pipe:
        server = streams.Server(pipe, answer(pipe))
        for plan in ([streams.EVERYTHING] * 7, [("quotes.I001.SIM", "quotes.I002.SIM")] * 5):
            watch: load.Watch = "times" if form == "msgpack" else "count"
            outcome = streams.measure(server, plan, servers.Order(0.1, 1000.0), form=form, watch=watch)
            assert outcome.seen.events == outcome.expected
            assert outcome.seen.closed == 0
            assert outcome.expected or plan[0] != streams.EVERYTHING
            if watch == "times" and outcome.expected:
                assert 0 < outcome.seen.lags_ms[0] <= outcome.seen.lags_ms[1]


def test_the_bench_has_a_peer_where_fastapi_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    name, form, words = peers.naive()
    assert (name, form) == ("litestar", "json")
    assert "FastAPI is not installed" in words


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_c_program_is_the_ceiling(form: load.FormName) -> None:
    if not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("there is no C compiler here")
    with child(ceiling.main, 100) as pipe:
        server = streams.Server(pipe, answer(pipe))
        outcome = streams.measure(server, [streams.EVERYTHING] * 7, servers.Order(0.1, batch=100), form=form)
        assert outcome.seen.events == outcome.expected > 0


def test_the_ceiling_says_why_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = Pipe()
    monkeypatch.setenv("PATH", "")
    ceiling.main(theirs, 100)
    assert mine.recv() == "there is no C compiler here, neither cc nor gcc"


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_orders_are_counted_by_their_numbers(form: load.FormName) -> None:
    with child(servers.main, "hub") as pipe:
        server = streams.Server(pipe, answer(pipe))
        order = servers.Order(0.1, batch=7, kind="order")
        outcome = streams.measure(server, [streams.ORDERS] * 5, order, form=form, watch="numbers")
        assert outcome.seen.events == outcome.expected > 0
        assert (outcome.seen.lost, outcome.seen.twice) == (0, 0)


def reader_of(tally: load.Tally, form: load.FormName, subscribe: bytes) -> load.Reader:
    """Return a reader that is connected, without a connection."""
    with closing(asyncio.new_event_loop()) as loop:
        reader = load.Reader(tally, subscribe, loop.create_future(), form)
    reader._opening = None
    return reader


@pytest.mark.parametrize("form", [JSON, MSGPACK], ids=lambda form: form.name)
@given(
    frames=st.lists(st.integers(1, 9), max_size=8),
    cuts=st.lists(st.integers(1, 4000), min_size=1, max_size=4),
    sets=st.integers(1, 2),
)
def test_events_are_counted_once_for_each_reader(
    form: Format, frames: list[int], cuts: list[int], sets: int
) -> None:
    """However frames are cut on their way, as many events are counted as each reader was sent: those of
    JSON by their braces, or by what another reader of the same topics has counted in the same frame.
    """
    events = [Event("quotes.I000.SIM", n, n, n, servers.quote(n), None) for n in range(1, 10)]
    tally = load.Tally()
    streams_ = [
        b"".join(form.frame([form.event(event) for event in events[which : which + many]]) for many in frames)
        for which in range(sets)
    ]
    sent = [sum(len(events[which : which + many]) for many in frames) for which in range(sets)]
    readers = [(reader_of(tally, form.name, b"%d" % (n % sets)), n % sets, cut) for n, cut in enumerate(cuts)]
    longest = max(map(len, streams_))
    for turn in range(longest):  # all at once, each in pieces of its own
        for reader, which, cut in readers:
            piece = streams_[which][turn * cut : (turn + 1) * cut]
            if piece:
                load.Reader.buffer[: len(piece)] = piece
                reader.buffer_updated(len(piece))
    assert tally.seen().events == sum(sent[which] for _, which, _ in readers)
    assert tally.frames == len(frames) * len(readers)


@pytest.mark.parametrize("form", [JSON, MSGPACK], ids=lambda form: form.name)
@given(seqs=st.lists(st.integers(1, 30), max_size=12), cut=st.integers(1, 40))
def test_a_number_left_out_or_said_twice_is_noticed(form: Format, seqs: list[int], cut: int) -> None:
    """Whatever numbers come, in pieces of any length: what is missing and what came again is counted."""
    stream = form.frame([form.message("snapshot", {"records": []}, topic="orders.e0", seq=0)])
    lost = twice = last = 0
    for seq in seqs:
        stream += form.frame([form.message("order_update", {}, topic="orders.e0", seq=seq)])
        lost, twice, last = lost + max(0, seq - last - 1), twice + (seq <= last), seq
    tally = load.Tally()
    reader = load.NumberedReader.__new__(load.NumberedReader)
    reader._tally, reader._form, reader._opening = tally, form.name, None
    reader._rest, reader._seqs = b"", {}
    for at in range(0, len(stream), cut):
        piece = stream[at : at + cut]
        load.Reader.buffer[: len(piece)] = piece
        reader.buffer_updated(len(piece))
    assert (tally.events, tally.lost, tally.twice) == (len(seqs), lost, twice)


def test_the_link_bench_hears_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("EVENTS", 2000), ("PEER_EVENTS", 500), ("PINGS", 20)):
        monkeypatch.setattr(link, name, few)
    throughput, delay = link.run()
    assert throughput.value > 0
    assert throughput.ratio == pytest.approx(throughput.value / (throughput.peer_value or math.nan))
    assert "all 2,000 arrived" in throughput.detail
    assert delay.unit == "µs"


def test_rows_say_whether_a_goal_is_met() -> None:
    more = rows.row("rate", 10.0, "1/s", better="more", limit=5, least_ratio=3, peer=("theirs", 4.0))
    assert (more.ratio, more.met) == (2.5, False)
    less = rows.row("delay", 2.0, "ms", better="less", limit=5, peer=("theirs", 4.0))
    assert (less.ratio, less.met) == (2.0, True)
    assert rows.row("size", 1.0, "kB", better="less").met is None


def test_reports_print_and_parse() -> None:
    report = rows.report(
        "streams", 4, [rows.row("rate", 12_345_678.0, "events/s", better="more", goal="many")]
    )
    out = io.StringIO()
    rows.show([report], Console(file=out, width=160))
    assert "12.35 M events/s" in out.getvalue()
    assert "scale 4×" in out.getvalue()
    (parsed,) = msgspec.json.decode(rows.to_json([report]), type=list[rows.Report])
    assert parsed == report
    assert parsed.machine.cores >= 1


@given(st.floats(0.2, 3.0), st.floats(0.001, 1000.0))
def test_the_exponent_of_a_power_is_found(power: float, factor: float) -> None:
    work = [1.0, 4.0, 16.0]
    assert rows.exponent(work, [factor * w**power for w in work]) == pytest.approx(power)
    assert rows.exponent([1.0], [2.0]) is None


@given(st.lists(st.tuples(st.integers(1, 70_000), st.integers(0, 90_000)), max_size=6), st.data())
def test_readers_count_frames_however_they_are_cut(sizes: list[tuple[int, int]], data: st.DataObject) -> None:
    """Arrays of any length, in frames of any length, arriving in pieces of any length."""
    stream, events = b"", 0
    for count, padding in sizes:
        head = (
            bytes((0x90 | count,))
            if count < 16
            else b"\xdc" + count.to_bytes(2)
            if count < 65_536
            else b"\xdd" + count.to_bytes(4)
        )
        payload = head + b"x" * padding
        size = len(payload)
        prefix = (
            bytes((0x82, size))
            if size < 126
            else b"\x82\x7e" + size.to_bytes(2)
            if size < 65_536
            else b"\x82\x7f" + size.to_bytes(8)
        )
        stream += prefix + payload
        events += count
    tally = load.Tally()
    reader = reader_of(tally, "msgpack", b"")
    at = 0
    while at < len(stream):
        piece = stream[at : at + data.draw(st.one_of(st.integers(1, 12), st.integers(1, 200_000)))]
        load.Reader.buffer[: len(piece)] = piece
        reader.buffer_updated(len(piece))
        at += len(piece)
    assert (tally.frames, tally.events, tally.bytes) == (len(sizes), events, len(stream))
