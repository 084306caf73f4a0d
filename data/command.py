"""What every command declares of itself: who may send it, how dangerous it is, what it is called.

It is declared once; the palette, the ``:`` line, help, the CLI and the OpenAPI text are all made from
it. This module must not know which commands there are.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from data.access import Role


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command"):
    """Base of all commands. The tag is the command's public name."""

    role: ClassVar[Role] = "trader"
    dangerous: ClassVar[bool] = False
    title: ClassVar[str] = ""
    #: While somebody holds the order authority only its holder may send this: it can add risk, or rests
    #: beside the holder's own orders. What only takes risk away never needs it.
    needs_authority: ClassVar[bool] = False
    #: What it does depends on who sends it: under the id of somebody else's it is another command.
    of_sender: ClassVar[bool] = False
