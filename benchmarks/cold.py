"""Fresh processes: what the import and the first call of every function take, against a plain Powertools function."""

import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import runtime
from benchmarks.record import Recording

PLAIN, PLAIN_TRIMMED, NOTHING = "(plain)", "(plain, in our tree)", "(nothing)"
ON_CHAIN = " on chain"  # ends the name of a function's second call, where it works by card and on chain
PROBE = Path(__file__).with_name("probe.py")
TIMEOUT_SECONDS = 300
PLAIN_TIMES = 5  # a round


@dataclass
class Cost:
    """What one function took in each of its fresh processes: CPU milliseconds, and instructions where counted."""

    imports: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    instructions: int = 0
    heavy: list[str] = field(default_factory=list)

    @property
    def cold_ms(self) -> float:
        """Import and first call: the median of its processes."""
        return statistics.median(a + b for a, b in zip(self.imports, self.firsts, strict=True))


class Bench:
    """Runs the probe over a recording."""

    def __init__(self, recording: Recording) -> None:
        chain = {f"{action}{ON_CHAIN}": call for action, call in recording.on_chain().items()}
        self.calls = recording.firsts() | chain
        self._kept, self._chain = recording.kept(), recording.chain

    def probe(self, name: str, *, warm: bool = False, tool: Iterable[str] = ()) -> dict[str, Any]:
        """One fresh process of a function, or of a reference by its name in parentheses."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self._script(name, warm=warm), file)
            file.flush()
            done = subprocess.run(
                [*tool, *runtime.command(str(PROBE), file.name)],
                env=self._environment(name),
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if (told.get("status") or 200) >= 400:
            raise RuntimeError(f"{name} refused: {done.stdout[-2000:]}")
        return told | {"said": done.stderr}

    def costs(self, names: Iterable[str], rounds: int, tell: Any) -> dict[str, Cost]:
        """CPU time of all, in shuffled rounds, so that a busy minute hits everybody alike; the plain function several
        times a round, since each ratio has it below."""
        costs = {name: Cost() for name in names}
        for number in range(rounds):
            order = [*costs, *[PLAIN] * (PLAIN_TIMES - 1)]
            for name in random.sample(order, len(order)):
                told, cost = self.probe(name), costs[name]
                cost.imports.append(told["import"])
                cost.firsts.append(told["first"])
                cost.heavy = told["heavy"]
            tell(f"cold: round {number + 1} of {rounds}")
        return costs

    def count(self, costs: dict[str, Cost], names: Iterable[str], tell: Any) -> bool:
        """Instructions of some, by valgrind; those of an interpreter that imports nothing are taken off."""
        valgrind = shutil.which("valgrind")
        if valgrind is None:
            return False
        tool = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        floor = _collected(self.probe(NOTHING, tool=tool)["said"])
        for name in names:
            costs[name].instructions = _collected(self.probe(name, tool=tool)["said"]) - floor
            tell(f"instructions: {name} {costs[name].instructions / 1e6:.0f} M")
        return True

    def _script(self, name: str, *, warm: bool) -> dict[str, Any]:
        call = self.calls["make_offer" if name.startswith("(") else name]
        return {
            "module": "" if name == NOTHING else "app",
            "event": call.event,
            "now": call.now,
            "exchanges": [asdict(it) for it in call.exchanges],
            "kept": [asdict(it) for it in self._kept],
            "warm": warm,
        }

    def _environment(self, name: str) -> dict[str, str]:
        if not name.startswith("("):
            return runtime.environment(self.calls[name].action) | self._chain
        asked = {it.operation: it.asked for it in self.calls["make_offer"].exchanges}
        tree = runtime.OPT if name == PLAIN_TRIMMED else runtime.PLAIN
        path = [Path(__file__).with_name("plain"), tree / "python"]
        return runtime.ENVIRONMENT | {
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PLAIN_ASKED": json.dumps(asked),
        }


def _collected(said: str) -> int:
    """`==123== Collected : 962000000`."""
    return next(int(line.rpartition(":")[2]) for line in said.splitlines() if "Collected" in line)
