"""Bad luck on demand: which of the next requests goes wrong, and how."""

import re
import threading
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_DELAY_SECONDS = 120.0
_FIELDS: dict[str, tuple[type, ...]] = {
    "path": (str,),
    "method": (str,),
    "kind": (str,),
    "times": (int, type(None)),
    "seconds": (int, float),
    "status": (int,),
    "drop": (bool,),
    "afterCommit": (bool,),
    "delaySeconds": (int, float),
}
KINDS: dict[str, dict[str, Any]] = {
    "drop_before": {"drop": True},
    "drop_after": {"drop": True, "after_commit": True},
    "500_after": {"status": 500, "after_commit": True},
    "409": {"status": 409},
    "429": {"status": 429},
    "503": {"status": 503},
    "slow": {"delay_seconds": 1.0},
}


@dataclass(slots=True)
class Fault:
    """What happens to requests of a method (`any`: all) whose path the regular expression finds.

    It waits; then the request is executed if `after_commit`, or if nothing but a delay was asked for; then the
    connection is dropped or `status` is answered. `times` None: until cleared.
    """

    path: str = ""
    method: str = "post"
    times: int | None = 1
    status: int | None = None
    drop: bool = False
    after_commit: bool = False
    delay_seconds: float = 0.0

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
        except re.PatternError as error:
            raise ValueError(f"path is no regular expression: {error}") from None
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or null")
        if not 0 <= self.delay_seconds <= LONGEST_DELAY_SECONDS:
            raise ValueError(f"a delay is 0 to {LONGEST_DELAY_SECONDS} seconds")
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError("status is 400 to 599")

    @property
    def commits(self) -> bool:
        """Whether the request is executed all the same."""
        return self.after_commit or not (self.drop or self.status)

    @property
    def name(self) -> str:
        """`drop_after`, `503`, `slow`: for the log of calls."""
        what = "drop" if self.drop else str(self.status or "slow")
        suffix = "_after" if self.after_commit else "_before" if self.drop else ""
        return what + suffix


def of_kind(kind: str, method: str, path: str, times: int | None, seconds: float | None) -> Fault:
    """A fault by its short name. Raises ValueError for one that does not exist."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    what = KINDS[kind] | ({"delay_seconds": seconds} if seconds is not None else {})
    return Fault(path, method, times, **what)


def of_json(told: dict[str, Any]) -> Fault:
    """A fault as the control surface is told it: by `kind`, or by `status`, `drop`, `afterCommit`, `delaySeconds`.

    Raises ValueError for fields that do not exist or have another type.
    """
    for name, value in told.items():
        if name not in _FIELDS or not isinstance(value, _FIELDS[name]):
            raise ValueError(f"unknown or mistyped: {name}")
    path, times = told.get("path", ""), told.get("times", 1)
    if "kind" in told:
        return of_kind(told["kind"], told.get("method", "post"), path, times, told.get("seconds"))
    return Fault(
        path,
        told.get("method", "any"),
        times,
        status=told.get("status"),
        drop=told.get("drop", False),
        after_commit=told.get("afterCommit", False),
        delay_seconds=told.get("delaySeconds", 0.0),
    )


class Faults:
    """The planned faults, first planned first used."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request runs into, counted down; None where it may pass."""
        with self._lock:
            for fault in self._planned:
                if fault.method.lower() in (method.lower(), "any") and re.search(fault.path, path):
                    if fault.times is not None:
                        fault.times -= 1
                        if not fault.times:
                            self._planned.remove(fault)
                    return fault
        return None

    def view(self) -> list[dict[str, Any]]:
        """The faults that have not run out."""
        with self._lock:
            return [asdict(fault) for fault in self._planned]
