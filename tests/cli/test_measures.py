"""risk var, risk backtest and performance on files, without a daemon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from risk.measures.methods import METHODS
from risk.performance import performance, relative
from tests.cli.driving import CommandLine
from tests.risk.samples import INDEX_FILE, drawn, index


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "returns.csv"
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 8, 22), eager=True)
    pl.DataFrame({"date": days, "return": drawn(count=len(days))}).write_csv(path)
    return path


def test_var_by_every_method(cli: CommandLine, file: Path) -> None:
    for method in METHODS:
        arguments = ("--returns", str(file), "--method", method, "--confidence", "0.99", "--horizon", "1")
        found = cli("--json", "risk", "var", *arguments)
        assert found.code == 0, found.out + found.err
        told = found.json
        assert (told["method"], told["confidence"], told["horizon"], told["n"]) == (method, 0.99, 1, 600)
        assert 0.0 < told["var"] <= told["es"]
        assert told["rule"]
        assert (told["file"], told["first"], told["dropped"]) == ("returns.csv", "2020-01-01", 0)
    quantile = float(np.quantile(drawn(), 0.05))
    told = cli("risk", "var", "-r", str(file), "-c", "0.95", "--json").json
    assert told["var"] == pytest.approx(-quantile, abs=1e-12)


def test_all_methods_in_one_table(cli: CommandLine, file: Path) -> None:
    told = cli("--json", "risk", "var", "--returns", str(file), "--method", "all").json
    assert [one["method"] for one in told["results"]] == list(METHODS)
    assert told["refused"] == []
    table = cli("risk", "var", "--returns", str(file), "--method", "all", "--confidence", "0.8")
    assert table.code == 0
    assert all(method in table.out for method in METHODS if method != "evt")
    assert "evt: confidence 0.8 lies below the threshold 0.9" in table.err
    told = cli("--json", "risk", "var", "--returns", str(file), "--method", "all", "-c", "0.8").json
    assert [one["method"] for one in told["refused"]] == ["evt"]
    assert told["refused"][0]["problem"]["rule"]


def test_the_seed_is_taken_and_told(cli: CommandLine, file: Path) -> None:
    arguments = ("--json", "risk", "var", "-r", str(file), "-m", "monte_carlo")
    first, again = cli(*arguments, "--seed", "5").json, cli(*arguments, "--seed", "5").json
    assert first == again
    assert first["parameters"]["seed"] == 5
    assert cli(*arguments, "--seed", "6").json["var"] != first["var"]


def test_parquet_over_ten_days(cli: CommandLine, file: Path) -> None:
    parquet = file.with_suffix(".parquet")
    pl.read_csv(file).write_parquet(parquet)
    arguments = ("--json", "risk", "var", "--method", "normal", "--horizon", "10", "--returns")
    one, other = cli(*arguments, str(file)).json, cli(*arguments, str(parquet)).json
    assert one["var"] == other["var"]
    assert other["horizon"] == 10


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("--method", "guess"), "one of historical"),
        (("--confidence", "1"), "between 0.5 and 1"),
        (("--horizon", "23"), "1 to 22 days"),
        (("--confidence", "0.999"), "at least 1,000 returns"),
        (("--column", "pnl"), "column named 'pnl'"),
        (("--method", "monte_carlo", "--paths", "5"), "paths"),
    ],
)
def test_bad_input_ends_with_2_and_the_rule(
    cli: CommandLine, file: Path, arguments: tuple[str, ...], rule: str
) -> None:
    told = cli("--json", "risk", "var", "--returns", str(file), *arguments)
    assert told.code == 2
    assert rule in told.json["problem"]["rule"]
    said = cli("risk", "var", "--returns", str(file), *arguments)
    assert (said.code, said.out) == (2, "")
    assert rule in said.err


def test_bad_files_end_with_2_and_their_row(cli: CommandLine, file: Path) -> None:
    assert cli("risk", "var").code == 5  # without a file it is about the book, and no daemon runs
    for about_files in ("--column", "--seed"):
        told = cli("--json", "risk", "var", about_files, "3")
        assert told.code == 2
        assert told.json["problem"]["rule"] == "without --returns the figures are of the book"
    assert cli("risk", "var", "--returns", str(file), "--engine", "paper-1").code == 2
    for command in (("risk", "var"), ("risk", "backtest"), ("performance",)):
        missing = cli("--json", *command, "--returns", str(file.with_name("none.csv")))
        assert missing.code == 2
        assert "there is no file" in missing.json["problem"]["detail"]
    bad = file.with_name("bad.csv")
    bad.write_text("return\n0.1\noops\n")
    told = cli("--json", "performance", "--returns", str(bad))
    assert told.code == 2
    assert told.json["problem"]["extra"] == {"file": "bad.csv", "column": "return", "row": "2"}
    bad.write_text("return\n0.1\n\n0.2\n")
    assert cli("performance", "--returns", str(bad)).code == 2
    dropped = cli("performance", "--returns", str(bad), "--drop-missing")
    assert dropped.code == 0
    assert "1 rows without a return were left out" in dropped.err
    assert cli("--json", "performance", "-r", str(bad), "--drop-missing").json["dropped"] == 1


def test_backtest(cli: CommandLine, file: Path) -> None:
    told = cli("--json", "risk", "backtest", "--returns", str(file), "--method", "normal", "--window", "300")
    assert told.code == 0, told.out + told.err
    found = told.json
    returns = drawn()
    windows = [returns[at : at + 300] for at in range(300)]
    limits = [one.mean() - 2.3263478740408408 * one.std(ddof=1) for one in windows]
    hits = [at for at in range(300) if returns[300 + at] < limits[at]]
    assert (found["days"], found["exceptions"], found["expected"]) == (300, len(hits), pytest.approx(3.0))
    assert {"statistic", "p_value"} <= found["kupiec"].keys() & found["christoffersen"].keys()
    assert found["conditional_coverage"]["degrees"] == 2
    assert found["zone"] in ("green", "yellow", "red")
    assert found["last_250"]["days"] == 250
    assert len(found["exception_days"]) == len(hits)
    assert found["exception_days"][0].startswith("202")
    table = cli("risk", "backtest", "-r", str(file), "-m", "normal", "-w", "300")
    assert "yellow from" in table.out
    assert "last 250 days" in table.out


def test_a_window_that_does_not_fit_is_said(cli: CommandLine, file: Path) -> None:
    long = cli("--json", "risk", "backtest", "--returns", str(file), "--window", "600")
    assert long.code == 2
    assert long.json["problem"]["extra"] == {"needed": "601", "given": "600"}
    every = cli("--json", "risk", "backtest", "--returns", str(file), "--window", "90", "--method", "all")
    assert {one["method"] for one in every.json["results"]} == {"normal", "student", "monte_carlo"}
    assert {one["method"] for one in every.json["refused"]} >= {"historical", "filtered", "evt"}


def test_performance_prints_every_figure_by_name(cli: CommandLine, file: Path) -> None:
    market = file.with_name("market.csv")
    table = pl.read_csv(file).with_columns(pl.Series("return", drawn(seed=9, count=600)))
    table.write_csv(market)
    told = cli("--json", "performance", "--returns", str(file), "--benchmark", str(market)).json
    alone = performance(drawn(count=600))
    beside = relative(drawn(count=600), drawn(seed=9, count=600))
    for figures in (alone, beside):
        for name in figures.__struct_fields__:
            assert told[name] == pytest.approx(getattr(figures, name), rel=1e-9), name
    assert (told["benchmark"], told["benchmark_n"]) == ("market.csv", 600)
    shown = cli("performance", "--returns", str(file), "--benchmark", str(market), "--rolling", "60")
    for word in ("sharpe", "max drawdown", "information ratio", "deepest drawdown"):
        assert word in shown.out
    assert "2021-08-22" in shown.out.splitlines()[-1]


def test_rolling_figures(cli: CommandLine, file: Path) -> None:
    told = cli("--json", "performance", "--returns", str(file), "--rolling", "250").json["rolling"]
    assert len(told) == 351
    assert told[-1]["end"] == "2021-08-22"
    assert told[-1]["volatility"] == pytest.approx(drawn(count=600)[-250:].std(ddof=1) * 252**0.5)
    assert cli("performance", "--returns", str(file), "--rolling", "601").code == 2
    market = file.with_name("market.csv")
    pl.read_csv(file)[::2].write_csv(market)
    arguments = ("performance", "-r", str(file), "-b", str(market), "--rolling", "299")
    some = cli("--json", *arguments).json["rolling"]
    assert [row["end"] for row in some] == ["2021-08-19", "2021-08-21"], "days that both have"
    assert some[0]["beta"] == pytest.approx(1.0)


def test_without_losses_there_is_no_profit_factor(cli: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "up.csv"
    path.write_text("return\n0.01\n0.02\n")
    told = cli("--json", "performance", "--returns", str(path)).json
    assert (told["profit_factor"], told["sortino"], told["calmar"]) == (None, None, None)
    assert (told["alpha"], told["beta"]) == (None, None), "without a benchmark"
    assert "—" in cli("performance", "--returns", str(path)).out


def test_other_commands_load_no_numbers(cli: CommandLine) -> None:
    code = (
        "import sys\nfrom nautilus_tui.cli import main\n"
        "from nautilus_tui.cli.commands import COMMANDS, command\n"
        "assert all(command(name).name == name for name in COMMANDS)\n"
        "heavy = {name.partition('.')[0] for name in sys.modules} & {'scipy', 'numpy', 'polars', 'risk'}\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.skipif(not INDEX_FILE.exists(), reason="the recorded market data is not here")
def test_two_thousand_days_of_the_index(cli: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    table = index().select("Date", pl.col("Close").pct_change().alias("return")).drop_nulls()
    table.tail(2700).write_parquet(path)
    told = cli("--json", "risk", "backtest", "--returns", str(path), "--method", "evt").json
    assert told["days"] == 2200
    assert told["expected"] == pytest.approx(22.0)
    assert told["last"] == "2018-12-31"
    assert told["zone"] in ("green", "yellow")
