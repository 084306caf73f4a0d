"""No error goes out, from a daemon or a gateway, without the rule that was broken and what would fix it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import data
import nautilus_tui.client
import nautilus_tui.daemon
import nautilus_tui.gateway
import nautilus_tui.relay
from data.problems import ProblemDocument, ProblemError
from nautilus_tui.daemon import remedies

PACKAGES = (data, nautilus_tui.client, nautilus_tui.daemon, nautilus_tui.gateway, nautilus_tui.relay)


def kinds(of: type[ProblemError]) -> Iterator[type[ProblemError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def every_kind() -> list[type[ProblemError]]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return sorted(set(kinds(ProblemError)), key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_an_error_of_any_kind_goes_out_whole(kind: type[ProblemError]) -> None:
    assert kind.status in remedies.REMEDIES, "its status has no rule and no fix of its own"
    error = ProblemError("what was wrong")
    said = ProblemDocument(type=kind.type, title=kind.title, status=kind.status, detail=error.detail)
    whole = remedies.remedied(said)
    assert (whole.type, whole.title, whole.detail) == (kind.type, kind.title, "what was wrong")
    assert whole.rule
    assert whole.fix


def test_what_is_known_better_where_it_was_made_stays() -> None:
    document = ProblemError("no", rule="its own rule", fix="its own fix", value="x").document()
    whole = remedies.remedied(document)
    assert (whole.rule, whole.fix, whole.extra) == ("its own rule", "its own fix", {"value": "x"})


def test_a_whole_document_cannot_be_made_without_either() -> None:
    with pytest.raises(TypeError, match="rule"):
        remedies.Remedied(type="x", title="x", status=400, detail="x", fix="x")  # type: ignore[call-arg]  # that is the test
    with pytest.raises(TypeError, match="fix"):
        remedies.Remedied(type="x", title="x", status=400, detail="x", rule="x")  # type: ignore[call-arg]  # that is the test


def test_there_is_one_place_by_which_errors_go_out() -> None:
    own = Path(remedies.__file__)
    sources = [
        path
        for package in (nautilus_tui.daemon, nautilus_tui.gateway, nautilus_tui.relay)
        for path in Path(package.__path__[0]).rglob("*.py")
    ]
    assert own in sources
    told = [
        f"{path.name}:{node.lineno}"
        for path in sources
        if path != own
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in (remedies.PROBLEM, remedies.PROBLEM.encode())
    ]
    assert not told, "the media type of problems is written there: answer with remedies.body_of"
