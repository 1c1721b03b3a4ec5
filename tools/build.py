"""make build: `sam build` for arm64 without a container, then what it leaves out (architecture.md, Speed).

The layer loses the service descriptions nobody calls and the texts of the others, layer and functions get their
bytecode (unchecked: nothing changes after the build), and the result is checked: no module without bytecode, no machine
code of another processor, a size that Lambda takes.
"""

import compileall
import gzip
import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import template

BUILT = template.ROOT / ".aws-sam" / "build"
SERVICES = frozenset({"dynamodb", "events", "kms", "lambda", "s3", "stepfunctions"})
ENDPOINTS = SERVICES - {"stepfunctions"} | {"states"}  # the names that endpoints go by
LIMIT_BYTES = 250 * 1024 * 1024  # Lambda's, for a function and its layers, unpacked
RUNTIME_FILES = {"requirements.in", "requirements.txt"}


def trim(packages: Path) -> None:
    """Drop what botocore reads before it opens a client and we never need: other services, and the documentation."""
    data = packages / "botocore" / "data"
    for service in data.iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    endpoints = data / "endpoints.json"
    known = json.loads(endpoints.read_text())
    for partition in known["partitions"]:
        partition["services"] = {name: it for name, it in partition["services"].items() if name in ENDPOINTS}
    endpoints.write_text(_compact(known))
    for packed in data.glob("*/*/service-2.json.gz"):
        model = json.loads(gzip.decompress(packed.read_bytes()))
        packed.with_suffix("").write_text(_compact(_undocumented(model)))
        packed.unlink()


def _undocumented(model: Any) -> Any:
    """A service model whose texts are empty; botocore reads some, so none is missing."""
    if isinstance(model, dict):
        return {
            name: "" if name == "documentation" and isinstance(it, str) else _undocumented(it)
            for name, it in model.items()
        }
    return [_undocumented(it) for it in model] if isinstance(model, list) else model


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def compile_tree(folder: Path, runs_at: str) -> None:
    """Bytecode beside every module of `folder`; tracebacks name `runs_at`, where Lambda puts it."""
    compileall.compile_dir(
        folder,
        quiet=2,
        force=True,
        workers=os.cpu_count() or 1,
        stripdir=str(folder),
        prependdir=runs_at,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def without_bytecode(folder: Path) -> list[Path]:
    """The modules of `folder` that Lambda would have to compile at each cold start."""
    return [path for path in folder.rglob("*.py") if not _bytecode(path).exists()]


def foreign_code(folder: Path) -> list[Path]:
    """Extension modules and libraries that are not for arm64, by the machine field of their ELF header."""
    return [path for path in _libraries(folder) if path.read_bytes()[18:20] != b"\xb7\x00"]


def size_bytes(folder: Path) -> int:
    """What `folder` takes unpacked."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _bytecode(path: Path) -> Path:
    return path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"


def _libraries(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.so*"):
        with path.open("rb") as file:
            if file.read(4) == b"\x7fELF":
                yield path


def main() -> None:
    """Build, finish and check; exits with what is wrong."""
    ours = str(Path(sys.executable).parent)  # where sam finds python3.13 with pip, and sam is
    environment = os.environ | {"PATH": ours + os.pathsep + os.environ["PATH"], "SAM_CLI_TELEMETRY": "0"}
    subprocess.run([f"{ours}/sam", "build"], cwd=template.ROOT, env=environment, check=True)
    layer = BUILT / "SharedLayer"
    packages = layer / "python"
    for name in RUNTIME_FILES:
        (packages / name).unlink(missing_ok=True)
    trim(packages)
    compile_tree(layer, "/opt")
    folders = [layer]
    for function in template.functions(template.load()):
        compile_tree(BUILT / function.id, "/var/task")
        folders.append(BUILT / function.id)

    wrong = [f"no bytecode: {path}" for folder in folders for path in without_bytecode(folder)]
    wrong += [f"not arm64: {path}" for folder in folders for path in foreign_code(folder)]
    size = size_bytes(layer) + max(size_bytes(folder) for folder in folders[1:])
    if size > LIMIT_BYTES:
        wrong.append(f"{size} bytes unpacked, Lambda takes {LIMIT_BYTES}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(folders) - 1} functions and their layer: {size / 1024 / 1024:.0f} MB unpacked, every module compiled.")


if __name__ == "__main__":
    main()
