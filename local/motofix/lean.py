"""Importing the state machine interpreter without AWS Batch.

Moto's interpreter imports Batch, and with it all of EC2, for the names of two job states: a second of CPU in every
process.
"""

import contextlib
import sys
import types
from collections.abc import Iterator

_BATCH = ("moto.batch", "moto.batch.utils")


@contextlib.contextmanager
def without_batch() -> Iterator[None]:
    """What is imported meanwhile gets a Batch of those names alone; whoever imports Batch later gets the real one."""
    if any(name in sys.modules for name in _BATCH):
        yield
        return
    batch, utils = (types.ModuleType(name) for name in _BATCH)
    batch.__path__ = []
    utils.JobStatus = types.SimpleNamespace(SUCCEEDED="SUCCEEDED", FAILED="FAILED")  # type: ignore[attr-defined]
    sys.modules.update(zip(_BATCH, (batch, utils), strict=True))
    try:
        yield
    finally:
        for name in _BATCH:
            del sys.modules[name]
