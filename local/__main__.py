"""`make local`: start the platform, print its addresses, and wait for Ctrl-C."""

import argparse
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
_ABOUT = {
    "api": "the API: /health, /docs",
    "local": "overview and clock: /_local",
    "lambda": "Lambda's Invoke API",
    "aws": "the emulated AWS",
    "stripe": "a double: /_double/…",
    "discord": "a double: /_double/…",
    "roblox": "a double: /_double/…",
    "rpc": "the chain, Anvil: /_local/chain",
    "chainId": "the chain's id",
    "usdc": "Circle's USDC on it",
    "escrowContract": "our Escrow on it",
    "table": "the DynamoDB table",
    "contractsBucket": "the signed contracts",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the API; a free one unless given")
    parser.add_argument("--processes", action="store_true", help="every function in AWS's runtime interface emulator")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml")
    parser.add_argument("--folder", type=Path, default=ROOT / ".local", help="of stack.json and the logs")
    options = parser.parse_args(arguments)
    ended = threading.Event()
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set() if not ended.is_set() else os._exit(1))
    started = time.monotonic()
    gc.disable()  # half a second less: what is imported now stays
    with console.status("Starting the platform …"):
        from local.stack import Stack  # seconds of imports: after the first sign of life

        stack = Stack(options.template, folder=options.folder, port=options.port, processes=options.processes).start()
    gc.enable()
    gc.freeze()
    try:
        console.print(_addresses(stack.addresses))
        seconds = time.monotonic() - started
        console.print(f"Up in {seconds:.1f} s. Logs: {stack.logs.folder}. Ctrl-C stops all of it.")
        ended.wait()
    finally:
        stack.stop()
    console.print("Stopped.")
    return 0


def _addresses(addresses: dict[str, str]) -> Table:
    table = Table(title="The platform on this machine", title_justify="left")
    for heading in ("", "address", "what it is"):
        table.add_column(heading, overflow="fold")
    for name, about in _ABOUT.items():
        if name in addresses:
            table.add_row(name, addresses[name], about)
    return table


if __name__ == "__main__":
    sys.exit(main())
