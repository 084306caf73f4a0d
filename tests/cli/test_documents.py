"""What the documents promise exists: every command line in them is one, and every file they name is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.driving import CommandLine

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "providers/README.md", "providers/fred/README.md")
LINES = sorted(
    {
        line.partition(" #")[0].partition(" > ")[0].strip()
        for name in DOCUMENTS
        for line in re.findall(r"uv run (nautilus-tui[^`\n&]*)", (ROOT / name).read_text())
    }
)


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_is_understood(cli: CommandLine, line: str) -> None:
    run = cli(*shlex.split(line)[1:], "--help")
    assert run.code == 0, run.err


def test_the_readme_opens_and_tests_with_one_line_each() -> None:
    text = (ROOT / "README.md").read_text()
    assert "pip install uv && uv run nautilus-tui\n" in text
    assert "pip install uv && uv run pytest\n" in text
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("uv run pytest")


def test_every_file_that_is_linked_is_there() -> None:
    for name in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / name).read_text()):
            assert (ROOT / target).exists(), f"{name} links {target}"


def test_the_top_level_is_what_it_should_be() -> None:
    allowed = {
        *("nautilus_tui", "engines", "providers", "risk", "strategies", "data", "tests"),
        *("pyproject.toml", "config.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"),
    }
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split()}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - ignored <= allowed


def test_the_page_about_macro_tells_the_factors_and_rules_as_they_are() -> None:
    from providers.fred import factors, regime, scoring

    page = (ROOT / "providers" / "fred" / "README.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{one.id}` | {one.title} | {one.formula} | {' '.join(one.inputs)} |" for one in factors.FACTORS
    ]
    said = " ".join(page.split())
    assert " ".join(regime.RULE.split()) in said
    assert " ".join(scoring.RULE.split()) in said


@pytest.mark.parametrize("name", ["cli/macro.py", "terminal/macro_lines.py", "terminal/statements.py"])
def test_a_factor_that_is_named_as_an_example_is_one(name: str) -> None:
    from providers.fred.factors import FACTORS

    named = set(re.findall(r"\bslope_\w+", (ROOT / "nautilus_tui" / name).read_text()))
    assert named
    assert named <= {factor.id for factor in FACTORS}
