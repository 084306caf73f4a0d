"""What people read of companies on a terminal of 80 columns: what tells rows apart is there."""

from __future__ import annotations

from tests.cli.driving import CommandLine

NARROW = {"COLUMNS": "80"}


def test_the_year_so_far_is_told_from_its_last_quarter_and_what_is_computed_says_so(cli: CommandLine) -> None:
    run = cli("--profile", "demo", "facts", "AAPL", "--metric", "revenue", env=NARROW)
    assert run.code == 0, run.err
    rows = [line.split() for line in run.out.splitlines()[1:]]
    periods = [tuple(row[1:4]) for row in rows]
    assert len(periods) == len(set(periods))
    assert any("9M" in row for row in rows)
    fourth = [row for row in rows if "Q4" in row]
    assert fourth
    assert all("FY" in row for row in fourth), "a fourth quarter is computed, and says of what"


def test_what_an_insider_traded_is_shown_before_the_names_take_the_room(cli: CommandLine) -> None:
    run = cli("--profile", "demo", "insiders", "AAPL", env=NARROW)
    assert run.code == 0, run.err
    heads = run.out.splitlines()[0].split()
    assert heads[:6] == ["Date", "Code", "Shares", "Price", "Value", "After"]
