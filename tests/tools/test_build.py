"""What make build adds to sam build, over a small built tree."""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import botocore.session
from botocore.loaders import Loader

from tools import build, template


def test_drops_the_services_nobody_calls_and_the_texts_of_the_others(tmp_path: Path) -> None:
    data = tmp_path / "botocore/data"
    (data / "gamelift").mkdir(parents=True)
    (data / "dynamodb/2012-08-10").mkdir(parents=True)
    members = {"documentation": {"shape": "Text", "documentation": "What it is"}}
    model = {"shapes": {"Note": {"type": "structure", "members": members, "documentation": "A note"}}}
    (data / "dynamodb/2012-08-10/service-2.json.gz").write_bytes(gzip.compress(json.dumps(model).encode()))
    services: dict[str, dict[str, str]] = {"dynamodb": {}, "states": {}, "gamelift": {}}
    (data / "endpoints.json").write_text(json.dumps({"partitions": [{"partition": "aws", "services": services}]}))

    build.trim(tmp_path)

    assert sorted(path.name for path in data.iterdir()) == ["dynamodb", "endpoints.json"]
    (kept,) = (data / "dynamodb/2012-08-10").iterdir()
    assert kept.name == "service-2.json"
    assert json.loads(kept.read_text()) == {
        "shapes": {
            "Note": {
                "type": "structure",
                "members": {"documentation": {"shape": "Text", "documentation": ""}},
                "documentation": "",
            }
        }
    }
    (partition,) = json.loads((data / "endpoints.json").read_text())["partitions"]
    assert sorted(partition["services"]) == ["dynamodb", "states"]


def test_a_client_of_every_service_opens_from_what_is_left(tmp_path: Path) -> None:
    installed = Path(botocore.__file__).parent / "data"
    data = tmp_path / "botocore/data"
    data.mkdir(parents=True)
    for path in (*installed.glob("*.json"), *(installed / name for name in build.SERVICES)):
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, data / path.name)
    plain = botocore.session.get_session()

    build.trim(tmp_path)
    trimmed = botocore.session.get_session()
    trimmed.register_component("data_loader", Loader([str(data)], include_default_search_paths=False))

    for name in sorted(build.SERVICES):
        one, other = (it.create_client(name, region_name="us-east-1") for it in (plain, trimmed))
        assert one.meta.endpoint_url == other.meta.endpoint_url
        assert one.meta.service_model.operation_names == other.meta.service_model.operation_names
        assert _addressed(one) == _addressed(other)


def _addressed(client: Any) -> str:
    """Where the client would send a request, by the service's own rules."""
    operation = client.meta.service_model.operation_model(client.meta.service_model.operation_names[0])
    return str(client._resolve_endpoint_ruleset(operation, {"Bucket": "a-bucket"}, {"client_region": "us-east-1"})[0])


def test_every_service_that_the_code_names_is_kept() -> None:
    shared = (template.ROOT / "layers/shared/bloxtr8").rglob("*.py")
    called = {name for path in shared for name in re.findall(r'client\(\s*"([a-z0-9-]+)"', path.read_text())}

    assert {"stepfunctions", "lambda"} <= called
    assert called | {"dynamodb"} <= build.SERVICES  # that one for the benchmark's calls by hand


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
