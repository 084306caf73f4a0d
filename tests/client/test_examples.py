"""Every program in the client's README runs against a real daemon and prints what is said there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import nautilus_tui.client
from tests.client.conftest import Far

REPO = Path(__file__).parents[2]
README = Path(nautilus_tui.client.__file__).with_name("README.md")
_PROGRAM = re.compile(r"<!-- (\w+\.py) -->\n```python\n(.*?)```\n(.*?)(?=\n<!-- |\n#|\Z)", re.S)
_PRINTED = re.compile(r"```text\n(.*?)```", re.S)


def programs() -> dict[str, tuple[str, list[str]]]:
    """Return each program's text and what it is said to print, run by run."""
    return {name: (code, _PRINTED.findall(rest)) for name, code, rest in _PROGRAM.findall(README.read_text())}


def test_every_program_is_found_and_says_what_it_prints() -> None:
    text = README.read_text()
    assert len(programs()) == text.count("```python") == 9
    assert all(printed for _, printed in programs().values())


def fits(printed: str, said: str) -> bool:
    """Compare output with what is said of it, in which an ellipsis stands for anything but a new line."""
    lines = [".*".join(map(re.escape, line.split("…"))) for line in said.splitlines()]
    return (
        re.fullmatch("\n".join(lines), "\n".join(line.rstrip() for line in printed.splitlines())) is not None
    )


@contextmanager
def running(name: str, folder: Path, far: Far, **more: str) -> Iterator[subprocess.Popen[str]]:
    file = folder / name
    file.write_text(programs()[name][0])
    token = far.cli("token", "create", f"{name}-{folder.name}", "--role", "viewer").out.strip()
    environment = {
        **os.environ,
        "NAUTILUS_TUI_HOME": str(far.cli.home.root),
        "NAUTILUS_TUI_URL": far.url,
        "NAUTILUS_TUI_GATEWAYS": f"https://127.0.0.1:1,{far.url}",
        "NAUTILUS_TUI_TOKEN": token,
        "SSL_CERT_FILE": str(far.authority),
        **more,
    }
    with subprocess.Popen(
        [sys.executable, str(file)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


@pytest.mark.parametrize("name", [name for name in programs() if name != "resume.py"])
def test_a_program_prints_what_is_said(name: str, tmp_path: Path, far: Far) -> None:
    with running(name, tmp_path, far) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    (said,) = programs()[name][1]
    assert fits(out, said), f"printed:\n{out}\nsaid:\n{said}"


def buy(far: Far, *quantities: int) -> None:
    for quantity in quantities:
        run = far.cli("order", "buy", "AAPL.SIM", str(quantity), "--wait")
        assert run.code == 0, run.err


def test_a_program_reads_on_where_it_stopped(tmp_path: Path, far: Far) -> None:
    first, second = programs()["resume.py"][1]
    position = {"POSITION_FILE": str(tmp_path / "position.json")}
    with running("resume.py", tmp_path, far, **position) as process:
        assert process.stdout is not None
        begun = process.stdout.readline()
        buy(far, 1, 2)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert fits(begun + out, first), begun + out
    buy(far, 3, 4)
    with running("resume.py", tmp_path, far, **position) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert fits(out, second), out


def test_a_certificate_that_is_not_known_is_told_with_what_to_do(tmp_path: Path, far: Far) -> None:
    with running("remote.py", tmp_path, far, SSL_CERT_FILE="") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "is not trusted: self-signed certificate - if you know it, name its authority's file" in out


def test_the_programs_are_typed(tmp_path: Path) -> None:
    """Checked as strictly as ourselves, with what was learnt of our own modules then; one is wrong."""
    for name, (code, _) in programs().items():
        (tmp_path / name).write_text(code)
    (tmp_path / "wrong.py").write_text("from nautilus_tui.client import ApiClient\n\nApiClient(5).health()\n")
    command = [sys.executable, "-m", "mypy", *map(str, tmp_path.glob("*.py"))]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert all("wrong.py:3: error: " in line for line in errors), done.stdout
    assert 'incompatible type "int"; expected "Address"' in done.stdout
    for package in ("nautilus_tui", "data"):
        assert (REPO / package / "py.typed").exists()
