"""The program's commands as they stand in its table, and ways to call each with one wrong argument.

A new command is in here by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from nautilus_tui.cli.commands import COMMANDS, command

#: What people and scripts come to give as an argument without meaning it.
HOSTILE = {
    "empty": "",
    "blank": "  ",
    "not ASCII": "ü€",
    "overlong": "x" * 5000,
    "control characters": "a\x1b[2J\x07b\nc",
    "an option": "--frobnicate",
    "two dashes": "--",
    "not UTF-8": os.fsdecode(b"a\xff"),
}


def leaves() -> dict[str, Any]:
    """Return every command by its words."""
    return {" ".join(words): one for name in COMMANDS for words, one in _below((name,), command(name))}


def _below(words: tuple[str, ...], found: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(found, "commands", {})
    for name in inner:
        yield from _below((*words, name), inner[name])
    if not inner or found.invoke_without_command:
        yield words, found


def calls(words: str, found: Any, text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield a parameter and a call in which it alone is ``text``, for every one that takes a value."""
    for wrong in found.params:
        if getattr(wrong, "is_flag", False) or wrong.name == "help":
            continue
        options: list[str] = []
        arguments: list[str] = []
        for one in found.params:
            if one is not wrong and not one.required:
                continue
            value = text if one is wrong else _fitting(one)
            if one.opts[0].startswith("--"):
                options.append(f"{one.opts[0]}={value}")
            else:
                arguments.append(value)
        ended = ["--"] if "--" in arguments else []  # else it would itself be what ends the options
        yield wrong.name, [*words.split(), *options, *ended, *arguments]


def _fitting(parameter: Any) -> str:
    """Return a value that a parameter may take."""
    choices = parameter.type_descriptor.choices
    return str(choices[0]) if choices else "1"
