"""Tickers and CIKs: which company somebody means, however it is spelled, and companies by their names.

The list has one row for each class of shares, so a company can have many tickers; its rows are in the
order of the companies' size. This module must not know what companies file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from data.companies import Company
from data.forms import day_of
from data.problems import ProviderError, ProviderNotFoundError
from providers.core.exchange import Body
from providers.core.http import DAY, Answer
from providers.edgar import submissions
from providers.edgar.wire import LABEL, EdgarWire, json_of

#: Where the instruments of companies in the list trade: what may follow a ticker after a dot. Elsewhere
#: the same letters are another company: ``TSCO.LON`` is not the ``TSCO`` of the list.
VENUES = frozenset(
    (
        "SIM", "SMART", "US", "NASDAQ", "XNAS", "NYSE", "XNYS", "ARCA", "ARCX", "NYSEARCA",
        "AMEX", "XASE", "NYSEAMERICAN", "BATS", "BZX", "IEX", "OTC", "OTCM", "PINK",
    )
)  # fmt: skip
_SEPARATORS = re.compile(r"[\s./_-]+")
_CIK = re.compile(r"(?:CIK[\s:#]*)?0*(\d{1,10})")
_WORD = re.compile(r"[^\W_]+")
_SUGGESTIONS = 5


def normal(spelling: str) -> str:
    """Return a ticker as the regulator writes it: capitals, and a dash before the class.

    ``brk.b``, ``BRK B`` and ``BRK/B`` are ``BRK-B``.
    """
    return _SEPARATORS.sub("-", spelling.strip().lstrip("$").upper()).strip("-")


def cik_of(text: str) -> int | None:
    """Return the CIK that a text is, with or without zeros and ``CIK`` in front; None if it is none."""
    found = _CIK.fullmatch(text.strip().upper())
    return None if found is None or int(found[1]) == 0 else int(found[1])


def spellings(text: str) -> list[str]:
    """Return the tickers that a text can stand for, the likeliest first: whole, then without its venue."""
    whole = normal(text)
    ticker, dot, venue = text.strip().rpartition(".")
    return [whole, normal(ticker)] if dot and venue.upper() in VENUES else [whole]


class _Row(msgspec.Struct, frozen=True):
    cik_str: int
    ticker: str
    title: str


@dataclass(slots=True)
class _Listed:
    """A company in the list."""

    cik: int
    name: str
    rank: int
    tickers: list[str] = field(default_factory=list)
    words: tuple[str, ...] = ()
    plain: str = ""  #: the name's words with single blanks


@dataclass(frozen=True, slots=True)
class Table:
    """The list, read."""

    content: bytes
    by_cik: dict[int, _Listed]
    by_ticker: dict[str, _Listed]

    @property
    def companies(self) -> Iterable[_Listed]:
        """The companies, the largest first."""
        return self.by_cik.values()


class Tickers:
    """The list of tickers, asked for once a day. Methods that ask raise ProviderError."""

    def __init__(self, wire: EdgarWire) -> None:
        self._wire = wire
        self._held: Table | None = None

    async def table(self) -> Answer[Table]:
        """Return the list."""
        url = f"{self._wire.www}/files/company_tickers.json"
        return await self._wire.http.get(url, read=self._read, fresh_s=DAY)

    def _read(self, body: Body) -> Table:
        held = self._held
        if held is None or held.content != body.content:
            rows = json_of(dict[str, _Row], "the list of tickers")(body)
            ranked = sorted(rows.items(), key=lambda row: int(row[0]) if row[0].isdecimal() else len(rows))
            held = self._held = _table(body.content, [row for _, row in ranked])
        return held

    async def resolve(self, who: str) -> Company:
        """Return the company that a ticker or CIK stands for.

        Raises:
            ProviderNotFoundError: none does; the nearest are named.
        """
        cik = cik_of(who)
        if cik is not None:
            return await self._by_cik(cik)
        answer = await self.table()
        for ticker in spellings(who):
            found = answer.value.by_ticker.get(ticker)
            if found is not None:
                return _company(found, answer)
        raise _unknown(who, answer.value)

    async def _by_cik(self, cik: int) -> Company:
        """Return the registrant with a CIK; most have no ticker, and their own file tells the name."""
        try:
            answer = await self.table()
        except ProviderError:  # the registrant's own file is asked next and raises what is wrong
            return await submissions.company(self._wire, cik)
        found = answer.value.by_cik.get(cik)
        return await submissions.company(self._wire, cik) if found is None else _company(found, answer)

    async def companies(self, text: str, limit: int) -> list[Company]:
        """Return companies by ticker, CIK or name, best match first, the larger one before the smaller."""
        if not text.strip() or limit < 1:
            return []
        answer = await self.table()
        return [_company(listed, answer) for listed in _ranked(text, answer.value)[:limit]]


def tickers_of(table: Table | None, cik: int) -> tuple[str, ...]:
    """Return a company's tickers; none if it is not in the list or there is no list."""
    listed = None if table is None else table.by_cik.get(cik)
    return () if listed is None else tuple(listed.tickers)


def _table(content: bytes, rows: Iterable[_Row]) -> Table:
    by_cik: dict[int, _Listed] = {}
    by_ticker: dict[str, _Listed] = {}
    for rank, row in enumerate(rows):
        listed = by_cik.get(row.cik_str)
        if listed is None:
            words = tuple(_WORD.findall(row.title.casefold()))
            listed = _Listed(row.cik_str, row.title.strip(), rank, words=words, plain=" ".join(words))
            by_cik[row.cik_str] = listed
        ticker = normal(row.ticker)
        if ticker and ticker not in by_ticker:
            by_ticker[ticker] = listed
            listed.tickers.append(ticker)
    return Table(content, by_cik, by_ticker)


def _ranked(text: str, table: Table) -> list[_Listed]:
    """Return matches: ticker, start of a ticker, starts of words of the name, part of the name."""
    cik = cik_of(text)
    if cik is not None and cik in table.by_cik:
        return [table.by_cik[cik]]
    wanted = [ticker for ticker in spellings(text) if ticker]
    words = _WORD.findall(text.casefold())
    scored = ((_score(listed, wanted, words), listed) for listed in table.companies)
    found = [(score, listed.rank, listed) for score, listed in scored if score is not None]
    return [listed for _, _, listed in sorted(found, key=lambda one: one[:2])]


def _score(listed: _Listed, wanted: Sequence[str], words: Sequence[str]) -> int | None:
    if any(ticker in listed.tickers for ticker in wanted):
        return 0
    if wanted and any(ticker.startswith(wanted[0]) for ticker in listed.tickers):
        return 1
    if not words:
        return None
    plain = " ".join(words)
    if listed.plain.startswith(plain):
        return 2
    if all(any(own.startswith(word) for own in listed.words) for word in words):
        return 3
    return 4 if plain in listed.plain else None


def _company(listed: _Listed, answer: Answer[Table]) -> Company:
    return Company(
        cik=listed.cik,
        name=listed.name,
        tickers=tuple(listed.tickers),
        **answer.stamp(day_of(answer.fetched_at))._asdict(),
    )


def _unknown(who: str, table: Table) -> ProviderNotFoundError:
    wanted = normal(who)
    near = [listed.tickers[0] for listed in _ranked(who, table)[:_SUGGESTIONS] if listed.tickers]
    alike = [ticker for ticker in table.by_ticker if ticker[:1] == wanted[:1]]
    near += difflib.get_close_matches(wanted, alike, _SUGGESTIONS, 0.5)
    listed = ", ".join(dict.fromkeys(near[: 2 * _SUGGESTIONS]))
    return ProviderNotFoundError(
        f"{LABEL} has no company with the ticker {who.strip()[:40]!r}",
        rule="a company is named by a ticker in the regulator's list, or by its CIK",
        fix=f"did you mean {listed}?" if listed else "search for its name",
        ticker=wanted[:40],
    )
