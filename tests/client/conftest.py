"""A daemon as other machines see it: with a certificate, a token, and a paper engine that trades."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from data.paths import Home
from tests.cli.driving import CommandLine, running_daemon
from tests.client.certificate import make_certificate


@dataclass(frozen=True)
class Far:
    """A daemon with a certificate: how its own machine asks it, and what others know of it."""

    cli: CommandLine
    url: str
    authority: Path  #: the certificate that others have to believe


@pytest.fixture(scope="package")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    folder = tmp_path_factory.mktemp("far")
    cert, key = make_certificate(folder)
    home = Home(folder / "home").ensure()
    home.config_file.write_text(
        f'[daemon]\ntls_certificate = "{cert}"\ntls_key = "{key}"\n'
        '[simulator]\nrate = "200"\nhistory_minutes = 120\n'
    )
    with running_daemon(home) as cli:
        started = cli("--json", "engine", "start", "paper-1", "--wait")
        assert started.code == 0, started.err + started.out
        assert cli.url is not None
        yield Far(cli, cli.url, cert)
    if home.sockets != home.run:
        shutil.rmtree(home.sockets, ignore_errors=True)
