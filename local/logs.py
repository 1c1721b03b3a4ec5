"""What functions print goes to .local/logs/<function>.log, never to the terminal."""

import io
import logging
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from local.invocation import current

EMULATORS = ("moto", "samcli", "samtranslator", "werkzeug", "local")  # loggers of what stands in for AWS


class Logs:
    """One file a function, opened when it first writes. While installed, sys.stdout and sys.stderr lead here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, TextIO] = {}
        self._lock = threading.Lock()
        self._before: tuple[TextIO, TextIO] | None = None
        self._handler = logging.FileHandler(folder / "emulators.log", delay=True)
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))

    def path(self, action: str) -> Path:
        """Where a function's log lies."""
        return self.folder / f"{action}.log"

    def write(self, action: str, text: str) -> None:
        """Append to a function's log at once."""
        with self._lock:
            if action not in self._files:
                self._files[action] = self.path(action).open("a", encoding="utf-8")
            self._files[action].write(text)
            self._files[action].flush()

    def install(self) -> None:
        """Lead standard output to the log of the function that prints, and the emulators' logging to a file."""
        self._before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Stream(self, sys.stdout), _Stream(self, sys.stderr)
        for name in EMULATORS:
            logger = logging.getLogger(name)
            logger.addHandler(self._handler)
            logger.propagate = False

    def adopt_loggers(self) -> None:
        """Loggers made before `install` print where standard output led then: let them follow."""
        for logger in list(logging.root.manager.loggerDict.values()):
            for handler in getattr(logger, "handlers", []):
                if type(handler) is logging.StreamHandler and not isinstance(handler.stream, _Stream):
                    handler.setStream(sys.stdout)

    def uninstall(self) -> None:
        """Put standard output back and close the files."""
        if self._before:
            sys.stdout, sys.stderr = self._before
            self._before = None
        for name in EMULATORS:
            logging.getLogger(name).removeHandler(self._handler)
        self._handler.close()
        for file in self._files.values():
            file.close()
        self._files.clear()


class _Stream(io.TextIOBase):
    """Standard output that asks, at each write, whose it is."""

    def __init__(self, logs: Logs, terminal: Any) -> None:
        self._logs, self._terminal = logs, terminal

    def write(self, text: str) -> int:
        invocation = current()
        if invocation is None:
            self._terminal.write(text)
        else:
            self._logs.write(invocation.function.action, text)
        return len(text)

    def flush(self) -> None:
        self._terminal.flush()

    def isatty(self) -> bool:
        return bool(self._terminal.isatty())

    def fileno(self) -> int:
        return int(self._terminal.fileno())

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return str(self._terminal.encoding)
