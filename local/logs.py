"""What functions print goes to .local/logs/<function>.log, never to the terminal."""

import logging
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from local.invocation import current

EMULATORS = ("moto", "samcli", "samtranslator", "werkzeug", "local")  # loggers of what stands in for AWS


class Logs:
    """One new file a function, opened when it first writes. While installed, sys.stdout and sys.stderr lead here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.log"):
            old.unlink()
        self._files: dict[str, TextIO] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._handler = logging.FileHandler(folder / "emulators.log", delay=True)
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))

    def path(self, action: str) -> Path:
        """Where a function's log lies."""
        return self.folder / f"{action}.log"

    def write(self, action: str, text: str) -> None:
        """Append to a function's log at once."""
        with self._lock:
            if self._closed:
                return
            if action not in self._files:
                self._files[action] = self.path(action).open("a", encoding="utf-8")
            self._files[action].write(text)
            self._files[action].flush()

    def install(self) -> None:
        """Lead the emulators' logging to a file, and standard output to whoever prints."""
        self.follow()
        for name in EMULATORS:
            logger = logging.getLogger(name)
            logger.addHandler(self._handler)
            logger.propagate = False

    def follow(self) -> None:
        """Lead standard output to the log of the function that prints; asked again, as others lead it elsewhere."""
        if not isinstance(sys.stdout, _Stream):
            sys.stdout = _Stream(self, sys.stdout)
        if not isinstance(sys.stderr, _Stream):
            sys.stderr = _Stream(self, sys.stderr)

    def adopt_loggers(self) -> None:
        """Loggers made before `install` print where standard output led then: let them follow."""
        for handler in _handlers():
            handler.stream = sys.stdout

    def uninstall(self) -> None:
        """Put standard output back and close the files."""
        if isinstance(sys.stdout, _Stream):
            sys.stdout = sys.stdout.terminal
        if isinstance(sys.stderr, _Stream):
            sys.stderr = sys.stderr.terminal
        for handler in _handlers():
            if isinstance(handler.stream, _Stream):
                handler.stream = sys.stdout
        for name in EMULATORS:
            logging.getLogger(name).removeHandler(self._handler)
            logging.getLogger(name).propagate = True
        self._handler.close()
        with self._lock:
            self._closed = True
            for file in self._files.values():
                file.close()
            self._files.clear()


def _handlers() -> list[logging.StreamHandler[Any]]:
    """Handlers of loggers that print to standard output, as Powertools' do."""
    loggers = list(logging.root.manager.loggerDict.values())
    handlers = [handler for logger in loggers for handler in getattr(logger, "handlers", [])]
    return [handler for handler in handlers if type(handler) is logging.StreamHandler]


class _Stream:
    """Standard output that asks, at each write, whose it is."""

    def __init__(self, logs: Logs, terminal: Any) -> None:
        self._logs, self.terminal = logs, terminal

    def __getattr__(self, name: str) -> Any:
        return getattr(self.terminal, name)

    def write(self, text: str) -> int:
        """Write for the function that runs in this thread, or to the terminal."""
        invocation = current()
        if invocation is None:
            self.terminal.write(text)
        else:
            self._logs.write(invocation.function.action, text)
        return len(text)
