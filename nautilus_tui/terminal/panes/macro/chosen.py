"""Which facts the Macro workspace shows for a view: today's as they are told, or those of a date."""

from __future__ import annotations

from data.macro import MacroFactor, MacroRegime
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.questions import Answer
from nautilus_tui.terminal.questions.macro import Factors, Regime
from nautilus_tui.terminal.view import View

#: Groups in the order they are shown, with a word for each that is at most six letters long.
GROUPS: dict[str, str] = {
    "growth": "Growth",
    "employment": "Jobs",
    "inflation": "Prices",
    "rates": "Rates",
    "credit": "Credit",
    "markets": "Market",
}


def factors(mirror: Mirror, view: View) -> list[MacroFactor]:
    """Return the factors by group: as they are now, or as they were known on the view's date."""
    answer = mirror.facts.answer(Factors(view.macro.as_of))
    told = [factor.id for factor in answer.value or ()]
    if view.macro.as_of is not None:
        found = list(answer.value or ())
    else:
        now = mirror.facts.factors
        found = [now[i] for i in dict.fromkeys((*told, *now)) if i in now]
    order = list(GROUPS)
    return sorted(
        found, key=lambda factor: order.index(factor.group) if factor.group in order else len(order)
    )


def factor(mirror: Mirror, view: View) -> MacroFactor | None:
    """Return the factor that is charted: the one chosen, else the first that has a value."""
    found = factors(mirror, view)
    if view.macro.factor is not None:
        return next((f for f in found if f.id == view.macro.factor), None)
    return next((f for f in found if f.value is not None), None)


def regime(mirror: Mirror, view: View) -> tuple[MacroRegime | None, Answer[MacroRegime]]:
    """Return the regime, as it is now or was known on the view's date, and what came of asking."""
    answer = mirror.facts.answer(Regime(view.macro.as_of))
    return (answer.value if view.macro.as_of is not None else mirror.facts.regime), answer
