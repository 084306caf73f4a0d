"""Room for connections: every one takes a file descriptor, and many systems begin with few.

Daemon and gateway both use it. This module must not know who connects.
"""

from __future__ import annotations

import logging
import resource

#: What a process that serves needs besides its connections: store, journals, engines, libraries.
RESERVE = 512

logger = logging.getLogger(__name__)


def make_room(connections: int) -> int:
    """Raise this process's limit of open files as far as it may go; return how many connections fit.

    Says so in the log when ``connections`` do not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return connections
    if soft < hard and soft < connections + RESERVE:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    room = max(soft - RESERVE, 0)
    if room < connections:
        logger.warning(
            "the limit of open files leaves room for %d connections, %d are allowed",
            room,
            connections,
            extra={"open_files": soft, "max_connections": connections},
        )
    return min(room, connections)
