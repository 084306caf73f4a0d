"""The SQL console: what it answers, and what it refuses."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.arrays import integers, texts
from data.history import History
from data.problems import InvalidRequestError, ProblemError, StoreFailedError, UnavailableError
from data.records import Bar
from tests.data.market import START, quote, trade, writer


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> History:
    """A history with compacted and live quotes, trades, and imported bars of another scale."""
    root = tmp_path_factory.mktemp("home") / "it's a history"
    history = History(root)
    book = writer(root)
    for number in range(20):
        quote(book, number)
        quote(book, number, "EURUSD.SIM")
        trade(book, number)
    book.close()
    history.compact()
    live = writer(root)
    quote(live, 20)
    live.flush()
    price = Decimal("1.123456789")
    history.write_bars(
        [
            Bar(
                instrument="EURUSD.SIM",
                timeframe="1d",
                side="bid",
                open=price,
                high=price,
                low=price,
                close=price,
                ts=START,
                synthetic=False,
                source="import",
            )
        ]
    )
    _OPEN.append(live)
    return history


_OPEN: list[object] = []


def test_views_hold_partitions_and_live_rows(store: History) -> None:
    result = store.sql(
        "select instrument, count(*), min(bid), max(ts_recv) from quotes group by 1 order by 1"
    )
    assert result.columns == ("instrument", "count_star()", "min(bid)", "max(ts_recv)")
    assert [row[:2] for row in result.rows] == [("AAPL.SIM", 21), ("EURUSD.SIM", 20)]
    assert result.rows[0][2] == "100.00000"
    assert result.rows[0][3] == "2026-05-28T20:26:42.0000015Z"
    assert not result.truncated


def test_decimals_and_times_are_exact(store: History) -> None:
    ((price, at, synthetic, engine),) = store.sql("select close, ts, synthetic, engine from bars").rows
    assert (price, at, synthetic, engine) == ("1.123456789", "2026-05-28T20:26:40Z", False, None)
    (row,) = store.sql(
        "select 1.50, date '2020-01-01', timestamp '2020-01-01 01:02:03', blob 'ab', [1.5, 2]"
    ).rows
    assert row == ("1.50", "2020-01-01", "2020-01-01T01:02:03Z", "6162", '["1.5","2.0"]')
    (row,) = store.sql(
        "select {'a': uuid '00000000-0000-0000-0000-000000000001'}, interval 1 day, 1e300"
    ).rows
    assert row[2] == 1e300


def test_rows_are_limited_and_say_so(store: History) -> None:
    result = store.sql("from trades order by ts", limit=5)
    assert len(result.rows) == 5
    assert result.truncated
    assert store.sql("from trades order by ts desc limit 5", limit=5).truncated is False
    for limit in (0, 100_001):
        with pytest.raises(InvalidRequestError, match="limit"):
            store.sql("select 1", limit=limit)


@pytest.mark.parametrize(
    "query",
    [
        "describe quotes",
        "show tables",
        "summarize bars",
        "values (1)",
        "with a as (select 1) from a",
        "select 1;",
        "explain select * from quotes",
        "explain analyze select 1",
        "select 1 -- a remark",
        "table bars",
    ],
)
def test_what_only_reads_is_answered(store: History, query: str) -> None:
    assert store.sql(query).columns


@pytest.mark.parametrize(
    "query",
    [
        "copy quotes to 'x.csv'",
        "create table a (b int)",
        "insert into quotes select * from quotes",
        "drop view quotes",
        "attach 'x.db'",
        "install httpfs",
        "load httpfs",
        "set threads = 8",
        "pragma version",
        "call pragma_version()",
        "export database 'x'",
        "begin",
        "explain analyze copy (select 1) to 'x.csv'",
        "explain explain drop view quotes",
        "select 1; select 2",
        "",
        "-- nothing",
        "select",
        "delete from quotes",
        "update quotes set bid = 1",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/*')",
        "select * from nowhere",
        "select nothing from quotes",
        "select * from read_parquet('/tmp/*.parquet')",
        "select getenv('HOME')",
        "select * from sniff_csv('/etc/passwd')",
    ],
)
def test_what_writes_or_looks_elsewhere_is_refused(store: History, query: str) -> None:
    with pytest.raises(InvalidRequestError):
        store.sql(query)
    assert store.sql("select count(*) from quotes").rows == [(41,)]


def test_the_rest_of_the_folder_cannot_be_read(store: History) -> None:
    folder = store.root.as_posix().replace("'", "''")
    with pytest.raises(InvalidRequestError) as caught:
        store.sql(f"select * from read_text('{folder}/manifest.journal')")
    assert caught.value.rule == "the console reads the history and nothing else"


def test_a_long_query_is_stopped(store: History) -> None:
    with pytest.raises(UnavailableError, match="stopped after"):
        store.sql(
            "select count(*) from range(1000000000) a, range(1000000000) b where a.range % 7 = 9", timeout=0.3
        )


def test_a_large_query_is_stopped(store: History) -> None:
    with pytest.raises(UnavailableError, match="memory"):
        store.sql("select list(range) from (from range(200000000) order by hash(range))", timeout=60)


def test_further_relations_can_be_asked(store: History) -> None:
    import numpy as np
    import pyarrow as pa

    orders = pa.Table.from_arrays([texts(["a", None]), integers(np.array([1, 2]))], names=["id", "qty"])
    result = store.sql(
        "select o.id, q.instrument from orders o, quotes q limit 1", relations={"orders": orders}
    )
    assert result.rows == [("a", "AAPL.SIM")]


def test_an_empty_history_has_empty_views(tmp_path: Path) -> None:
    store = History(tmp_path / "none")
    for view in ("quotes", "trades", "bars"):
        result = store.sql(f"from {view}")
        assert result.rows == []
        assert "instrument" in result.columns


def test_missing_and_damaged_files_are_typed_errors(tmp_path: Path) -> None:
    book = writer(tmp_path)
    quote(book, 0)
    book.close()
    store = History(tmp_path)
    store.compact()
    (file,) = tmp_path.rglob("*.parquet")
    content = file.read_bytes()
    file.write_bytes(content[:50])
    with pytest.raises(ProblemError):
        store.sql("from quotes")
    file.unlink()
    with pytest.raises(StoreFailedError, match="missing"):
        store.sql("from quotes")


@given(query=st.text(alphabet="select *from qut()';,-/\\\0123\n\"=é", max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_is_an_answer_or_a_typed_error(query: str) -> None:
    with TemporaryDirectory() as folder, suppress(ProblemError):
        History(Path(folder)).sql(query, timeout=5)
