"""`python -m onchain.forge test`: forge, and nothing of it from the network; everything it needs is in node_modules."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.chain.node import ROOT, program

LIMIT_SECONDS = 900


def forge(*args: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`forge *args` in the repository with onchain/foundry.toml; `settings` are its environment variables."""
    environment = os.environ | {"FOUNDRY_CONFIG": str(ROOT / "onchain" / "foundry.toml")} | settings
    return subprocess.run(
        [program("forge"), *args],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def compile_each(folders: Sequence[Path]) -> None:
    """Write artifact.json beside the contracts in each folder. Raises CalledProcessError for what does not compile."""
    build = ["node", "onchain/build.mjs", *map(str, folders)]
    subprocess.run(build, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=LIMIT_SECONDS, check=True)


if __name__ == "__main__":
    answer = forge(*sys.argv[1:])
    print(answer.stdout)
    sys.exit(answer.returncode)
