"""Returns from files as they come, and everything that may be wrong with one."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.problems import InvalidRequestError
from risk.measures.sample import TooLittleDataError
from risk.returns import Returns, aligned, read, time_weighted

DAYS = (dt.date(2024, 1, 2), dt.date(2024, 1, 3), dt.date(2024, 1, 4))


def written(folder: Path, text: str | bytes, name: str = "r.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "date,return\n2024-01-02,0.01\n2024-01-03,-0.02\n2024-01-04,3e-3\n",
        "Date;Return;note\r\n2024-01-02; 0.01;a\r\n2024-01-03;-0.02;b\r\n2024-01-04;+0.003;c\r\n",
        "\ufeffreturn\tTimestamp\n0.01\t2024-01-02T16:00:00Z\n-0.02\t2024-01-03T16:00:00Z\n"
        "0.003\t2024-01-04T16:00:00Z\n\n\n",
        "time,return\n1/2/2024,0.01\n1/3/2024,-0.02\n1/4/2024,0.003",
    ],
)
def test_csv_as_it_comes(tmp_path: Path, text: str) -> None:
    found = read(written(tmp_path, text))
    assert found.values.tolist() == [0.01, -0.02, 0.003]
    assert found.days == DAYS
    assert found.dropped == 0


def test_a_column_alone_and_compressed(tmp_path: Path) -> None:
    found = read(written(tmp_path, gzip.compress(b"return\n0.01\n-0.02\n"), "r.csv.gz"))
    assert found.values.tolist() == [0.01, -0.02]
    assert found.days is None
    named = read(written(tmp_path, "return,pnl\n1,0.5\n2,0.25\n"), column="PnL")
    assert named.values.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("kind", [pl.Float64, pl.Float32, pl.Decimal(10, 4), pl.String])
def test_parquet_of_any_kind(tmp_path: Path, kind: pl.DataType) -> None:
    path = tmp_path / "r.parquet"
    values = pl.Series("return", ["0.25", "-0.5", "0.125"]).cast(kind)
    pl.DataFrame([pl.Series("date", DAYS), values]).write_parquet(path)
    found = read(path)
    assert found.values.tolist() == [0.25, -0.5, 0.125]
    assert found.days == DAYS


def test_rows_are_put_in_order_of_time(tmp_path: Path) -> None:
    found = read(written(tmp_path, "return,date\n3,2024-01-04\n1,2024-01-02\n2,2024-01-03\n"))
    assert found.values.tolist() == [1.0, 2.0, 3.0]
    assert found.days == DAYS
    assert "sorted" in found.notes[0]
    assert "percentages" not in " ".join(found.notes)


def test_a_column_of_no_dates_leaves_the_order(tmp_path: Path) -> None:
    found = read(written(tmp_path, "day,return\nfirst,0.2\nsecond,0.1\n"))
    assert (found.days, found.values.tolist()) == (None, [0.2, 0.1])
    assert found.notes == ("r.csv: column 'day' holds no dates; rows are taken in their order",)


@pytest.mark.parametrize("cell", ["", " ", "NaN", "nan", "null", "NA"])
def test_a_row_without_a_return_is_refused_unless_dropping_is_asked_for(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, f"date,return\n2024-01-02,0.1\n2024-01-03,{cell}\n2024-01-04,0.3\n")
    with pytest.raises(InvalidRequestError, match="row 2 of column 'return' has no value") as caught:
        read(path)
    assert caught.value.extra == {"file": "r.csv", "column": "return", "row": "2"}
    found = read(path, drop_missing=True)
    assert (found.values.tolist(), found.dropped) == ([0.1, 0.3], 1)
    assert found.days == (DAYS[0], DAYS[2])


def test_a_blank_line_is_a_missing_return(tmp_path: Path) -> None:
    path = written(tmp_path, "return\n0.1\n\n0.3\n")
    with pytest.raises(InvalidRequestError, match="row 2"):
        read(path)
    assert read(path, drop_missing=True).values.tolist() == [0.1, 0.3]


def test_nulls_in_parquet_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pl.DataFrame({"return": [0.1, None, float("nan")]}).write_parquet(path)
    with pytest.raises(InvalidRequestError, match=r"row 2 .* \(2 such rows\)"):
        read(path)
    assert read(path, drop_missing=True).dropped == 2
    pl.DataFrame({"return": [None, None]}).write_parquet(path)
    with pytest.raises(TooLittleDataError):
        read(path, drop_missing=True)


@pytest.mark.parametrize("cell", ["1.5%", "abc", "0x10", '"0,01"', "inf", "-inf", "1e999", "--1"])
def test_a_bad_number_is_named_with_its_row(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, f"date,return\n2024-01-02,0.1\n2024-01-03,0.2\n2024-01-04,{cell}\n")
    for drop in (False, True):
        with pytest.raises(InvalidRequestError, match="row 3 of column 'return'") as caught:
            read(path, drop_missing=drop)
        assert caught.value.extra["row"] == "3"
        assert caught.value.rule is not None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("date,price\n2024-01-02,1\n", "has no column 'return'; it has 'date', 'price'"),
        ("", "needs 1 returns"),
        ("\n\n", "needs 1 returns"),
        ("return\n", "needs 1 returns"),
        ("date,return\n2024-01-02,1,2,3\n", "cannot be read"),
        (b"return\n\xff\xfe\n", "cannot be read"),
        (b"\x1f\x8bnot gzip", "cannot be read"),
        (b"PAR1not parquet", "cannot be read"),
        ("date,return\n2024-01-02,0.1\n2024-01-03,0.1\nlater,0.2\n", "row 3 of column 'date' is 'later'"),
        ("date,return\n2024-01-02,0.1\n2024-01-02,0.2\n", "row 2 of column 'date' repeats"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, text: str | bytes, what: str) -> None:
    with pytest.raises(InvalidRequestError, match=what):
        read(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InvalidRequestError):
            read(path)


def test_a_parquet_column_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pl.DataFrame({"return": [[1.0], [2.0]]}).write_parquet(path)
    with pytest.raises(InvalidRequestError, match="not numbers"):
        read(path)


def test_percentages_are_suspected_aloud(tmp_path: Path) -> None:
    found = read(written(tmp_path, "return\n0.5\n-1.7\n"))
    assert found.values.tolist() == [0.5, -1.7]
    assert "are these percentages?" in found.notes[0]


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_returns_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("any"), b"date,return\n" + data)
    try:
        found = read(path, drop_missing=True)
    except InvalidRequestError:
        return
    assert len(found.values) > 0
    assert np.isfinite(found.values).all()


def returns(values: list[float], days: tuple[dt.date, ...] | None, name: str = "mine.csv") -> Returns:
    return Returns(name=name, values=np.array(values), days=days)


def test_a_benchmark_is_matched_by_day() -> None:
    mine = returns([0.1, 0.2, 0.3], DAYS)
    theirs = returns([2.0, 3.0, 4.0], (*DAYS[1:], dt.date(2024, 1, 5)), "index.csv")
    found = aligned(mine, theirs)
    assert (found.returns.tolist(), found.benchmark.tolist()) == ([0.2, 0.3], [2.0, 3.0])
    assert found.days == DAYS[1:]
    assert found.notes == ("days that only one file has: 1 and 1",)
    assert aligned(mine, mine).notes == ()


def test_without_dates_rows_must_match() -> None:
    mine = returns([0.1, 0.2], None)
    found = aligned(mine, returns([1.0, 2.0], DAYS[:2]))
    assert (found.notes, found.days) == (("matched row by row, without dates",), DAYS[:2])
    with pytest.raises(InvalidRequestError, match="cannot be matched by date"):
        aligned(mine, returns([1.0], None))
    with pytest.raises(InvalidRequestError, match="no day in common"):
        aligned(returns([0.1], DAYS[:1]), returns([0.1], DAYS[1:2]))
    with pytest.raises(InvalidRequestError, match="more than one return a day"):
        aligned(returns([0.1, 0.2], (DAYS[0], DAYS[0])), returns([0.1], DAYS[:1]))


def test_time_weighted_returns_leave_flows_out() -> None:
    found = time_weighted([100.0, 110.0, 160.0, 80.0], [0.0, 0.0, 50.0, -80.0])
    assert found.tolist() == pytest.approx([0.10, 0.0, 0.0])
    assert time_weighted([100.0, 110.0]).tolist() == pytest.approx([0.10])
    for equity, flows in (([100.0, 110.0], [0.0]), ([0.0, 1.0], None), ([-1.0, 1.0], None)):
        with pytest.raises(InvalidRequestError):
            time_weighted(equity, flows)
    with pytest.raises(TooLittleDataError, match="needs 2 returns"):
        time_weighted([100.0])
