"""Bad luck on demand: which of the next requests goes wrong, and how."""

import re
import threading
from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("drop_before", "drop_after", "500_after", "409", "429", "503", "slow")


@dataclass(slots=True)
class Fault:
    """`path` is a regular expression searched in the request's path; `seconds` is for `slow` alone."""

    kind: str
    method: str = "post"
    path: str = ""
    times: int = 1
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        re.compile(self.path)


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
                if fault.times > 0 and fault.method.lower() in (method.lower(), "any") and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None

    def view(self) -> list[dict[str, Any]]:
        """The faults that have not run out."""
        with self._lock:
            return [asdict(fault) for fault in self._planned if fault.times > 0]
