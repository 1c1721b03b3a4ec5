"""What make build adds to sam build, over a small built tree."""

import re
from pathlib import Path

from tools import build, template


def test_drops_the_services_nobody_calls_and_keeps_the_common_files(tmp_path: Path) -> None:
    data = tmp_path / "botocore/data"
    for service in ("dynamodb", "gamelift"):
        (data / service).mkdir(parents=True)
    (data / "endpoints.json").touch()

    build.trim(tmp_path)

    assert sorted(path.name for path in data.iterdir()) == ["dynamodb", "endpoints.json"]


def test_every_service_that_the_code_names_is_kept() -> None:
    shared = (template.ROOT / "layers/shared/bloxtr8").rglob("*.py")
    called = {name for path in shared for name in re.findall(r'client\(\s*"([a-z0-9-]+)"', path.read_text())}

    assert {"stepfunctions", "lambda"} <= called
    assert called | {"dynamodb", "secretsmanager"} <= build.SERVICES  # these two by pynamodb and by Powertools


def test_every_module_gets_bytecode_that_is_never_checked_again(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    module = tmp_path / "package/module.py"
    module.write_text("def where(): raise ValueError\n")
    assert build.without_bytecode(tmp_path) == [module]

    build.compile_tree(tmp_path, "/opt")

    assert build.without_bytecode(tmp_path) == []
    (compiled,) = tmp_path.rglob("*.pyc")
    assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"  # hash-based, unchecked (PEP 552)
    assert b"/opt/package/module.py" in compiled.read_bytes()


def test_code_of_another_processor_is_found(tmp_path: Path) -> None:
    elf = b"\x7fELF" + bytes(14)
    (tmp_path / "arm.so").write_bytes(elf + b"\xb7\x00")
    (tmp_path / "intel.so.1").write_bytes(elf + b"\x3e\x00")
    (tmp_path / "script.so").write_bytes(b"GROUP ( libc.so )")

    assert build.foreign_code(tmp_path) == [tmp_path / "intel.so.1"]


def test_the_size_counts_every_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a").write_bytes(bytes(3))
    (tmp_path / "b").write_bytes(bytes(4))

    assert build.size_bytes(tmp_path) == 7
