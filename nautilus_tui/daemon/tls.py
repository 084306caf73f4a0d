"""TLS of the daemon's port: current versions and ciphers, and a key that others cannot read.

This module must not know what is served.
"""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from data.problems import InvalidRequestError

#: What TLS 1.2 may use: keys that are made anew for each connection, and authenticated encryption.
#: TLS 1.3 has nothing weaker.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context for a server with this certificate.

    Raises:
        InvalidRequestError: a file is not there or not readable, others may read the key, or the two
            are no pair.
    """
    _check_key(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except FileNotFoundError as error:
        raise InvalidRequestError(
            f"there is no certificate at {certificate}",
            rule="tls_certificate and tls_key name files in PEM",
            field="tls_certificate",
        ) from error
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise InvalidRequestError(
            f"{certificate} and {key} do not serve: {error}",
            rule="tls_certificate and tls_key are PEM files: a certificate, and its own key without password",
            field="tls_certificate",
        ) from error
    return context


def _check_key(key: Path) -> None:
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise InvalidRequestError(
            f"the key {key} cannot be read: {error.strerror}",
            rule="tls_certificate and tls_key name files in PEM",
            field="tls_key",
        ) from error
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise InvalidRequestError(
            f"the key {key} has mode {stat.S_IMODE(mode):04o}",
            rule="nobody but its owner, and at most its group to read it, gets at a private key",
            fix=f"chmod 600 {key}",
            field="tls_key",
        )


def _no_password() -> str:
    raise ValueError("the key has a password")  # asked for on the terminal otherwise
