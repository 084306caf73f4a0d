"""What programs rely on: the answers of the command line over providers that a settings file points at.

Each question is asked without a daemon and of one; the answers are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.paths import Home
from tests.cli.driving import CommandLine, Run, running_daemon
from tests.cli.world import KEYS, MANAGER, settings, world
from tests.providers.replay import Replay

#: What a daemon does not look for by itself.
_OF_COMPANIES = ("/api/", "/Archives/", "/LATEST/")


@pytest.fixture(scope="module")
def server() -> Iterator[Replay]:
    with world() as replay:
        yield replay


@pytest.fixture(scope="module", params=["alone", "with a daemon"])
def ask(
    request: pytest.FixtureRequest, server: Replay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    home = Home(tmp_path_factory.mktemp("contract") / "h").ensure()
    home.config_file.write_text(settings(server.url))
    with pytest.MonkeyPatch.context() as patched:
        for name, value in KEYS.items():
            patched.setenv(name, value)
        if request.param == "alone":
            yield CommandLine(home).process
        else:
            with running_daemon(home) as cli:
                yield CommandLine(cli.home).process


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in JSON."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def told(run: Run) -> Any:
    """Return an answer, every object of which says where it comes from."""
    assert run.code == 0, run.out + run.err
    found = run.json
    for one in objects(found):
        assert {"source", "as_of", "fetched_at", "synthetic"} <= set(one), one
        assert one["synthetic"] is False
        assert one["source"] in ("fred", "alpha_vantage", "edgar")
        assert one["fetched_at"].endswith("Z")
    return found


def test_gdp_as_of_a_day_is_what_was_known_on_it(ask: Any) -> None:
    then = told(ask("--json", "macro", "series", "GDP", "--as-of", "2024-12-01"))
    now = told(ask("--json", "macro", "series", "GDP"))
    value = {one["date"]: one["value"] for one in then["observations"]}
    assert value["2024-07-01"] == "29354.321"
    assert {one["date"]: one["value"] for one in now["observations"]}["2024-07-01"] == "29374.914"
    assert then["as_of"] == "2024-12-01"
    assert len(value) == len(then["observations"]), "one value per period"
    assert value["1946-01-01"] is None


def test_annual_revenue_has_one_value_per_fiscal_year(ask: Any) -> None:
    query = ("--json", "facts", "AAPL", "--metric", "revenue", "--period", "annual")
    restated, first = told(ask(*query))["facts"], told(ask(*query, "--view", "first-filed"))["facts"]
    for view in (restated, first):
        years = [one["fiscal_year"] for one in view]
        assert len(years) == len(set(years))
        assert years == sorted(years, reverse=True)
    by_year = {one["fiscal_year"]: Decimal(one["value"]) for one in restated}
    assert by_year[2023] == 383_285_000_000
    assert by_year[2024] == 391_035_000_000
    then = {one["fiscal_year"]: Decimal(one["value"]) for one in first}
    changed = [year for year in by_year if year in then and then[year] != by_year[year]]
    assert changed, "the restated view differs where it was restated"
    assert all(one["restated"] for one in restated if one["fiscal_year"] in changed)


def test_filings_by_form_tell_what_could_not_be_looked_at(ask: Any) -> None:
    found = told(ask("--json", "filings", "AAPL", "--form", "10-K", "--limit", "100"))
    assert {one["form"] for one in found["filings"]} == {"10-K"}
    assert len(found["filings"]) >= 10
    assert found["filings"][0]["filed"] > found["filings"][-1]["filed"]
    assert found["complete"] is False, "the page of older filings is not there"
    assert found["problems"]


def test_insiders_read_what_is_there_and_name_what_is_not(ask: Any) -> None:
    found = told(ask("--json", "insiders", "AAPL", "--limit", "3"))
    assert found["transactions"]
    assert all(one["owners"] and one["accession"] for one in found["transactions"])


def test_holdings_of_2022_and_2023_are_dollars_both(ask: Any) -> None:
    old = told(ask("--json", "holdings", str(MANAGER), "--period", "2022-09-30"))
    new = told(ask("--json", "holdings", str(MANAGER)))
    assert (old["value_unit"], new["value_unit"]) == ("thousands", "dollars")
    assert (old["filed"], new["filed"]) == ("2022-11-10", "2023-02-10")
    assert Decimal(old["total"]) == 1000 * Decimal(new["total"])


def test_search_finds_companies_and_filings(ask: Any) -> None:
    found = told(ask("--json", "search", "apple"))
    assert 320193 in {one["cik"] for one in found["companies"]}
    assert found["filings"]


@pytest.mark.parametrize("who", ["BRK.B", "BRK-B", "BRK B", "brk/b"])
def test_every_spelling_is_one_company(ask: Any, who: str) -> None:
    found = told(ask("--json", "search", who))
    assert found["companies"][0]["cik"] == 1067983


def test_an_unknown_series_and_an_unknown_company_are_not_found(ask: Any) -> None:
    for arguments in (("macro", "series", "NOSUCH"), ("facts", "NOSUCHTICKER"), ("filings", "999999999")):
        run = ask("--json", *arguments)
        assert run.code == 6, run.out
        assert run.json["error"] == "NotFound"
        assert run.json["problem"]["type"] == "provider-not-found"


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("as_of", ("filings", "AAPL", "--as-of", "2999-01-01")),
        ("as_of", ("macro", "series", "GDP", "--as-of", "2999-01-01")),
        ("end", ("filings", "AAPL", "--start", "2025-01-01", "--end", "2024-01-01")),
        ("end", ("macro", "series", "GDP", "--start", "2025-01-01", "--end", "2024-01-01")),
        ("ticker", ("filings", "")),
        ("ticker", ("filings", "..")),
        ("cik", ("holdings", "")),
        ("text", ("search", "")),
        ("series_id", ("macro", "series", "")),
        ("symbol", ("stock", "quote", "")),
        ("forms", ("filings", "AAPL", "--form", "?")),
    ],
)
def test_a_question_that_makes_no_sense_is_asked_of_nobody(
    ask: Any, server: Replay, field: str, arguments: tuple[str, ...]
) -> None:
    before = len([request for request in server.requests if request.path.startswith(_OF_COMPANIES)])
    run = ask("--json", *arguments)
    assert run.code == 2, run.out
    assert run.json["problem"]["type"] == "invalid-request"
    assert run.json["problem"]["extra"]["field"] == field
    assert run.json["problem"]["rule"]
    after = len([request for request in server.requests if request.path.startswith(_OF_COMPANIES)])
    assert after == before


def test_as_many_filings_as_there_are_can_be_asked_for(ask: Any) -> None:
    found = told(ask("--json", "filings", "AAPL", "--limit", "5000"))
    assert len(found["filings"]) == 1005


def test_an_entitlement_is_not_an_outage(ask: Any) -> None:
    run = ask("--json", "stock", "prices", "IBM", "--interval", "5min")
    assert run.code == 6
    assert run.json["error"] == "NotEntitled"


def test_no_key_is_written_anywhere(ask: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    for file in Path(tmp_path_factory.getbasetemp()).rglob("*"):
        if file.is_file() and "contract" in str(file):
            content = file.read_bytes()
            for secret in KEYS.values():
                assert secret.encode() not in content, file


def test_without_keys_the_exit_code_and_the_name_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "h").ensure()
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with world() as unasked:  # the daemon of the other tests looks for news at theirs
        home.config_file.write_text(settings(unasked.url))
        for arguments, variable in (
            (("macro", "series", "GDP"), "FRED_API_KEY"),
            (("filings", "AAPL"), "SEC_USER_AGENT"),
            (("stock", "quote", "IBM"), "ALPHA_VANTAGE_API_KEY"),
        ):
            run = CommandLine(home).process("--json", *arguments)
            assert run.code == 6
            assert run.json["error"] == "NotConfigured"
            assert variable in run.json["problem"]["detail"]
        assert unasked.requests == []
