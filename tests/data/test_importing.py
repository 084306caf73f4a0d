"""Imports: files of many families, wrong rows by line, and the same file twice."""

from __future__ import annotations

import gzip
import zipfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import forms, importing, times
from data.history import History
from data.importing import ImportReport
from data.problems import InvalidRequestError, NotFoundError, ProblemError, StoreFailedError
from data.records import PriceSide
from tests.data.families import FAMILIES, Family
from tests.data.market import recorded

HEAD = "time,open,high,low,close,volume\n"


@pytest.fixture
def store(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def file(tmp_path: Path, text: str, name: str = "prices.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def brought(store: History, path: Path, instrument: str = "EURUSD.SIM", **how: object) -> ImportReport:
    return importing.import_file(store, path, instrument, **how)  # type: ignore[arg-type]  # any option


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_families_of_files(tmp_path: Path, store: History, family: Family) -> None:
    report = brought(store, file(tmp_path, family.text, family.name))
    assert report.bad == 0, report.bad_rows
    assert report.imported == family.rows
    assert report.plan.kind == family.kind
    assert report.plan.timeframe == family.timeframe
    assert report.first == forms.parse_iso(family.first)
    (series, *_) = [
        one.series for one in sorted(store.catalogue(), key=lambda one: one.series.side or "", reverse=True)
    ]
    assert (series.source, series.synthetic, series.engine) == ("import", False, None)
    series = next(one.series for one in store.catalogue() if one.series.side in (None, family.side))
    rows = store.rows(series)
    assert rows is not None
    if family.column in rows.numbers:
        number = rows.numbers[family.column]
        assert Decimal(int(number.wholes[0])).scaleb(-number.scale) == Decimal(family.value)
    elif family.column in rows.texts:
        assert rows.texts[family.column].to_pylist()[0] == family.value
    else:
        assert rows.integers[family.column][0] == int(family.value)


def test_recorded_minute_bars_of_both_sides(store: History) -> None:
    for side in ("bid", "ask"):
        report = brought(store, recorded(f"nautilus/fxcm__gbpusd-m1-{side}-2012.csv.gz"), "GBPUSD.SIM")
        assert (report.imported, report.bad, report.plan.side) == (30_117, 0, side)
    bars = store.bars("GBPUSD.SIM", "1m", side="bid", limit=50_000)
    assert len(bars) == 30_117
    assert (str(bars[0].open), str(bars[0].high), str(bars[0].low), str(bars[0].close)) == (
        "1.57597",
        "1.57606",
        "1.57576",
        "1.57576",
    )
    assert bars[0].ts == forms.parse_iso("2012-02-01T00:00:00Z")
    assert not bars[0].synthetic
    assert store.bars("GBPUSD.SIM", "1d", side="mid")[0].open == (Decimal("1.57597") + Decimal("1.57608")) / 2


@pytest.mark.parametrize(
    ("name", "instrument", "kind", "period", "rows", "bad"),
    [
        ("nautilus/truefx__usdjpy-ticks.csv", "USDJPY.SIM", "quotes", None, 1000, 0),
        ("nautilus/quote_tick_data.csv.gz", "EURUSD.SIM", "quotes", None, 9500, 0),
        ("nautilus/btc-perp-20211231-20220201_1m.csv.gz", "BTC-PERP.FTX", "bars", "1m", 45031, 0),
        ("nautilus/binance__btcusdt-quotes.parquet", "BTCUSDT.BINANCE", "quotes", None, 451, 0),
        ("nautilus/binance__btcusdt-trades.parquet", "BTCUSDT.BINANCE", "trades", None, 2001, 0),
        ("pypi/arch__sp500.csv.gz", "SP500.INDEX", "bars", "1d", 5031, 0),
        ("pypi/arch__vix.csv.gz", "VIX.INDEX", "bars", "1d", 1259, 46),
        ("pypi/backtesting__EURUSD.csv", "EURUSD.SIM", "bars", "1h", 5000, 0),
        ("pypi/bokeh_sampledata__stocks.csv.gz", "IBM.NYSE", "bars", "1d", 3270, 0),
    ],
)
def test_recorded_files(
    store: History, name: str, instrument: str, kind: str, period: str | None, rows: int, bad: int
) -> None:
    report = brought(store, recorded(name), instrument)
    assert (report.plan.kind, report.plan.timeframe, report.imported, report.bad) == (kind, period, rows, bad)
    assert report.rows_read == rows + bad
    assert [row.line for row in report.bad_rows] == sorted(row.line for row in report.bad_rows)
    again = brought(store, recorded(name), instrument)
    assert (again.imported, again.already_there, again.imported_before) == (0, rows, True)
    (holding,) = store.catalogue()
    assert holding.rows == rows


def test_wrong_rows_are_reported_by_line_and_never_dropped_in_silence(tmp_path: Path, store: History) -> None:
    rows = [
        "2020-01-01 00:00:00,1.0,1.2,0.9,1.1,5",
        "2020-01-01 00:01:00,1.0,0.8,0.9,1.1,5",  # 3 high below low
        "2020-01-01 00:02:00,abc,1.2,0.9,1.1,5",  # 4
        "",
        "nonsense,1.0,1.2,0.9,1.1,5",  # 6
        "2020-01-01 00:05:00,1.0,1.2",  # 7
        "2020-01-01 00:04:00,1.0,1.2,0.9,1.1,",  # earlier than the row before; no volume
        "2020-01-01 00:03:00,1.0,1.2,0.9,1.1,5",  # earlier than the row before
        "2020-01-01 00:00:00,1.0,1.20,0.9,1.1,5.0",  # the first row again
        "2020-01-01 00:03:00,1.0,1.3,0.9,1.1,5",  # 11 another bar for the same time
        "2020-01-01 00:06:00,1.0,1.2,0.9,1.1,-5",  # 12
        "2020-01-01 00:07:00,1.0,1.2,0.9,,5",  # 13
        "2020-01-01 00:08:00,1.0,1.2,1.15,1.1,5",  # 14 low above open
        "2020-01-01 00:09:00,1.0,1.05,0.9,1.1,5",  # 15 high below close
        "2020-01-01 25:00:00,1.0,1.2,0.9,1.1,5",  # 16
        "2020-02-30 00:00:00,1.0,1.2,0.9,1.1,5",  # 17
        "2020-01-01 00:10:00,NaN,1.2,0.9,1.1,5",  # 18
        "2020-01-01 00:11:00,1.0,1.2,0.9,1.1,1e30",  # 19
        "2020-01-01 00:12:00,1.0,1.2,0.9,1.1,5,and more",
        "1066-01-01 00:12:00,1.0,1.2,0.9,1.1,5",  # 21
    ]
    report = brought(store, file(tmp_path, HEAD + "\n".join(rows)))
    assert {row.line: row.reason for row in report.bad_rows} == {
        3: "high is below low",
        4: "open is no number",
        6: "time is no time: not a time (iso)",
        7: "3 cells where 6 are needed",
        11: "another bar for the same time with other values stands before",
        12: "volume is negative",
        13: "close is missing",
        14: "low is above open or close",
        15: "high is below open or close",
        16: "time is no time: no such time of day",
        17: "time is no time: no such day",
        18: "open is missing",
        19: "volume has more than 18 digits",
        21: "time is no time: a time out of all reason",
    }
    assert report.bad == sum(report.reasons.values()) == 14
    assert report.bad_rows[0].text.startswith("2020-01-01 00:01:00,1.0,0.8")
    assert report.rows_read == 19
    assert report.duplicates == 1
    assert report.out_of_order >= 2
    assert report.imported == 4
    assert report.rows_read == report.imported + report.bad + report.duplicates
    assert [one.volume for one in store.bars("EURUSD.SIM", "1m")] == [5, 5, None, 5]


def test_wrong_ticks(tmp_path: Path, store: History) -> None:
    wrong = ["2020-01-01,1.1,1.2,1", "2020-01-02,1.3,1.2,1", "2020-01-03,1.1,,1", "2020-01-04,1,1,-1"]
    report = brought(store, file(tmp_path, "\n".join(["time,bid,ask,bid_size", *wrong])))
    assert report.reasons == {"bid is above ask": 1, "ask is missing": 1, "bid size is negative": 1}
    same = (
        "time,price,size,id\n"
        + "2020-01-01 00:00:01,5,1,a\n2020-01-01 00:00:01,5,1,b\n2020-01-01 00:00:01,5,1,a\n"
    )
    report = brought(store, file(tmp_path, same, "t.csv"))
    assert (report.imported, report.duplicates) == (2, 1)
    no_ids = "time,price,size\n" + "2020-01-01 00:00:01,5,1\n" * 3
    report = brought(store, file(tmp_path, no_ids, "u.csv"), "GBPUSD.SIM")
    assert (report.imported, report.duplicates) == (3, 0)  # may well be three trades
    assert (
        brought(store, file(tmp_path, no_ids + "2020-01-01 00:00:01,5,1\n", "v.csv"), "GBPUSD.SIM").imported
        == 1
    )


def test_overlapping_files_add_what_is_new_and_report_what_differs(tmp_path: Path, store: History) -> None:
    minutes = [f"2020-01-01 00:{n:02d}:00,1.0,1.2,0.9,1.1,5" for n in range(10)]
    assert brought(store, file(tmp_path, HEAD + "\n".join(minutes[:6]))).imported == 6
    changed = [*minutes[3:5], "2020-01-01 00:05:00,1.0,1.2,0.9,1.15,5", *minutes[6:]]
    overlapping = file(tmp_path, HEAD + "\n".join(changed), "b.csv")
    dry = brought(store, overlapping, dry_run=True)
    report = brought(store, overlapping)
    for one in (dry, report):
        assert (one.imported, one.already_there, one.bad) == (4, 2, 1)
        assert one.bad_rows[0].line == 4
        assert one.bad_rows[0].reason == "the history holds another bar for the same time"
    assert dry.dry_run
    assert store.bars("EURUSD.SIM", "1m")[5].close == Decimal("1.1")
    renamed = file(tmp_path, HEAD + "\n".join(changed), "c.csv")
    assert brought(store, renamed).imported_before


def test_a_dry_run_stores_nothing(tmp_path: Path, store: History) -> None:
    path = file(tmp_path, FAMILIES[0].text)
    assert brought(store, path, dry_run=True).imported == 3
    assert store.catalogue() == []
    assert brought(store, path).imported == 3
    assert not brought(store, path, "GBPUSD.SIM").imported_before


def test_what_is_given_counts_before_what_is_guessed(tmp_path: Path, store: History) -> None:
    path = file(
        tmp_path,
        "when,o,h,l,settled,extra\n2020-01-01 00:00:00,1,3,0.5,2,9\n2020-01-01 00:01:00,1,3,0.5,2,9\n",
    )
    with pytest.raises(InvalidRequestError, match="time"):
        brought(store, file(tmp_path, "a,b\nx,y\n", "x.csv"))
    report = brought(
        store,
        path,
        columns={"time": "when", "close": "settled", "volume": "#6"},
        period="5m",
        side="mid",
        timezone="America/New_York",
    )
    assert report.plan.columns["volume"] == "extra"
    assert report.plan.timeframe == "5m"
    (bar,) = store.bars("EURUSD.SIM", "5m")
    assert (bar.close, bar.volume, bar.side) == (2, 18, "mid")
    assert report.first == forms.parse_iso("2020-01-01T05:00:00Z")
    assert any("full 5m" in note for note in report.notes)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"columns": {"opne": "open"}}, "did you mean 'open'"),
        ({"columns": {"open": "opem"}}, "did you mean 'open'"),
        ({"columns": {"open": "#9"}}, "no column"),
        ({"kind": "quotes"}, "bid and ask"),
        ({"period": "1x"}, "not a timeframe"),
        ({"timezone": "Mars/Olympus"}, "not a time zone"),
        ({"instrument": "EUR USD"}, "instrument"),
        ({"instrument": "../x"}, "instrument"),
    ],
)
def test_senseless_requests_are_refused(
    tmp_path: Path, store: History, how: dict[str, object], says: str
) -> None:
    path = file(tmp_path, HEAD + "2020-01-01 00:00:00,1,3,0.5,2,9\n2020-01-01 00:01:00,1,3,0.5,2,9\n")
    instrument = str(how.pop("instrument", "EURUSD.SIM"))
    with pytest.raises(InvalidRequestError) as caught:
        brought(store, path, instrument, **how)
    assert says in f"{caught.value.detail} {caught.value.rule} {caught.value.fix}"


def test_timeframe_and_side_are_for_bars(tmp_path: Path, store: History) -> None:
    path = file(tmp_path, "time,bid,ask\n2020-01-01,1,2\n2020-01-02,1,2\n")
    for how in ({"period": "1m"}, {"side": "bid"}):
        with pytest.raises(InvalidRequestError, match="quotes have no"):
            brought(store, path, **how)


@pytest.mark.parametrize("zone", ["EST", "-05:00", "UTC-5", "Etc/GMT+5"])
def test_time_zones(tmp_path: Path, store: History, zone: str) -> None:
    path = file(tmp_path, "time,bid,ask\n2020-07-01 00:00:00.5,1,2\n2020-07-01 00:00:01,1,2\n")
    report = brought(store, path, timezone=zone)
    assert report.first == forms.parse_iso("2020-07-01T05:00:00.5Z")


def test_times_that_name_their_zone_need_none(tmp_path: Path, store: History) -> None:
    text = (
        "time,bid,ask\n2020-07-01 00:00:00+02:00,1,2\n2020-07-01T00:00:01Z,1,2\n2020-06-30 22:00:02 UTC,1,2\n"
    )
    report = brought(store, file(tmp_path, text), timezone="Asia/Tokyo")
    assert report.first == forms.parse_iso("2020-06-30T22:00:00Z")
    assert report.bad == 0


def test_rows_of_other_symbols_are_counted_and_left(tmp_path: Path, store: History) -> None:
    text = "Ticker,Date,Close\n" + "".join(
        f"{s},2020-01-0{d},{d}\n" for d in (2, 3) for s in ("AAA", "BBB", "CCC")
    )
    report = brought(store, file(tmp_path, text), "BBB.X")
    assert (report.imported, report.other_symbols, report.rows_read) == (2, 4, 2)
    with pytest.raises(InvalidRequestError) as caught:
        brought(store, file(tmp_path, text), "DDD.X")
    assert caught.value.fix == "it holds AAA, BBB, CCC"


@pytest.mark.parametrize("packing", ["gz", "zip", "utf-16", "latin-1", "bom", "crlf", "quoted"])
def test_packings_and_encodings(tmp_path: Path, store: History, packing: str) -> None:
    text = "Dätum,open,high,low,close\n2020-01-01 00:00:00,1,3,0.5,2\n2020-01-01 00:01:00,1,3,0.5,2\n"
    path = tmp_path / "x.csv"
    match packing:
        case "gz":
            path.write_bytes(gzip.compress(text.encode()))
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("inside.csv", text)
        case "utf-16" | "latin-1":
            path.write_bytes(text.encode(packing))
        case "bom":
            path.write_bytes(text.encode("utf-8-sig"))
        case "crlf":
            path.write_bytes(text.replace("\n", "\r\n").encode())
        case _:
            path.write_text(text.replace(",", '","').replace("\n", '"\n"').strip('"').join(['"', ""]))
    report = brought(store, path)
    assert (report.imported, report.bad) == (2, 0)
    assert report.plan.columns["time"] == "Dätum"


def test_files_that_cannot_be_read_are_typed_errors(tmp_path: Path, store: History) -> None:
    with pytest.raises(NotFoundError):
        brought(store, tmp_path / "none.csv")
    with pytest.raises(NotFoundError):
        brought(store, tmp_path)
    for name, content in {
        "empty.csv": b"",
        "head.csv": b"time,open,high,low,close\n",
        "binary.csv": bytes(range(256)) * 10,
        "text.csv": b"this is a letter\nand no table\n",
        "times.csv": b"time,open,high,low,close\nsoon,1,2,1,2\nlater,1,2,1,2\n",
        "one.csv": b"time,open,high,low,close\n2020-01-01,1,2,1,2\n",
        "months.csv": b"time,open,high,low,close\n2020-01-01,1,2,1,2\n2020-02-01,1,2,1,2\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidRequestError):
            brought(store, tmp_path / name)
    good = gzip.compress((HEAD + "2020-01-01 00:00:00,1,3,0.5,2,9\n" * 5000).encode())
    (tmp_path / "torn.gz").write_bytes(good[: len(good) // 2])
    with pytest.raises(StoreFailedError):
        brought(store, tmp_path / "torn.gz")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreFailedError):
        brought(store, tmp_path / "torn.parquet")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")
    with pytest.raises(InvalidRequestError, match="2 files"):
        brought(store, tmp_path / "two.zip")
    assert store.catalogue() == []


def test_parquet_of_floats_decimals_and_nulls(tmp_path: Path, store: History) -> None:
    times = np.array(["2020-01-01T00:00:00", "2020-01-01T00:01:00", "2020-01-01T00:02:00"], "datetime64[ns]")
    table = pa.table(
        {
            "ts": pa.array(times),
            "open": [0.1 + 0.2, 1.0, 1.0],
            "high": pa.array([Decimal("3.10"), Decimal(3), Decimal(3)], pa.decimal128(9, 2)),
            "low": [0.25, None, 0.5],
            "close": [1, 2, 3],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    report = brought(store, tmp_path / "x.parquet")
    assert (report.imported, report.bad) == (2, 1)
    assert report.bad_rows[0].line == 2
    assert any("1 floating-point" in note for note in report.notes)
    first = store.bars("EURUSD.SIM", "1m")[0]
    assert (first.open, first.high) == (Decimal("0.3"), Decimal("3.10"))


def test_daily_bars_of_many_years_are_few_files(store: History, tmp_path: Path) -> None:
    days = np.arange(np.datetime64("2000-01-01"), np.datetime64("2010-01-01"))
    brought(store, file(tmp_path, "Date,Close\n" + "".join(f"{day},1.5\n" for day in days)))
    assert len(list((store.root / "bars").rglob("*.parquet"))) == 10
    assert len(store.bars("EURUSD.SIM", "1w", limit=5)) == 5


prices = st.decimals(min_value=Decimal("0.000001"), max_value=10**6, places=6)


@given(
    bars=st.lists(st.tuples(prices, prices, prices, prices), min_size=2, max_size=20),
    order=st.randoms(use_true_random=False),
    side=st.sampled_from(["bid", "ask", "last", "mid"]),
)
@settings(max_examples=40, deadline=None)
def test_prices_come_back_exactly_in_whatever_order(
    bars: list[tuple[Decimal, ...]], order: object, side: PriceSide
) -> None:
    shaped = [(one[0], max(one), min(one), one[3]) for one in bars]
    lines = [
        f"2020-01-01 00:{n:02d}:00,{o:f},{h:f},{low:f},{c:f},1" for n, (o, h, low, c) in enumerate(shaped)
    ]
    mixed = list(lines)
    order.shuffle(mixed)  # type: ignore[attr-defined]  # a Random
    with TemporaryDirectory() as folder:
        store = History(Path(folder) / "history")
        report = brought(store, file(Path(folder), HEAD + "\n".join(mixed)), side=side, period="1m")
        assert report.bad == 0
        found = store.bars("EURUSD.SIM", "1m")
        assert [(one.open, one.high, one.low, one.close) for one in found] == shaped
        assert {one.side for one in found} == {side}


cells = st.sampled_from(
    ["1.5", "2", "0.50", "3.25", "7", "-1", "1e1", "x", "", "1,000.5", "nan", "+2", "12.0000000001"]
)
stamps = st.integers(0, 59).map(lambda n: f"2020-01-01 00:{n:02d}:00") | st.sampled_from(
    ["soon", "2020-01-01"]
)


@given(
    kind=st.sampled_from(["bars", "quotes", "trades"]),
    rows=st.lists(st.tuples(stamps, *[cells] * 5), min_size=1, max_size=40),
)
@settings(max_examples=80, deadline=None)
def test_rows_read_together_and_one_by_one_are_read_alike(kind: str, rows: list[tuple[str, ...]]) -> None:
    names = {
        "bars": ["time", "open", "high", "low", "close", "volume"],
        "quotes": ["time", "bid", "ask", "bid_size", "ask_size", "x"],
        "trades": ["time", "price", "size", "id", "side", "x"],
    }[kind]
    how = {"kind": kind, "columns": {name: name for name in names if name not in ("x", "id", "side")}}
    if kind == "bars":
        how["period"] = "1m"
    told = []
    for cover in ("", " "):  # with a blank around them cells are not plainly written
        text = "\n".join([",".join(names), *(",".join(f'"{cover}{cell}"' for cell in row) for row in rows)])
        with TemporaryDirectory() as folder:
            store = History(Path(folder) / "history")
            try:
                report = brought(store, file(Path(folder), text), **how)
            except InvalidRequestError as error:
                told.append((error.detail, [], {}))
                continue
            found = [
                (one.series, found.keys([*found.numbers, *found.integers, *found.texts]))
                for one in store.catalogue()
                if (found := store.rows(one.series)) is not None
            ]
            lines = {row.line: row.reason for row in report.bad_rows}
            told.append((f"{report.imported} {report.duplicates} {report.out_of_order}", found, lines))
    assert told[0] == told[1]


moments = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2190, 1, 1))


FORMS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y%m%d %H%M%S%f",
    "%d.%m.%Y %H:%M:%S.%f",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%d %b %Y %H:%M",
]


@given(moments=st.lists(moments, min_size=1, max_size=5), form=st.sampled_from(FORMS))
@settings(deadline=None)
def test_times_are_read_as_they_were_written(moments: list[datetime], form: str) -> None:
    style = {"%d.": "day first", "%m/": "month first", "%d ": "month by name"}
    read = times.reader(times.TimeFormat(style.get(form[:3], "iso"), "UTC"))  # type: ignore[arg-type]  # a style
    for moment in moments:
        text = moment.strftime(form)
        back = datetime.strptime(text, form).replace(tzinfo=UTC)
        whole = (back - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
        assert read(text) == read(text) == whole


@given(st.binary(max_size=300) | st.text(alphabet="0123456789.,;-:/ \nabtime", max_size=300).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_report_or_a_typed_error(content: bytes) -> None:
    with TemporaryDirectory() as folder, suppress(ProblemError):
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        report = importing.import_file(History(Path(folder) / "history"), path, "X.Y", dry_run=True)
        assert report.rows_read == report.imported + report.bad + report.duplicates
