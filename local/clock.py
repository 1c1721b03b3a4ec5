"""The clock of the local platform: real time plus an offset that anybody may move (`PUT {local}/_local/clock`)."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path


class Clock:
    """Call it for the present, an aware UTC datetime. The offset is kept in a file, which other processes follow."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._offset = dt.timedelta()
        self._followers: list[Callable[[dt.datetime], None]] = []
        self.move_to(0)

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self._offset

    @property
    def offset_seconds(self) -> float:
        """How far this clock is ahead of the real one."""
        return self._offset.total_seconds()

    def move_to(self, offset_seconds: float) -> None:
        """Be `offset_seconds` ahead of real time (negative: behind). Raises OverflowError beyond all dates."""
        offset = dt.timedelta(seconds=offset_seconds)
        dt.datetime.now(dt.UTC) + offset  # refused before anybody sees it
        self._offset = offset
        new = self.file.with_suffix(".new")
        new.write_text(str(offset_seconds))
        new.replace(self.file)  # nobody reads half a number
        for follower in self._followers:
            follower(self())

    def tell(self, follower: Callable[[dt.datetime], None]) -> None:
        """Call `follower` with the present whenever the clock was moved: it has a clock of its own."""
        self._followers.append(follower)

    def advance(self, **by: float) -> None:
        """Move on, in timedelta's words: `advance(hours=73)`."""
        self.move_to(self.offset_seconds + dt.timedelta(**by).total_seconds())
