"""The client as a package: what it offers is there and described, and it loads and prints nothing else."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from nautilus_tui import client

ROOT = Path(client.__file__).parent


@pytest.mark.parametrize("name", client.__all__)
def test_what_is_offered_is_there_and_described(name: str) -> None:
    offered = getattr(client, name)
    if isinstance(offered, type):
        assert (inspect.getdoc(offered) or "").strip()
        methods = [
            one
            for key, one in vars(offered).items()
            if inspect.isfunction(one)
            and not key.startswith("_")
            and one.__module__.startswith("nautilus_tui")
        ]
        assert not [one.__qualname__ for one in methods if not (one.__doc__ or "").strip()]


def test_everything_that_is_offered_has_a_room() -> None:
    assert sorted(client.__all__) == sorted(client._HOMES)
    assert set(client.__all__) <= set(dir(client))
    with pytest.raises(AttributeError):
        _ = client.nothing


def test_using_it_loads_neither_terminal_nor_engines_nor_store() -> None:
    code = (
        "import sys\nfrom nautilus_tui import client\n"
        "for name in client.__all__:\n    getattr(client, name)\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "loaded &= {'textual', 'typer', 'nautilus_trader', 'engines', 'risk', 'duckdb', 'litestar',"
        " 'uvicorn', 'redis', 'numpy', 'polars', 'pyarrow'}\n"
        "assert not loaded, loaded\n"
        "inside = {name for name in sys.modules if name.startswith('nautilus_tui.')}\n"
        "assert all(name.startswith('nautilus_tui.client') for name in inside), inside\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_nothing_in_it_prints_or_configures_logging() -> None:
    calls = [
        f"{file.name}:{node.lineno}"
        for file in ROOT.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "print")
            or (isinstance(node.func, ast.Attribute) and node.func.attr in ("basicConfig", "addHandler"))
        )
    ]
    assert calls == []
