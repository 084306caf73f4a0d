"""Files that are there whole or not at all, and on the disk when the call returns.

This module must not know what is in a file, or what it means that it cannot be written.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def draft_of(path: Path) -> Path:
    """Return the file beside ``path`` that is written first: no two files of a folder share theirs."""
    return path.with_name(f".{path.name}.draft")


def replace_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put a file in place of the one that is there, its content on the disk before it has the name.

    ``mode`` is its permissions; None: as the process makes files.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is still there.

    """
    draft = draft_of(path)
    try:
        with draft.open("wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file as `replace_whole` does; when this returns its name is on the disk as well."""
    replace_whole(path, content, mode=mode)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
