"""Anvil, of npm's package: a real EVM on loopback that ends with the process that started it."""

import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHAIN_ID = 31337
SLOTS_IN_EPOCH = 2  # so `safe` is 2 blocks behind `latest`, and `finalized` 4
_CPUS = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_LAUNCHER = ROOT / "local" / "launcher.py"
_PATIENCE_SECONDS = 30.0
_LISTENING = "Listening on "


class Anvil:
    """A running node; `url` is its JSON-RPC. It mines a block for each transaction, at once.

    `log` gets what it prints, the methods it was asked for; without it that goes to a file that is removed at the end.
    `timestamp` is the unix time of its first block (None: the present); `chain_id` the chain that it says it is.
    """

    def __init__(
        self, log: Path | None = None, *, port: int = 0, timestamp: int | None = None, chain_id: int = CHAIN_ID
    ) -> None:
        self._output = log.open("w+b") if log else tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        options = {"host": "127.0.0.1", "port": port, "chain-id": chain_id, "slots-in-an-epoch": SLOTS_IN_EPOCH}
        if timestamp is not None:
            options["timestamp"] = timestamp
        command = [program(), *(f"--{name}={value}" for name, value in options.items()), "--auto-impersonate"]
        if sys.platform.startswith("linux"):
            command = [sys.executable, "-IS", str(_LAUNCHER), "with-parent", *command]
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="anvil")  # a child dies with the *thread* that made it
        self._process = self._starter.submit(self._start, command).result()
        self._url = ""

    @property
    def url(self) -> str:
        """Where it listens. Waits until it does; raises RuntimeError with its output where it never will."""
        if not self._url:
            self._url = self._wait()
        return self._url

    def close(self) -> None:
        """End it, and everything on it."""
        self._process.kill()
        self._process.wait()
        self._starter.shutdown()
        self._output.close()

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT)

    def _wait(self) -> str:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < ends:
            said = self._said()
            if _LISTENING in said:
                return "http://" + said.split(_LISTENING, 1)[1].split()[0]
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        said = self._said()
        self.close()
        raise RuntimeError(f"Anvil did not start: {said.strip() or 'no word from it'}")

    def _said(self) -> str:
        self._output.seek(0)
        text = self._output.read().decode(errors="replace")
        return text[: text.rfind("\n") + 1] if self._process.poll() is None else text


def program(name: str = "anvil") -> str:
    """The path of Anvil or forge itself: npm's wrapper is one process more, and says that every run succeeded.

    Raises RuntimeError before `make setup`.
    """
    package = f"{name}-{sys.platform}-{_CPUS.get(platform.machine(), platform.machine())}"
    path = ROOT / "node_modules" / "@foundry-rs" / package / "bin" / name
    if not path.exists():
        raise RuntimeError(f"{path} is missing: `make setup` installs Node's packages")
    return str(path)
