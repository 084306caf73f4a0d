"""risk forecast score on files, without a daemon."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.cli.driving import CommandLine


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of a random walk, a price each quarter of an hour."""
    path = tmp_path_factory.mktemp("scored") / "prices.csv"
    count = 10 * 96
    times = [dt.datetime(2024, 3, 4) + dt.timedelta(minutes=15 * at) for at in range(count)]
    moves = np.random.default_rng(4).normal(0, 0.001, count)
    pl.DataFrame({"time": times, "price": 100 * np.exp(np.cumsum(moves))}).write_csv(path)
    return path


def test_every_score_is_told_as_json(cli: CommandLine, file: Path) -> None:
    limits = ("--limit", "drawdown=0.01", "--limit", "daily_loss=0.01")
    found = cli("--json", "risk", "forecast", "score", "--prices", str(file), *limits)
    assert found.code == 0, found.err
    told = found.json
    assert (told["file"], told["training_days"], told["held_out_days"]) == ("prices.csv", 6, 4)
    assert told["limits"] == ["drawdown=0.01", "daily_loss=0.01"]
    assert told["ships"] == "analytic first passage"
    five, half, four = told["horizons"]
    assert five["reason"] == "prices are 15 minutes apart: it cannot be told what came within"
    for one in (half, four):
        assert [each["model"] for each in one["scores"]] == [
            "base rate",
            "analytic first passage",
            "logistic correction",
        ]
        assert one["better"] in {each["model"] for each in one["scores"]}
        for score in one["scores"]:
            assert 0 <= score["brier"] <= 1
            assert score["log_loss"] > 0
            assert len(score["calibration"]) == 10
            assert sum(place["count"] for place in score["calibration"]) == one["forecasts"]
        assert [each["limit"] for each in one["limits"]] == told["limits"]
        counts = [each["forecasts"] for each in one["limits"]]
        assert sum(counts) == one["forecasts"]
        weighed = sum(n * each["brier"]["base rate"] for n, each in zip(counts, one["limits"], strict=True))
        assert weighed / one["forecasts"] == pytest.approx(one["scores"][0]["brier"])
    assert four["scores"][1]["brier"] < four["scores"][0]["brier"]


def test_people_see_both_baselines_the_table_and_which_is_better(cli: CommandLine, file: Path) -> None:
    found = cli("risk", "forecast", "score", "-p", str(file))
    assert found.code == 0, found.err
    for words in ("base rate", "analytic first passage", "logistic correction", "Log loss", "better: "):
        assert words in found.out
    assert "90 to 100 %" in found.out
    assert "limits: drawdown=" in found.out


def test_what_cannot_be_scored_is_refused(cli: CommandLine, file: Path, tmp_path: Path) -> None:
    wrong = cli("--json", "risk", "forecast", "score", "--prices", str(file), "--limit", "var=0.1")
    assert wrong.code == 2
    assert "drawdown=F" in wrong.json["problem"]["rule"]
    share = cli("--json", "risk", "forecast", "score", "--prices", str(file), "--held-out", "1")
    assert share.code == 2
    short = tmp_path / "short.csv"
    short.write_text("".join(file.read_text().splitlines(keepends=True)[:200]))
    few = cli("--json", "risk", "forecast", "score", "--prices", str(short))
    assert few.code == 2
    assert "prices on 3 days" in few.json["problem"]["detail"]
    assert cli("risk", "forecast", "score", "--prices", str(tmp_path / "none.csv")).code != 0
    assert cli("risk", "forecast").code == 5
