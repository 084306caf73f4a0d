"""A certificate that is its own authority, as somebody at home makes one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = shutil.which("openssl")

needs_openssl = pytest.mark.skipif(PROGRAM is None, reason="openssl makes the certificate")


def make_certificate(
    folder: Path, name: str = "IP:127.0.0.1", *, subject: str = "nautilus", password: str = ""
) -> tuple[Path, Path]:
    """Return the files of a new certificate and of its key, over those of the one before.

    Skips the test where there is no openssl.
    """
    if PROGRAM is None:
        pytest.skip("openssl makes the certificate")
    folder.mkdir(exist_ok=True)
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *(PROGRAM, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *(("-passout", f"pass:{password}") if password else ("-nodes",)),
            *("-days", "2", "-subj", f"/CN={subject}", "-addext", f"subjectAltName={name}"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    return cert, key
