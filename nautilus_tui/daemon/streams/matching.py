"""Which topics a set of patterns names, at a cost that does not grow with the number of patterns.

A client may subscribe to hundreds of wildcards, fifty times a second, while thousands of topics are
known: tried one by one that would keep the daemon from everything else. This module must not know who
asks.
"""

from __future__ import annotations

from collections.abc import Iterable

#: A level's name to what may follow it; ``_END`` when a pattern ends here.
_Node = dict[str, "_Node"]
_END = ""


class Matcher:
    """Patterns, sorted by their levels."""

    __slots__ = ("exact", "wild")

    def __init__(self, patterns: Iterable[str]) -> None:
        self.exact: frozenset[str]
        self.wild: _Node = {}
        exact = []
        for pattern in patterns:
            if "*" not in pattern and ">" not in pattern:
                exact.append(pattern)
                continue
            node = self.wild
            for level in pattern.split("."):
                node = node.setdefault(level, {})
            node[_END] = {}
        # names without wildcards are kept once, as they came
        self.exact = patterns if isinstance(patterns, frozenset) and not self.wild else frozenset(exact)

    def names(self, topic: str) -> bool:
        """Tell whether one of the patterns names a topic (which has no wildcards)."""
        return topic in self.exact or (bool(self.wild) and _leads(self.wild, topic.split("."), 0))


def _leads(node: _Node, levels: list[str], at: int) -> bool:
    """Tell whether the levels from ``at`` on lead from a node to a pattern's end."""
    if at == len(levels):
        return _END in node
    if ">" in node:
        return True
    named, any_ = node.get(levels[at]), node.get("*")
    return (named is not None and _leads(named, levels, at + 1)) or (
        any_ is not None and _leads(any_, levels, at + 1)
    )
