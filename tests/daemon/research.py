"""The daemon's parts that deal with facts, over a real store and a regulator on loopback."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from data.bus import Bus, Event
from data.companies import Filing
from data.paths import Home
from data.records import PositionUpdate
from data.state import State
from engines.spec import EngineSpec
from engines.supervisor import Supervisor
from nautilus_tui.daemon.health import HealthWatch
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.research.parts import Research
from nautilus_tui.daemon.settings import DaemonSettings
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch
from providers.settings import ProviderSettings
from tests.daemon.records import no_journal
from tests.providers.replay import Replay, Request

NOON = dt.datetime(2026, 11, 20, 17, tzinfo=dt.UTC)  #: a Friday, noon in New York
AGENT = "Test Watcher watcher@example.com"
TICKERS = {
    "0": {"cik_str": 320193, "ticker": "AAPL", "title": "Apple Inc."},
    "1": {"cik_str": 1067983, "ticker": "BRK-B", "title": "BERKSHIRE HATHAWAY INC"},
    "2": {"cik_str": 1067983, "ticker": "BRK-A", "title": "BERKSHIRE HATHAWAY INC"},
}


class Regulator:
    """What the regulator has on a day: filings can be added, and lists can be broken."""

    def __init__(self, day: dt.date = NOON.date()) -> None:
        self.day = day
        before = (day - dt.timedelta(days=7)).isoformat()
        self.filings: dict[int, list[tuple[str, str, str]]] = {
            320193: [("0000320193-26-000001", "10-K", before)],
            1067983: [("0001067983-26-000001", "8-K", before)],
        }
        self.broken: set[int] = set()
        self.server = Replay(
            {
                "/files/company_tickers.json": msgspec.json.encode(TICKERS),
                **{f"/submissions/CIK{cik:010}.json": self._list for cik in self.filings},
            }
        )

    def file(self, cik: int, number: int, form: str = "8-K") -> str:
        """Add a filing and return its accession number."""
        accession = f"{cik:010}-26-{number:06}"
        self.filings[cik].insert(0, (accession, form, self.day.isoformat()))
        return accession

    def _list(self, request: Request) -> bytes | tuple[int, str, bytes]:
        cik = int(request.path[len("/submissions/CIK") : -len(".json")])
        if cik in self.broken:
            return 200, "application/json", b'{"cik": '
        rows = self.filings[cik]
        recent: dict[str, Sequence[object]] = {
            "accessionNumber": [row[0] for row in rows],
            "filingDate": [row[2] for row in rows],
            "reportDate": ["" for _ in rows],
            "acceptanceDateTime": [f"{row[2]}T18:00:00.000Z" for row in rows],
            "form": [row[1] for row in rows],
            "items": ["" for _ in rows],
            "size": [1000 for _ in rows],
            "isXBRL": [0 for _ in rows],
            "primaryDocument": ["a.htm" for _ in rows],
            "primaryDocDescription": ["" for _ in rows],
        }
        name = "Apple Inc." if cik == 320193 else "BERKSHIRE HATHAWAY INC"
        tickers = ["AAPL"] if cik == 320193 else ["BRK-B", "BRK-A"]
        return msgspec.json.encode(
            {
                "cik": str(cik),
                "entityType": "operating",
                "name": name,
                "tickers": tickers,
                "exchanges": ["NYSE" for _ in tickers],
                "filings": {"recent": recent, "files": []},
            }
        )

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, trace)

    @property
    def settings(self) -> ProviderSettings:
        """Where it is; the other providers are nowhere."""
        url = self.server.url
        return ProviderSettings(
            edgar_data_url=url,
            edgar_www_url=url,
            edgar_efts_url=url,
            fred_url=f"{url}/fred",
            alpha_vantage_url=f"{url}/av",
        )


class Parts:
    """The parts over a home, as an async context manager."""

    def __init__(
        self, root: Path, settings: ProviderSettings | None = None, watch: tuple[str, ...] = ()
    ) -> None:
        self.now = NOON
        home = Home(root).ensure()
        self.state = State(home.state_db)
        self.state.open()
        self.present = Present()
        self.bus = Bus("epoch", self.present.snapshot)
        self.told: list[Event] = []
        self.bus.subscribe(self.told.extend)
        sink = Sink(self.state, self.bus, self.present, OrderWatch(), no_journal)
        supervisor = Supervisor(home, sink, [EngineSpec(engine="paper-1")])
        health = HealthWatch(
            state=self.state, supervisor=supervisor, sink=sink, stream_clients=lambda: 0, version="1"
        )
        self.research = Research(
            home.providers,
            DaemonSettings(providers=settings or ProviderSettings(), watch=watch),
            state=self.state,
            supervisor=supervisor,
            present=self.present,
            bus=self.bus,
            health=health,
            clock=lambda: int(self.now.timestamp()) * 10**9,
        )

    async def __aenter__(self) -> Self:
        await self.research.filings.load()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.research.close()
        self.state.close()

    async def hold(self, instrument: str, seq: int = 1, **fields: Any) -> None:
        """Open a position."""
        facts: dict[str, Any] = {
            "engine": "paper-1",
            "position_id": f"P-{instrument}",
            "instrument": instrument,
            "qty": 100,
            "avg_open": 100,
            "realized_pnl": 0,
            "currency": "USD",
            "ts_opened": 1,
            "ts": 1,
            "seq": seq,
            "synthetic": True,
        }
        await self.state.fold("paper-1", [msgspec.convert(facts | fields, PositionUpdate)])

    async def look(self) -> list[str]:
        """Look for new filings at a regulator that is asked anew; return what was told."""
        (await self.research.providers.desk()).expire("edgar")
        before = len(self.told)
        await self.research.filings.look()
        return [event.record.accession for event in self.told[before:] if isinstance(event.record, Filing)]
