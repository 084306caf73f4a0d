"""Which subscriptions make sense and who may have them. Must not know of connections."""

from __future__ import annotations

from collections.abc import Iterable

from data import topics
from data.access import ROLES, Role
from data.problems import ForbiddenError


def check_patterns(patterns: Iterable[str], role: Role) -> list[str]:
    """Check that each pattern is well formed, names something and may be read by the role.

    Returns the families a wildcard reaches but the role may not read; they are left out.
    """
    power = ROLES.index(role)
    withheld: set[str] = set()
    for pattern in patterns:
        reached = topics.families_of(topics.check_pattern(pattern))
        closed = [family for family in reached if ROLES.index(family.role) > power]
        if len(closed) == len(reached):
            raise ForbiddenError(
                f"the role {role} may not read {pattern}",
                rule=f"{closed[0].pattern} is for the role {closed[0].role} and above",
                fix="use a token of that role",
            )
        withheld.update(family.pattern for family in closed)
    return sorted(withheld)
