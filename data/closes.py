"""Closing prices as statistics take them: floats by time, without the records around them.

This module must not know where prices are stored or what is made of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]


class Closes(NamedTuple):
    """Closing prices of one instrument's closed bars, by the start of each bar (ns UTC), in order."""

    times: Ints
    values: Floats
    synthetic: bool = False
