"""The regime: growth against inflation, and how likely a recession is, with the rule that says so."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from data.macro import MacroRegime
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.macro import chosen
from nautilus_tui.terminal.panes.provenance import entitle, message, why_empty
from nautilus_tui.terminal.panes.redrawn import Redrawn
from nautilus_tui.terminal.questions.macro import Regime
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.grid import Grid
from nautilus_tui.terminal.widgets.lines import Part

#: Size of the diagram in cells, odd so that both axes stand in the middle.
DIAGRAM_WIDTH, DIAGRAM_HEIGHT = 25, 9
#: Scores are drawn up to this far from the middle; what is further out is drawn at the edge.
REACH = 2.0
#: Cells of a bar of probability; figure and label beside it take the rest.
LEAST_BAR, MOST_BAR = 5, 24
_BESIDE_A_BAR = 18
#: From these probabilities on a recession is likely, or at least to be reckoned with.
LIKELY, POSSIBLE = 0.5, 0.25
#: The corners: growth to the right, inflation upwards.
CORNERS = {
    "stagflation": (-1, 1),
    "reflation": (1, 1),
    "deflation": (-1, -1),
    "goldilocks": (1, -1),
}


class RegimePane(Redrawn, can_focus=True):
    """Where the economy stands."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Regime"

    def wants(self, mirror: Mirror, view: View) -> list[Regime]:
        """Return what is to be asked."""
        return [Regime(view.macro.as_of)]

    def draw(self, mirror: Mirror, view: View) -> None:
        """Show the regime."""
        glyphs = glyphs_of(self.app)
        regime, answer = chosen.regime(mirror, view)
        entitle(self, "Regime", regime, answer, view.now_ns, glyphs, as_of=view.macro.as_of)
        width, height = self.room
        if regime is None:
            connected = mirror.connection.state == "connected"
            self.set_lines(message(why_empty(answer, "regime", connected=connected), width))
            return
        self.set_lines(regime_lines(regime, glyphs, width, height))


def regime_lines(regime: MacroRegime, glyphs: Glyphs, width: int, height: int) -> list[list[Part]]:
    """Return the diagram with the figures beside it, and the rule under both as far as there is room."""
    beside = width - DIAGRAM_WIDTH - 2
    said = figures_lines(regime, glyphs, max(20, beside))
    if beside >= 22 and height >= DIAGRAM_HEIGHT:
        drawn = diagram(regime, glyphs)
        said += [[] for _ in range(len(drawn) - len(said))]
        drawn += [[(" " * DIAGRAM_WIDTH, "")] for _ in range(len(said) - len(drawn))]
        lines: list[list[Part]] = [
            [(" ", ""), *left, (" ", ""), *right] for left, right in zip(drawn, said, strict=True)
        ]
    else:
        kept = said if len(said) <= height else [line for line in said if line][:height]
        lines = [[(" ", ""), *line] for line in kept]
    rule = textwrap.wrap(regime.rule, max(8, width - 2))
    room = height - len(lines)
    if len(rule) > room > 0:
        rule = [*rule[: room - 1], _cut_at_a_word(rule[room - 1], width - 4) + f" {glyphs.ellipsis}"]
    return [*lines, *([(f" {line}", "dim")] for line in rule[: max(0, room)])]


def _cut_at_a_word(text: str, width: int) -> str:
    """Return as many whole words as there is room for, and none of the signs between sentences."""
    kept = text if len(text) <= width else text[: max(0, width) + 1].rpartition(" ")[0]
    return kept.rstrip(" ,;:")


def figures_lines(regime: MacroRegime, glyphs: Glyphs, width: int) -> list[list[Part]]:
    """Return quadrant, scores and probabilities, a line each."""
    name = regime.quadrant or "not known"
    bar = max(LEAST_BAR, min(MOST_BAR, width - _BESIDE_A_BAR))
    trend = "trend" if width >= _BESIDE_A_BAR + 10 else ""
    lines: list[list[Part]] = [
        [(name.upper() if regime.quadrant else name, "title" if regime.quadrant else "warn")],
        _score("Growth", regime.growth, "over", "below", trend),
        _score("Inflation", regime.inflation, "rising", "falling"),
        [],
        [("Recession in 12 months", "label")],
        probability("combined", regime.recession_probability, glyphs, bar, strong=True),
        probability(
            f"10y-3m {figures.signed(regime.term_spread, 2)}", regime.term_spread_probability, glyphs, bar
        ),
        probability(f"Sahm {figures.signed(regime.labour, 2)}", regime.labour_probability, glyphs, bar),
    ]
    if regime.observed is not None:
        lines.append([("Observed ", "label"), (f"{regime.observed:%Y-%m}", "dim")])
    if regime.problem is not None:
        lines += [[(line, "warn")] for line in textwrap.wrap(f"{glyphs.warn} {regime.problem}", width)[:2]]
    return lines


def _score(label: str, score: float | None, above: str, below: str, against: str = "") -> list[Part]:
    parts: list[Part] = [(f"{label:<9}", "label"), (f"{figures.signed(score, 2):>6}", "")]
    if score is not None:
        parts.append((f" {above if score > 0 else below} {against}".rstrip(), "dim"))
    return parts


def probability(
    label: str, value: float | None, glyphs: Glyphs, cells: int, *, strong: bool = False
) -> list[Part]:
    """Return a probability as a bar, a figure and what it is of."""
    if value is None:
        return [(f"{figures.DASH:<{cells}}", "dim"), (f"    {figures.DASH}", "dim"), (f" {label}", "label")]
    style = "error" if value >= LIKELY else "warn" if value >= POSSIBLE else "bright" if strong else ""
    bar = figures.bar(value, cells, glyphs.bar)
    filled = bar.rstrip()
    colour = style if style in ("warn", "error") else "accent" if strong else "accent-bar"
    return [
        (filled, colour.replace("error", "down")),
        (glyphs.rule * (cells - len(filled)), "rule"),
        (f" {value * 100:3.0f}%", style),
        (f" {label}", "label"),
    ]


def diagram(regime: MacroRegime, glyphs: Glyphs) -> list[list[Part]]:
    """Return the quadrants with the position in them: growth to the right, inflation upwards."""
    grid = Grid(DIAGRAM_WIDTH, DIAGRAM_HEIGHT)
    middle_x, middle_y = DIAGRAM_WIDTH // 2, DIAGRAM_HEIGHT // 2
    for x in range(DIAGRAM_WIDTH):
        grid.put(x, middle_y, glyphs.rule, "faint")
    for y in range(DIAGRAM_HEIGHT):
        grid.put(middle_x, y, glyphs.axis, "faint")
    grid.put(middle_x, middle_y, glyphs.cross, "faint")
    for name, (right, up) in CORNERS.items():
        here = name == regime.quadrant
        _write(
            grid,
            0 if right < 0 else DIAGRAM_WIDTH - len(name),
            1 if up > 0 else DIAGRAM_HEIGHT - 2,
            name,
            "accent" if here else "dim",
        )
    _write(grid, middle_x - 4, 0, "inflation", "label")
    _write(grid, DIAGRAM_WIDTH - 6, middle_y, "growth", "label")
    if regime.growth is not None and regime.inflation is not None:
        x = middle_x + round(_clipped(regime.growth) / REACH * (middle_x - 1))
        y = middle_y - round(_clipped(regime.inflation) / REACH * (middle_y - 1))
        grid.put(x, y, glyphs.on, "accent bold")
    return [grid.line(y) for y in range(DIAGRAM_HEIGHT)]


def _clipped(score: float) -> float:
    return max(-REACH, min(REACH, score))


def _write(grid: Grid, x: int, y: int, text: str, style: str) -> None:
    for i, letter in enumerate(text):
        grid.put(x + i, y, letter, style)
