"""Which column of a file is what: guessed by name, and by shape where there are no names.

This module must not know how files are read or where rows go.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from data import times
from data.problems import InvalidRequestError
from data.records import PriceSide
from data.rows import Kind

#: What a column can be. ``maker`` says that the buyer was the maker, the opposite of an aggressor.
FIELDS: Final = (
    "time",
    "clock",  # time of day, where the date stands in a column of its own
    "symbol",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "count",
    "bid_open",
    "bid_high",
    "bid_low",
    "bid_close",
    "ask_open",
    "ask_high",
    "ask_low",
    "ask_close",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "price",
    "size",
    "aggressor",
    "maker",
    "trade_id",
)
_PRICES: Final = ("open", "high", "low", "close")

#: Names in the order of preference; compared without case, signs and what stands in brackets.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "time": (
        *("timestamp", "tsevent", "datetime", "gmttime", "localtime", "opentime", "klineopentime", "time"),
        *("unix", "unixtimestamp", "epoch", "ts", "transacttime", "tradetime", "quotetime", "date", "dt"),
        *("startedat", "start", "opentimems", "utc", "dateutc", "timeutc", "timestamputc", "ctm", "day", "t"),
    ),
    "symbol": ("ticker", "symbol", "instrument", "instrumentid", "pair", "sym", "currencypair", "product"),
    "open": ("open", "openprice", "o", "first", "openmid", "midopen"),
    "high": ("high", "highprice", "h", "max", "highmid", "midhigh"),
    "low": ("low", "lowprice", "l", "min", "lowmid", "midlow"),
    "close": ("close", "closelast", "closeprice", "c", "last", "settle", "closemid", "midclose"),
    "volume": (
        *("volume", "vol", "v", "tickvol", "tickvolume", "tickqty", "volumebase", "volumefrom", "basevolume"),
        *("volumebtc", "totalvolume", "realvolume", "qty"),
    ),
    "count": (
        "count",
        "numberoftrades",
        "numtrades",
        "trades",
        "tradecount",
        "barcount",
        "totalticks",
        "ticks",
    ),
    "bid": ("bid", "bidprice", "bestbid", "bestbidprice", "b", "bidpx", "bidclose"),
    "ask": ("ask", "askprice", "bestask", "bestaskprice", "offer", "ofr", "askpx", "offerprice"),
    "bid_size": (
        "bidsize",
        "bidvolume",
        "bidvol",
        "bidqty",
        "bidquantity",
        "bestbidqty",
        "bidamount",
        "bidsz",
    ),
    "ask_size": (
        *("asksize", "askvolume", "askvol", "askqty", "askquantity", "bestaskqty", "askamount", "asksz"),
        *("offersize", "ofrsize"),
    ),
    "price": ("price", "tradeprice", "px", "p", "lastprice", "value"),
    "size": (
        "size",
        "quantity",
        "qty",
        "amount",
        "tradesize",
        "volume",
        "vol",
        "lastsize",
        "q",
        "sz",
        "basevolume",
    ),
    "aggressor": ("aggressor", "side", "takerside", "aggressorside", "tradeside", "direction", "type"),
    "maker": ("isbuyermaker", "buyermaker", "isbuyerthemaker", "m", "wasbuyermaker"),
    "trade_id": ("tradeid", "id", "aggtradeid", "aggregatetradeid", "tid", "execid", "a", "tradeno"),
}
for _side in ("bid", "ask"):
    for _price in _PRICES:
        _NAMES[f"{_side}_{_price}"] = (f"{_side}{_price}", f"{_price}{_side}", f"{_side}{_price[0]}")

#: Fields that belong to each kind; ``time``, ``clock`` and ``symbol`` to all.
_OF_KIND: Final[dict[Kind, tuple[str, ...]]] = {
    "bars": (*_PRICES, "volume", "count", *(f"{s}_{p}" for s in ("bid", "ask") for p in _PRICES)),
    "quotes": ("bid", "ask", "bid_size", "ask_size"),
    "trades": ("price", "size", "aggressor", "maker", "trade_id"),
}
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?[AaPp][Mm])?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_BARE_CLOCK = re.compile(rf"{_CLOCK.pattern}|\d{{3,6}}")
_BOOLEANS: Final = frozenset({"true", "false", "0", "1", "t", "f"})


class FileMapping(msgspec.Struct, frozen=True):
    """What kind of rows a file holds, and which column (by name) is which field."""

    kind: Kind
    columns: dict[str, str]
    side: PriceSide | None = None  #: of bars whose columns name one side only
    remarks: tuple[str, ...] = ()


def mapping(
    names: Sequence[str],
    sample: Sequence[Sequence[str]],
    header: bool,
    kind: Kind | None,
    given: Mapping[str, str],
) -> FileMapping:
    """Return what the columns are; what is ``given`` (field to column) counts before a guess.

    Raises:
        InvalidRequestError: A given field or column does not exist, or no guess is possible; says what
            is missing and what there is.
    """
    fixed = {_field(field): _column(column, names) for field, column in given.items()}
    by_name = {name: [_cell(row, at) for row in sample] for at, name in enumerate(names)}
    guessed, side = _one_side(_by_name(names, kind, by_name) if header else {})
    remarks: tuple[str, ...] = ()
    if _kind_of(guessed | fixed, kind, by_name) is None or "time" not in guessed | fixed:
        shaped = _by_shape(by_name, kind)
        if shaped:
            guessed = shaped | guessed
            remarks = ("columns were told by their values, not by names",)
    columns = {field: column for field, column in guessed.items() if column not in fixed.values()} | fixed
    found = _kind_of(columns, kind, by_name)
    if found is None or "time" not in columns:
        raise _unclear(names, columns, kind)
    wanted = {"time", "clock", "symbol", *_OF_KIND[found]}
    kept = {field: column for field, column in columns.items() if field in wanted}
    if found == "bars" and "close" not in kept and "bid_close" not in kept:
        kept["close"] = columns["price"]
    if found == "bars" and "bid_close" in kept:
        for price in _PRICES:  # both sides are there: a third set would be a mixture
            kept.pop(price, None)
    return FileMapping(found, kept, side, remarks)


def _one_side(found: dict[str, str]) -> tuple[dict[str, str], PriceSide | None]:
    """Take bars of one side, such as ``OpenBid`` to ``CloseBid``, for plain bars of that side."""
    sides: list[PriceSide] = [side for side in ("bid", "ask") if f"{side}_close" in found]
    if len(sides) != 1 or "close" in found:
        return found, None
    return {field.removeprefix(f"{sides[0]}_"): column for field, column in found.items()}, sides[0]


def _by_name(names: Sequence[str], kind: Kind | None, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    plain = {name: re.sub(r"\(.*?\)|\[.*?\]|[^a-z0-9]", "", name.lower()) for name in names}
    plain |= {name: word or re.sub(r"[^a-z0-9]", "", name.lower()) for name, word in plain.items()}
    found: dict[str, str] = {}
    for field in FIELDS:
        if field == "clock" or (field == "close" and "adj" in field):
            continue
        for word in _NAMES[field]:
            match = next((name for name in names if plain[name] == word and name not in found.values()), None)
            if match is not None and _fits(field, values[match]):
                found[field] = match
                break
    if "time" in found:
        others = [name for name in names if name != found["time"]]
        clock = next((name for name in others if _is_clock(values[name], plain[name])), None)
        if clock is not None and not any(times.has_clock(text) for text in values[found["time"]]):
            found["clock"] = clock
    else:  # the index of a data frame has no name
        unnamed = [name for name in names if re.fullmatch(r"#\d+|unnamed.*|index", name.lower())]
        stamp = next((name for name in unnamed if _are_times(values[name])), None)
        if stamp is not None:
            found["time"] = stamp
    return _untangled(found, kind, names, values)


def _untangled(
    found: dict[str, str], kind: Kind | None, names: Sequence[str], values: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Give columns that can be two things to the kind that is there."""
    if "price" in found and {"open", "high", "low"} <= found.keys() and "close" not in found:
        found["close"] = found.pop("price")
    if (kind or _kind_of(found, None, values)) == "trades" and "size" not in found and "volume" in found:
        found["size"] = found.pop("volume")
    if "price" not in found and "close" not in found and "bid" not in found and "bid_close" not in found:
        # One column of numbers beside the times: a series of prices.
        rest = [name for name in names if name not in found.values() and _are_numbers(values[name])]
        if len(rest) == 1:
            found["price"] = rest[0]
    return found


def _by_shape(values: Mapping[str, Sequence[str]], kind: Kind | None) -> dict[str, str]:
    """Tell columns by what is in them."""
    names = list(values)
    stamps = [name for name in names if _are_times(values[name])]
    if not stamps:
        return {}
    # Milliseconds and finer cannot be anything else; seconds may be numbers of trades.
    fine = [name for name in stamps if _mostly(values[name], _is_fine_epoch)]
    found = {"time": (fine or stamps)[0]}
    clock = next((name for name in names if _is_clock(values[name])), None)
    if clock is not None and not times.has_clock(values[stamps[0]][0]):
        found["clock"] = clock
    taken = set(found.values()) | set(stamps)
    numeric = [name for name in names if name not in taken and _are_numbers(values[name])]
    words = [
        name
        for name in names
        if name not in taken and name not in numeric and not _are_booleans(values[name])
    ]
    if words and _are_symbols(values[words[0]]):
        found["symbol"] = words[0]
    four = _candle(numeric, values) if kind in (None, "bars") else None
    if four is not None:
        found |= dict(zip(_PRICES, four, strict=True))
        after = numeric[numeric.index(four[3]) + 1 :]
        if after:
            found["volume"] = after[0]
        return found
    return found | _ticks(names, numeric, values, kind)


def _ticks(
    names: Sequence[str], numeric: Sequence[str], values: Mapping[str, Sequence[str]], kind: Kind | None
) -> dict[str, str]:
    flags = [name for name in names if _are_booleans(values[name]) and not _are_numbers(values[name])]
    if flags and kind in (None, "trades"):  # an exchange's dump: id, price, size, …, time, buyer was maker
        first = names[0]
        prices = [name for name in numeric if name != first]
        if len(prices) >= 2:
            return {"trade_id": first, "price": prices[0], "size": prices[1], "maker": flags[0]}
    if len(numeric) >= 2 and kind in (None, "quotes"):
        pair = _spread(values[numeric[0]], values[numeric[1]])
        if pair:
            found = {pair[0]: numeric[0], pair[1]: numeric[1]}
            if len(numeric) >= 4:
                found |= {f"{pair[0]}_size": numeric[2], f"{pair[1]}_size": numeric[3]}
            return found
    if numeric and kind != "quotes":
        return {"price": numeric[0]} | ({"size": numeric[1]} if len(numeric) >= 2 else {})
    return {}


def _kind_of(
    columns: Mapping[str, str], asked: Kind | None, values: Mapping[str, Sequence[str]]
) -> Kind | None:
    has = columns.keys()
    possible: list[Kind] = []
    if {"open", "high", "low", "close"} <= has or {"bid_close", "ask_close"} <= has:
        possible.append("bars")
    if {"bid", "ask"} <= has:
        possible.append("quotes")
    if "price" in has:
        possible.append("trades")
    if asked is None and "price" in has and not has & {"size", "trade_id", "maker", "aggressor", "bid"}:
        stamps = [text for text in values.get(columns.get("time", ""), ()) if text.strip()]
        if "clock" not in has and stamps and not any(times.has_clock(text) for text in stamps):
            return "bars"  # one price a day is a bar and not a trade
    if asked is not None:
        closes = asked == "bars" and ("close" in has or "price" in has)
        return asked if asked in possible or closes else None
    if not possible and "close" in has:
        return "bars"
    return possible[0] if possible else None


def _fits(field: str, values: Sequence[str]) -> bool:
    """Guard against names that mean something else here: a ``time`` that is a time of day, a ``type``."""
    if field == "time":
        return _are_times(values)
    if field in ("symbol", "trade_id"):
        return True
    if field == "aggressor":
        said = {value.strip().lower() for value in values if value.strip()}
        return bool(said) and said <= AGGRESSOR_WORDS.keys()
    if field == "maker":
        return _are_booleans(values)
    return _are_numbers(values)


#: How files say who was the aggressor; index into ``segments.AGGRESSORS``.
AGGRESSOR_WORDS: Final = {
    **dict.fromkeys(("buy", "b", "buyer", "bid", "1", "taker_buy"), 1),
    **dict.fromkeys(("sell", "s", "seller", "ask", "2", "-1", "taker_sell"), 2),
    **dict.fromkeys(("none", "n", "", "0", "no_aggressor", "unknown"), 0),
}


def _candle(numeric: Sequence[str], values: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Return four neighbouring columns that behave as open, high, low, close."""
    for at in range(len(numeric) - 3):
        four = list(numeric[at : at + 4])
        rows = [
            [number for cell in cells if (number := _number(cell)) is not None]
            for cells in zip(*(values[name] for name in four), strict=True)
        ]
        whole = [row for row in rows if len(row) == 4]
        good = sum(row[1] >= max(row) and row[2] <= min(row) for row in whole)
        if whole and good >= 0.9 * len(whole) and any(row[1] > row[2] for row in whole):
            return four
    return None


def _spread(one: Sequence[str], other: Sequence[str]) -> tuple[str, str] | None:
    """Return which of two columns of prices near each other is bid and which ask."""
    pairs = [(_number(left), _number(right)) for left, right in zip(one, other, strict=True)]
    known = [(left, right) for left, right in pairs if left is not None and right is not None]
    near = sum(left > 0 and abs(left - right) <= left * Decimal("0.05") for left, right in known)
    if not known or near < 0.9 * len(known):
        return None
    return ("bid", "ask") if sum(left <= right for left, right in known) * 2 >= len(known) else ("ask", "bid")


def _is_fine_epoch(text: str) -> bool:
    return re.fullmatch(r"1\d{12}(\d{3}){0,2}", text.strip()) is not None


def _are_times(values: Sequence[str]) -> bool:
    return _mostly(values, times.looks_like_time)


def _are_numbers(values: Sequence[str]) -> bool:
    return _mostly(values, lambda text: _number(text) is not None, share=0.5)


def _are_booleans(values: Sequence[str]) -> bool:
    return _mostly(values, lambda text: text.strip().lower() in _BOOLEANS)


def _is_clock(values: Sequence[str], name: str = "") -> bool:
    pattern = _BARE_CLOCK if name in ("time", "hour", "timeofday") else _CLOCK
    return _mostly(values, lambda text: pattern.fullmatch(text.strip()) is not None)


def _are_symbols(values: Sequence[str]) -> bool:
    return _mostly(values, lambda text: re.fullmatch(r"[A-Za-z][\w./:^-]{0,31}", text.strip()) is not None)


def _mostly(values: Sequence[str], test: object, share: float = 0.8) -> bool:
    filled = [value for value in values if value.strip()]
    return (
        bool(filled) and callable(test) and sum(bool(test(value)) for value in filled) >= share * len(filled)
    )


def _number(text: str) -> Decimal | None:
    text = text.strip().lstrip("$€£")
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        value = Decimal(text.replace(",", ".").rstrip("KMB"))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _cell(row: Sequence[str], at: int) -> str:
    return row[at] if at < len(row) else ""


def _field(field: str) -> str:
    if field in FIELDS:
        return field
    near = difflib.get_close_matches(field, FIELDS, 1)
    raise InvalidRequestError(
        f"there is no field {field!r}",
        rule=f"fields are {', '.join(FIELDS)}",
        fix=f"did you mean {near[0]!r}?" if near else None,
        field="columns",
        value=field,
    )


def _column(column: str, names: Sequence[str]) -> str:
    same = [name for name in names if name == column] or [n for n in names if n.lower() == column.lower()]
    if same:
        return same[0]
    number = column.removeprefix("#")
    if number.isdigit() and 1 <= int(number) <= len(names):
        return names[int(number) - 1]
    near = difflib.get_close_matches(column, names, 1)
    raise InvalidRequestError(
        f"the file has no column {column!r}",
        rule=f"columns are {', '.join(names)}; they can be given as #1 to #{len(names)}",
        fix=f"did you mean {near[0]!r}?" if near else None,
        field="columns",
        value=column,
    )


def _unclear(names: Sequence[str], columns: Mapping[str, str], kind: Kind | None) -> InvalidRequestError:
    needs = {"bars": "open, high, low, close (or close)", "quotes": "bid and ask", "trades": "price"}
    missing = "time" if "time" not in columns else needs[kind] if kind else "prices"
    told = ", ".join(f"{field}={column}" for field, column in columns.items()) or "nothing"
    return InvalidRequestError(
        f"no column of the file could be told to be {missing}",
        rule=f"{kind or 'an import'} needs time and {needs[kind] if kind else 'prices'}; told: {told}",
        fix=f"say which columns they are; the file has {', '.join(names)}",
        field="columns",
    )
