"""Who is at the door: the identity that authentication yields and everything else relies on.

This module must not know how identities are proved or carried.
"""

from __future__ import annotations

import msgspec

from data.access import ROLES, Role


class Principal(msgspec.Struct, frozen=True):
    """An authenticated peer."""

    name: str  #: the token's name, or the user's for a unix socket peer
    role: Role
    via: str  #: ``unix``, ``tcp``, ``schedule`` …
    ts_expires: int | None = None  #: when its token expires (UTC ns); None: it does not

    def may(self, role: Role) -> bool:
        """Tell whether this principal has at least the given role."""
        return ROLES.index(self.role) >= ROLES.index(role)
