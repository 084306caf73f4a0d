"""The gate's judgement: may these orders leave, given the books, the prices and the limits?

An order is denied by a limit if what it could lead to is over the limit and more than before, so that
reducing is always possible; what cannot be judged is denied. Position size, concentration and net exposure
are judged in the direction of the order. Losses and turnover deny what does more than reduce. Orders that
come together pass together or not at all. This module is arithmetic only; it must not know how an order
came or where it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Final, NamedTuple

import msgspec

from data.limits import GATED, Denial, GateBook, Limit, LimitEffect
from data.records import Side
from risk.exposure import Line, Terms
from risk.exposure_book import ALL, ExposureBook
from risk.gate_case import Case, Money, Pair, Proposal, Rule, bound_of, pair_of, shown
from risk.gate_shortcut import Shortcut
from risk.rate import RateWindow

__all__ = ["Judge", "Money", "Proposal"]

_ZERO: Final = Decimal(0)
#: In lots: a quantity that no limit denies up to here is not limited.
_MANY: Final = 10**9
_ORDER: Final = {name: rank for rank, name in enumerate(sorted(GATED))}


class _Finding(NamedTuple):
    """A limit and what an order would do to it."""

    rule: Rule
    pair: Pair
    passes: bool


class Judge:
    """Judges what one engine sends by the limits it was given."""

    def __init__(
        self,
        *,
        engine: str,
        currency: str,
        book: ExposureBook,
        money: Callable[[], Money],
        enabled: bool = True,
    ) -> None:
        self._engine = engine
        self._currency = currency
        self._book = book
        self._money = money
        self._enabled = enabled
        self._limits: GateBook | None = None
        self._lacking = "no limits have arrived"
        self._by_scope: dict[str, list[Limit]] = {}
        self._sectors: list[Limit] = []
        self._rules: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._windows: dict[str, RateWindow] = {}
        self._shortcuts: dict[tuple[str, str, Side], Shortcut] = {}
        self._all_window = RateWindow(_MANY, 1)

    # ------------------------------------------------------------ the limits

    @property
    def limits(self) -> GateBook | None:
        """What it goes by; None: nothing, and everything that could open is denied."""
        return self._limits

    def go_by(self, limits: GateBook) -> None:
        """Judge by these limits from now on; what was counted stays counted."""
        self._limits = limits
        self._by_scope = {}
        for limit in limits.limits:
            if limit.enabled and limit.limit_type in GATED:
                self._by_scope.setdefault(limit.scope, []).append(limit)
        self._sectors = [
            limit for scope, found in self._by_scope.items() if scope.startswith("sector:") for limit in found
        ]
        self._rules.clear()
        self._shortcuts.clear()
        windows, self._windows = self._windows, {}
        for found in self._by_scope.values():
            for limit in found:
                if limit.limit_type == "order_rate" and limit.window_s is not None:
                    kept = windows.get(limit.id)
                    window = RateWindow(int(limit.effective), limit.window_s, kept)
                    self._windows[limit.id] = window
        self._book.follow(scope[9:] for scope in self._by_scope if scope.startswith("strategy:"))

    def go_without(self, reason: str) -> None:
        """Deny whatever could open, because there are no limits."""
        self._limits, self._lacking = None, reason

    def _rules_for(self, instrument: str, strategy: str) -> tuple[Rule, ...]:
        found = self._rules.get((instrument, strategy))
        if found is None:
            found = self._rules[instrument, strategy] = tuple(self._applicable(instrument, strategy))
        return found

    def _applicable(self, instrument: str, strategy: str) -> list[Rule]:
        terms = self._book.terms.get(instrument) or Terms(id=instrument)
        keys = {
            "portfolio": ALL,
            f"engine:{self._engine}": ALL,
            f"instrument:{instrument}": f"instrument:{instrument}",
            f"strategy:{strategy}": f"strategy:{strategy}",
        }
        if terms.sector is not None:
            keys[f"sector:{terms.sector}"] = f"sector:{terms.sector}"
        rules = [
            Rule(limit, key, terms) for scope, key in keys.items() for limit in self._by_scope.get(scope, [])
        ]
        if terms.needs_sector and terms.sector is None:
            rules += [Rule(limit, limit.scope, terms, sector_unknown=True) for limit in self._sectors]
        return sorted(rules, key=lambda rule: (_ORDER[rule.limit.limit_type], rule.limit.id))

    # ------------------------------------------------------------ judging

    def judge(self, proposal: Proposal, now_ns: int) -> Denial | None:
        """Return why the orders may not leave, or None if they may. Nothing is counted yet."""
        if not self._enabled:
            return None
        restricted = self._restricted(proposal)
        if restricted is not None and self._halted:
            return restricted
        if proposal.only_flagged:
            return None
        if self._limits is None:
            return Denial(rule="limits", detail=self._lacking)
        if restricted is None and self._plain(proposal, now_ns):
            return None
        denials = [
            self._denial(found, proposal, now_ns)
            for found in self._findings(proposal, now_ns)
            if not found.passes
        ]
        if restricted is not None:
            return _named(restricted, denials)
        # What cannot be judged comes first, then what lets the least pass.
        return min(denials, key=_rank, default=None)

    @property
    def _halted(self) -> bool:
        return self._limits is not None and self._limits.restriction == "halted"

    def _plain(self, proposal: Proposal, now_ns: int) -> bool:
        """Whether one new order plainly passes."""
        if len(proposal.lines) > 1 or proposal.drop:
            return False
        line = proposal.lines[0]
        return self._shortcut(line).passes(self._book, line, self._money, now_ns)

    def _shortcut(self, line: Line) -> Shortcut:
        place = (line.instrument, line.strategy, line.side)
        found = self._shortcuts.get(place)
        if found is None:
            rules = self._rules_for(line.instrument, line.strategy)
            found = self._shortcuts[place] = Shortcut(rules, self._windows, line.side)
            found.bind_amounts()
        return found

    def count(self, proposal: Proposal, now_ns: int) -> None:
        """Take note that the orders leave: they count towards the rate."""
        for window in self._windows_of(proposal):
            window.note(now_ns)
        self._all_window.note(now_ns)

    def _windows_of(self, proposal: Proposal) -> Iterable[RateWindow]:
        if len(proposal.lines) == 1:
            return self._shortcut(proposal.lines[0]).windows
        found = [window for line in proposal.lines for window in self._shortcut(line).windows]
        return {id(window): window for window in found}.values()

    def _restricted(self, proposal: Proposal) -> Denial | None:
        limits = self._limits
        if limits is None or limits.restriction == "none":
            return None
        why = f" ({limits.restriction_reason})" if limits.restriction_reason else ""
        scope = f"engine:{self._engine}"
        if limits.restriction == "halted":
            detail = f"the engine is halted{why}: only cancels pass"
            return Denial(rule="restriction", detail=detail, scope=scope, max_quantity=_ZERO)
        if proposal.only_flagged:
            return None
        case = Case(self._book, proposal)
        if not case.increases:
            return None
        room = case.reducible(proposal.lines[0])
        line = proposal.lines[0]
        return Denial(
            rule="restriction",
            detail=f"only what reduces passes{why}: {line.side} {line.qty:f} {line.instrument} is more than "
            f"the {room:f} that is left to reduce",
            scope=scope,
            unit="shares",
            value=line.qty,
            limit=room,
            max_quantity=self._in_lots(room, proposal) if proposal.uniform else None,
        )

    def _findings(self, proposal: Proposal, now_ns: int) -> list[_Finding]:
        case = Case(self._book, proposal)
        found = []
        money: Money | None = None
        for instrument, strategy, side in proposal.places:
            for rule in self._rules_for(instrument, strategy):
                if rule.limit.limit_type == "order_rate":
                    count = self._windows[rule.limit.id].count(now_ns)
                    pair = Pair(Decimal(count), Decimal(count + 1))
                    passes = pair.after <= rule.limit.effective
                else:
                    if money is None and rule.needs_money:
                        money = self._money()
                    pair = pair_of(rule, case, instrument, side, money)
                    passes = _passes(rule, pair)
                found.append(_Finding(rule, pair, passes))
        return found

    def _denial(self, found: _Finding, proposal: Proposal, now_ns: int) -> Denial:
        pair, limit = found.pair, found.rule.limit
        if pair.unknown is not None:
            detail = f"{pair.unknown.detail}, so {limit.limit_type} of {limit.scope} cannot be judged"
            return Denial(
                rule=pair.unknown.rule,
                detail=detail,
                limit_id=limit.id,
                scope=limit.scope,
                unit=limit.unit,
                limit=limit.effective,
            )
        value = shown(pair.after, pair.base, limit.unit)
        return Denial(
            rule=limit.limit_type,
            detail=self._sentence(limit, value, pair, proposal),
            limit_id=limit.id,
            scope=limit.scope,
            unit=limit.unit,
            value=value,
            limit=limit.effective,
            max_quantity=self._largest(found, proposal),
        )

    def _sentence(self, limit: Limit, value: Decimal, pair: Pair, proposal: Proposal) -> str:
        if limit.limit_type == "order_rate":
            return f"{value:f} orders within {limit.window_s} s, the limit is {limit.effective:f}"
        unit = {"notional": f" {self._currency}", "shares": " units", "ratio": ""}.get(limit.unit, "")
        reach = "stands at" if pair.at else "could reach"
        subject = limit.scope
        if limit.limit_type in ("order_notional", "position_size", "concentration"):
            subject = f"{proposal.lines[0].instrument} ({limit.scope})"
        return f"{subject} {reach} {value:,f}{unit}, the limit is {limit.effective:,f}{unit}"

    # ------------------------------------------------------------ what would pass

    def _largest(self, found: _Finding, proposal: Proposal) -> Decimal | None:
        """Return the largest quantity in whole lots that a limit lets pass; None: it does not limit it."""
        if not proposal.uniform or found.pair.unknown is not None:
            return None
        if found.rule.limit.limit_type == "order_rate":
            return None if found.passes else _ZERO
        lot = found.rule.terms.lot
        first = int((proposal.lines[0].qty / lot).to_integral_value(ROUND_DOWN))
        asked = self._amount(found.rule, proposal, first * lot)
        passed, failed = 0, _MANY
        if found.passes:
            passed = first
            if self._lets_pass(found.rule, proposal, _MANY * lot):
                return None
        elif not self._lets_pass(found.rule, proposal, first * lot):
            failed = first
        else:
            return self._in_lots(first * lot, proposal)
        for guess in _guesses(found, asked, first):
            if passed < guess < failed:
                passed, failed = self._narrow(found.rule, proposal, guess, passed, failed)
        while failed - passed > 1:
            passed, failed = self._narrow(found.rule, proposal, (passed + failed) // 2, passed, failed)
        return self._in_lots(passed * lot, proposal)

    def _narrow(self, rule: Rule, proposal: Proposal, lots: int, passed: int, failed: int) -> tuple[int, int]:
        if self._lets_pass(rule, proposal, lots * rule.terms.lot):
            return lots, failed
        return passed, lots

    def _amount(self, rule: Rule, proposal: Proposal, qty: Decimal) -> Pair:
        line = proposal.lines[0]
        case = Case(self._book, proposal.of(qty))
        return pair_of(rule, case, line.instrument, line.side, self._money())

    def _lets_pass(self, rule: Rule, proposal: Proposal, qty: Decimal) -> bool:
        return _passes(rule, self._amount(rule, proposal, qty))

    def _in_lots(self, room: Decimal, proposal: Proposal) -> Decimal:
        """Return a quantity in whole lots, with what is filled of a changed order; 0: none passes."""
        terms = self._book.terms.get(proposal.lines[0].instrument) or Terms(id="")
        lots = (room / terms.lot).to_integral_value(ROUND_DOWN) * terms.lot
        whole = lots + proposal.filled if lots else _ZERO
        return whole if whole >= terms.min_qty else _ZERO

    # ------------------------------------------------------------ previews

    def effects(self, proposal: Proposal, now_ns: int) -> list[LimitEffect]:
        """Return what the orders would do to every limit that applies, judged as if they were sent."""
        scope = f"engine:{self._engine}"
        if not self._enabled:
            return self._without_limits(proposal, now_ns)
        rows = []
        restricted = self._restricted(proposal)
        if self._limits is not None and self._limits.restriction != "none":
            line = proposal.lines[0]
            rows.append(
                LimitEffect(
                    rule="restriction",
                    scope=scope,
                    used=_ZERO,
                    after=line.qty,
                    limit=line.qty if restricted is None else restricted.limit or _ZERO,
                    unit="shares",
                    passes=restricted is None,
                    max_quantity=None if restricted is None else restricted.max_quantity,
                    reason=None if restricted is None else restricted.detail,
                )
            )
        if self._limits is None:
            flagged = proposal.only_flagged
            reason = None if flagged else self._lacking
            lacking = LimitEffect(
                rule="limits",
                scope=scope,
                used=None,
                after=None,
                limit=None,
                unit="",
                passes=flagged,
                reason=reason,
            )
            return [lacking]
        return rows + [self._effect(f, proposal, now_ns) for f in self._findings(proposal, now_ns)]

    def _effect(self, found: _Finding, proposal: Proposal, now_ns: int) -> LimitEffect:
        limit, pair = found.rule.limit, found.pair
        passes = found.passes or proposal.only_flagged
        known = pair.unknown is None
        reason = None if passes else self._denial(found, proposal, now_ns).detail
        return LimitEffect(
            rule=limit.limit_type,
            scope=limit.scope,
            used=shown(pair.before, pair.base, limit.unit) if known else None,
            after=shown(pair.after, pair.base, limit.unit) if known else None,
            limit=limit.effective,
            unit=self._currency if limit.unit == "notional" else limit.unit,
            passes=passes,
            limit_id=limit.id,
            warn=limit.warn,
            max_quantity=None if proposal.only_flagged else self._largest(found, proposal),
            reason=reason,
        )

    def _without_limits(self, proposal: Proposal, now_ns: int) -> list[LimitEffect]:
        """Return the size and rate of orders that no limit is set to."""
        case, line = Case(self._book, proposal), proposal.lines[0]
        worst = (case.before(ALL, line.instrument), case.after(ALL, line.instrument))
        size = [one.long if line.side == "buy" else one.short for one in worst]
        sent = Decimal(self._all_window.count(now_ns))
        unknown = worst[1].unknown is not None
        rows: list[tuple[str, Decimal | None, Decimal | None, str]] = [
            ("order_notional", _ZERO, case.notional(line.instrument), self._currency),
            ("position_size", None if unknown else size[0], None if unknown else size[1], self._currency),
            ("order_rate", sent, sent + 1, "orders"),
        ]
        return [
            LimitEffect(
                rule=rule,
                scope=f"engine:{self._engine}",
                used=used if used is None or unit == "orders" else shown(used, None, "notional"),
                after=after if after is None or unit == "orders" else shown(after, None, "notional"),
                limit=None,
                unit=unit,
                passes=True,
            )
            for rule, used, after, unit in rows
        ]


def _passes(rule: Rule, pair: Pair) -> bool:
    if pair.unknown is not None:
        return False
    bound = bound_of(rule, pair)
    if pair.at:
        return pair.after < bound
    return pair.after <= bound or pair.after <= pair.before


def _guesses(found: _Finding, asked: Pair, first: int) -> tuple[int, ...]:
    """Return where a line through what is there and what was asked for meets the limit, in lots."""
    grown = asked.after - asked.before
    if asked.unknown is not None or not first or grown <= 0:
        return ()
    lots = int((bound_of(found.rule, asked) - asked.before) * first / grown)
    return (lots, lots + 1)


def _named(restricted: Denial, denials: Iterable[Denial]) -> Denial:
    """Return the limit that is broken, with what passes under the restriction too; else the restriction.

    A breach of a limit restricts a moment later: which limit it is must not depend on that moment.
    """
    broken = min((one for one in denials if one.value is not None), key=_rank, default=None)
    if broken is None:
        return restricted
    passes = [one.max_quantity for one in (broken, restricted) if one.max_quantity is not None]
    return msgspec.structs.replace(
        broken, detail=f"{broken.detail}; {restricted.detail}", max_quantity=min(passes, default=None)
    )


def _rank(denial: Denial) -> tuple[bool, Decimal, int, str]:
    quantity = denial.max_quantity
    rank = _ORDER.get(denial.rule, -1)  # type: ignore[call-overload]  # a rule that is no type comes first
    return quantity is not None, quantity or _ZERO, rank, denial.limit_id or ""
