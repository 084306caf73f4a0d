"""Imports over the command line, with a daemon and without one, and bad rows told by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.driving import CommandLine

GOOD = "Date,Open,High,Low,Close\n2020-01-01 00:00,1.1,1.3,1.0,1.2\n2020-01-01 00:01,1.2,1.4,1.1,1.3\n"
BAD = GOOD + "2020-01-01 00:02,1.2,1.1,1.3,1.2\nyesterday,1,1,1,1\n2020-01-01 00:03,1.2,1.4,1.1,1.3\n"
RECORDS = Path(__file__).parents[3] / "shared" / "records" / "market"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "eurusd-bid-m1.csv"
    path.write_text(BAD)
    return path


def test_without_a_daemon(cli: CommandLine, file: Path) -> None:
    arguments = ("import", str(file), "--instrument", "EURUSD.SIM", "--kind", "bars", "--timeframe", "1m")
    dry = cli("--json", *arguments, "--dry-run")
    assert (dry.code, dry.json["imported"], dry.json["dry_run"]) == (0, 3, True)
    done = cli(*arguments)
    assert done.code == 0, done.err
    assert "5 read, 3 imported" in done.out
    assert "time ← Date" in done.out
    assert "line 4:" in done.err
    assert "line 5:" in done.err
    again = cli("--json", *arguments).json
    assert again["imported"] == 0
    counted = cli("--json", "sql", "SELECT count(*) AS n FROM bars WHERE instrument = 'EURUSD.SIM'")
    assert counted.json == [{"n": 3}]


def test_with_a_daemon(trading: CommandLine, file: Path) -> None:
    arguments = ("import", str(file), "-i", "CLITEST.SIM", "--column", "ts=Date", "--side", "ask", "--json")
    done = trading(*arguments)
    assert done.code == 0, done.out
    assert (done.json["imported"], done.json["bad"]) == (3, 2)
    assert [row["line"] for row in done.json["bad_rows"]] == [4, 5]
    assert done.json["plan"]["side"] == "ask"
    bars = trading("--json", "bars", "CLITEST.SIM", "--side", "ask", "--start", "2020-01-01").json
    assert [bar["close"] for bar in bars][:2] == ["1.2", "1.3"]
    assert not bars[0]["synthetic"]


def test_what_makes_no_sense_is_refused(cli: CommandLine, file: Path) -> None:
    assert cli("import", str(file)).code == 2, "--instrument is needed"
    assert cli("import", str(file.with_name("none.csv")), "-i", "A.SIM").code == 2
    assert cli("import", str(file), "-i", "A.SIM", "--column", "Date").code == 2
    assert cli("import", str(file), "-i", "A.SIM", "--column", "time=Nothing").code == 2


@pytest.mark.skipif(not RECORDS.exists(), reason="the recorded market data is not here")
def test_real_minute_bars(cli: CommandLine) -> None:
    file = RECORDS / "nautilus" / "fxcm__gbpusd-m1-bid-2012.csv.gz"
    arguments = ("import", str(file), "--instrument", "GBPUSD.SIM", "--kind", "bars", "--timeframe", "1m")
    done = cli.process("--json", *arguments)
    assert done.code == 0, done.err
    assert done.json["imported"] == done.json["rows_read"] > 30_000
    assert done.json["plan"]["side"] == "bid"
