"""Credentials that a service manager or a container hands over as files, put where they are looked for.

systemd's ``LoadCredential=`` and a container's secrets are files that only this service can read, in
the folder that $CREDENTIALS_DIRECTORY names. A file called like one of our variables stands for it;
what the environment says already wins. This module must not know what a credential is used for.
"""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping
from pathlib import Path

from data.problems import InvalidRequestError

FOLDER = "CREDENTIALS_DIRECTORY"
#: systemd puts a folder's name before the names of the files in it, when a whole folder is handed over.
_NAME = re.compile(
    r"(?:[a-z-]+_)?(NAUTILUS_TUI_[A-Z][A-Z0-9_]*|FRED_API_KEY|ALPHA_VANTAGE_API_KEY|SEC_USER_AGENT)"
)
_LONGEST = 65_536


def take_credentials(environment: MutableMapping[str, str] | None = None) -> tuple[str, ...]:
    """Put credentials that are handed over as files into the environment; return the variables' names.

    Raises:
        InvalidRequestError: one cannot be read, or is no text. It names the file, never what is in it.
    """
    where = os.environ if environment is None else environment
    folder = where.get(FOLDER)
    if not folder:
        return ()
    taken = []
    for path in sorted(Path(folder).iterdir()) if Path(folder).is_dir() else ():
        name = _NAME.fullmatch(path.name)
        if name is None or where.get(name[1]):
            continue
        try:
            text = path.read_bytes()[:_LONGEST].decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise InvalidRequestError(
                f"the credential {path} cannot be read: {reason}",
                rule=f"a file in ${FOLDER} that is called like a variable holds its value as text",
                fix="look at the file's owner and at what was put into it",
            ) from None
        if text:
            where[name[1]] = text
            taken.append(name[1])
    return tuple(taken)
