"""What the command line says of the book: risk, performance, execution; with a daemon and an engine."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.cli.driving import CommandLine


@pytest.fixture(scope="module")
def book(trading: CommandLine) -> CommandLine:
    """The command line on a home whose book holds a position of one of its orders."""
    sent = trading("--json", "order", "buy", "NVDA.SIM", "30", "--id", "A-1", "--wait")
    assert sent.json["status"] == "filled", sent.out + sent.err
    return trading


def test_var_of_the_book(book: CommandLine) -> None:
    told = book("--json", "risk", "var")
    assert told.code == 0, told.err
    assert told.json["portfolio_id"] == "portfolio"
    assert told.json["synthetic"] is True
    # The past of this engine is two hours: too little for any measure, and it is said.
    assert told.json["basis"] is None
    assert told.json["measures"] == []
    assert "100 are needed" in told.json["missing"]["NVDA.SIM"]
    assert {one["name"] for one in told.json["capital"]} == {
        "expected_shortfall_97_5",
        "internal_model_capital",
        "shortfall_capital",
        "leverage_ratio",
    }
    said = book("risk", "var", "--engine", "paper-1")
    assert said.code == 0
    assert "no VaR: " in said.out
    assert "SYNTHETIC" in said.err
    assert "NVDA.SIM is left out: " in said.err


def test_stress_of_the_book(book: CommandLine) -> None:
    told = book("--json", "risk", "stress", "--shock", "equity=-0.2", "--shock", "rates=+100bp")
    assert told.code == 0, told.err
    (outcome,) = told.json["outcomes"]
    (item,) = [one for one in outcome["items"] if one["instrument"] == "NVDA.SIM"]
    expected = (Decimal(item["sensitivity"]) * Decimal("-0.2")).quantize(Decimal("0.01"))
    assert Decimal(item["pnl"]) == expected < 0
    said = book("risk", "stress", "--scenario", "covid_2020")
    assert said.code == 0
    assert "The pandemic: 19 February to 23 March 2020" in said.out
    refused = book("--json", "risk", "stress", "--shock", "rates=0.01")
    assert refused.code == 2
    assert refused.json["problem"]["rule"] == "a shock to rates is in basis points"


def test_exposures_of_the_book(book: CommandLine) -> None:
    told = book("--json", "risk", "exposures")
    rows = {one["instrument"]: one for one in told.json["rows"]}
    assert rows["NVDA.SIM"]["factor"].startswith("equity")
    assert "NVDA.SIM" in book("risk", "exposures").out


def test_performance_of_the_book(book: CommandLine) -> None:
    told = book("--json", "performance", "--engine", "paper-1")
    assert told.code == 0, told.err
    keys = {(one["dimension"], one["key"]) for one in told.json["attribution"]}
    assert {("instrument", "NVDA.SIM"), ("engine", "paper-1")} <= keys
    assert told.json["metrics"]["sharpe"] is None
    assert "are needed" in told.json["reasons"]["sharpe"]
    said = book("performance")
    assert said.code == 0
    assert "By instrument" in said.out
    refused = book("performance", "--periods", "12")
    assert refused.code == 2
    assert "without --returns the figures are of the book" in refused.err


def test_execution_of_the_book_and_of_an_order(book: CommandLine) -> None:
    told = book("--json", "execution", "A-1")
    assert told.code == 0, told.err
    (row,) = told.json["rows"]
    assert (row["client_order_id"], row["filled_qty"]) == ("A-1", "30")
    assert told.json["grade_rule"].startswith("slippage to the arrival mid")
    said = book("execution")
    assert said.code == 0
    assert "Venue" in said.out
    assert "grade: slippage to the arrival mid" in said.err
    assert book("execution", "A-99").code == 1
