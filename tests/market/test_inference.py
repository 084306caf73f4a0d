"""What imported history is taken for: by its name and its decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import InvalidRequestError
from engines.market.inference import infer_instrument


@pytest.mark.parametrize(
    ("name", "price", "asset_class", "base", "currency", "precision"),
    [
        ("GBPUSD.SIM", "1.57608", "fx", "GBP", "USD", 5),
        ("GBP/USD.FXCM", "1.576", "fx", "GBP", "USD", 5),
        ("USDJPY.TRUEFX", "86.655", "fx", "USD", "JPY", 3),
        ("EURUSD.HIST", "1.121200", "fx", "EUR", "USD", 5),
        ("EURGBP.X", "0.84123", "fx", "EUR", "GBP", 5),
        ("BTCUSDT.BINANCE", "43210.12", "crypto", "BTC", "USD", 2),
        ("BTC-PERP.FTX", "46319.0", "crypto", "BTC", "USD", 2),
        ("XBTUSD.BITMEX", "46319.5", "crypto", "BTC", "USD", 2),
        ("ETHBTC.BINANCE", "0.071234", "crypto", "ETH", "BTC", 6),
        ("SP500.X", "1515.730", "index", None, "USD", 2),
        ("AAPL.XNAS", "120.5", "equity", None, "USD", 2),
        ("ES.CME", "5940.25", "future", None, "USD", 2),
        ("PENNY.XNAS", "0.0123", "equity", None, "USD", 4),
        ("BRK.B.XNYS", "400.01", "equity", None, "USD", 2),
    ],
)
def test_names(
    name: str, price: str, asset_class: str, base: str | None, currency: str, precision: int
) -> None:
    found = infer_instrument(name, [Decimal(price)])
    assert (found.asset_class, found.base_currency, found.currency) == (asset_class, base, currency)
    assert found.price_precision == precision
    assert found.id == name
    assert found.venue == name.rpartition(".")[2]
    assert not found.synthetic


def test_a_stablecoin_counted_as_dollars_is_named() -> None:
    assert infer_instrument("BTCUSDT.BINANCE", []).name == "BTC / USDT counted as USD"


def test_sizes_of_crypto_keep_their_decimals() -> None:
    found = infer_instrument("BTCUSDT.BINANCE", [], sample_sizes=[Decimal("0.00012")])
    assert found.size_precision == 5
    assert found.lot_size == Decimal("0.00001")


def test_a_listing_keeps_its_tick_unless_the_data_is_finer() -> None:
    assert infer_instrument("ES.SIM", [Decimal("5940.25")]).tick_size == Decimal("0.25")
    assert infer_instrument("ES.SIM", [Decimal("5940.123")]).tick_size == Decimal("0.001")


@given(st.lists(st.decimals(min_value="0.0001", max_value=10**6, places=4), min_size=1))
def test_every_price_seen_lies_on_the_tick(prices: list[Decimal]) -> None:
    found = infer_instrument("ANY.X", prices)
    assert all(price % found.tick_size == 0 for price in prices)


@pytest.mark.parametrize("name", ["GBPUSD", ".SIM", "GBPUSD.", ""])
def test_a_name_without_a_venue_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError, match="not an instrument id"):
        infer_instrument(name, [])
