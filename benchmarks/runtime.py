"""The tree that is measured: what Lambda would see, built from the runtime requirements alone.

    .local/bench/plain/python     the requirements as pip installs them, with bytecode
    .local/bench/opt/python       the same as `make build` ships it: our package too, data trimmed, bytecode unchecked
    .local/bench/task/<action>    a function, with bytecode

The requirements are installed once for each content of requirements.txt; our own code is copied anew each time.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import build, template

BASE = template.ROOT / ".local" / "bench"
PLAIN, OPT, TASK = BASE / "plain", BASE / "opt", BASE / "task"
SHARED = template.ROOT / "layers" / "shared"
PACKAGE = "bloxtr8"
ENVIRONMENT = {  # what Lambda and Globals give every function
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "HOME": "/tmp",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",  # or every process counts other instructions
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    "POWERTOOLS_SERVICE_NAME": "bloxtr8",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
    "STAGE": "local",
    "TABLE_NAME": "bloxtr8-local",
    "CONTRACTS_BUCKET": "bloxtr8-local-contracts",
    "EVIDENCE_BUCKET": "bloxtr8-local-evidence",
    "SECRET_PREFIX": "bloxtr8/local",
    "EVENT_BUS": "bloxtr8-local",
    "STRIPE_API_BASE": "https://stripe.test",
    "DISCORD_API_BASE": "https://discord.test",
    "ROBLOX_API_BASE": "https://roblox.test",
    "ROBLOX_GROUPS_BASE": "https://roblox.test",
    "ROBLOX_GAMES_BASE": "https://roblox.test",
}


def prepare() -> None:
    """Build what is missing or changed."""
    lock = hashlib.sha256((SHARED / "requirements.txt").read_bytes() + Path(build.__file__).read_bytes())
    stamp = BASE / "requirements.sha256"
    if not stamp.exists() or stamp.read_text() != lock.hexdigest():
        stamp.unlink(missing_ok=True)
        _install()
        stamp.write_text(lock.hexdigest())
    _ship()


def actions() -> list[str]:
    """Every function of the template."""
    return sorted(path.parent.name for path in (template.ROOT / "functions").glob("*/app.py"))


def command(*arguments: str) -> list[str]:
    """A fresh interpreter that sees the measured tree and nothing of this one."""
    return [sys.executable, "-S", "-s", *arguments]


def environment(action: str) -> dict[str, str]:
    """The environment of a function."""
    path = [TASK / action, OPT / "python"]
    return ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(map(str, path))}


def _install() -> None:
    for folder in (PLAIN, OPT):
        shutil.rmtree(folder, ignore_errors=True)
    wanted = SHARED / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "--target", PLAIN / "python", "-r", wanted], check=True)
    shutil.copytree(PLAIN, OPT)
    build.trim(OPT / "python")
    build.compile_tree(OPT, "/opt")


def _ship() -> None:
    """Our own code, as it is now."""
    ours = OPT / "python" / PACKAGE
    shutil.rmtree(ours, ignore_errors=True)
    shutil.copytree(SHARED / PACKAGE, ours, ignore=shutil.ignore_patterns("__pycache__"))
    build.compile_tree(ours, f"/opt/python/{PACKAGE}")
    shutil.rmtree(TASK, ignore_errors=True)
    shutil.copytree(template.ROOT / "functions", TASK, ignore=shutil.ignore_patterns("__pycache__"))
    build.compile_tree(TASK, "/var/task")
