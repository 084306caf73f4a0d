"""What can go wrong between a client and the daemon, beyond what the daemon itself answers."""

from __future__ import annotations

import os
from pathlib import Path

from data.problems import ProblemError


class NotReachableError(ProblemError):
    """No daemon answered; nothing was sent."""

    type, title, status = "not-reachable", "Daemon not reachable", 503


class NotTrustedError(NotReachableError):
    """Whoever answers cannot prove to be the one that was meant; nothing was sent."""

    type, title, status = "not-trusted", "Certificate not trusted", 503


class WireError(ProblemError):
    """The daemon answered something that is not our protocol: another version, or another program."""

    type, title, status = "bad-answer", "Answer not understood", 502


def of_tls(where: object, error: BaseException) -> NotReachableError | None:
    """Return the problem of a connection whose encryption failed; None if that is not why it failed."""
    import ssl

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return None
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return NotReachableError(
            f"{where} does not speak TLS as it should ({cause.reason or cause})",
            rule="https:// and wss:// are for daemons with a certificate",
            fix="check the port, and that the daemon was given tls_certificate and tls_key",
        )
    file = os.environ.get("SSL_CERT_FILE")
    if file and not Path(file).is_file():
        fix = f"SSL_CERT_FILE names {file}, which is not there"
    elif "ostname mismatch" in cause.verify_message or "IP address mismatch" in cause.verify_message:
        fix = "use the name that the certificate is for, or make one that has this name"
    elif "expired" in cause.verify_message:
        fix = "renew the daemon's certificate"
    else:
        fix = "if you know it, name its authority's file: SSL_CERT_FILE=/path/to/ca.pem"
    return NotTrustedError(
        f"the certificate of {where} is not trusted: {cause.verify_message.rstrip('.')}",
        rule="a daemon beyond this machine proves who it is before it is sent a token",
        fix=fix,
    )
