"""The document, and a page that draws it without asking anybody else for anything."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from bloxtr8 import docs_page
from tests.emulator import Platform, function_module
from tools import build, template

LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


@pytest.fixture
def offline(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nothing can be reached."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def ask(aws: Platform, path: str) -> dict[str, Any]:
    event = aws.event("get_openapi") | {"path": path, "resource": path}
    return dict(function_module("get_openapi").lambda_handler(event, aws.context))


@pytest.mark.usefixtures("offline")
def test_answers_the_document_that_is_committed(aws: Platform) -> None:
    answer = aws.call("get_openapi")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == json.loads((template.ROOT / "openapi.json").read_text())
    assert answer.body["openapi"].startswith("3.")


@pytest.mark.usefixtures("offline")
def test_the_page_carries_all_it_needs(aws: Platform) -> None:
    answer = ask(aws, "/docs")

    assert answer["statusCode"] == 200
    assert answer["multiValueHeaders"]["Content-Type"] == ["text/html; charset=utf-8"]
    page = answer["body"]
    assert len(page.encode()) < LAMBDA_ANSWER_BYTES
    assert re.findall(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=", _around_scripts(page)) == []
    assert "SwaggerUIBundle(swaggerUIOptions)" in page
    assert '"/offers/{offer_id}/accept"' in page


def test_a_text_of_the_document_can_not_end_its_script() -> None:
    hostile = json.dumps({"info": {"title": "<!--<script></script><script>alert(1)</script>"}})

    page = docs_page.page(hostile)

    assert "<script>alert(1)" not in page
    (spec,) = re.findall(r"spec: (.*),", page)
    assert json.loads(spec) == json.loads(hostile)


def test_the_build_leaves_the_page_its_script_and_style(tmp_path: Path) -> None:
    assets = Path(docs_page.swagger_ui.__file__).parent
    packages = assets.parents[3]
    copies = [tmp_path / path.relative_to(packages) for path in assets.glob("*.min.*")]
    assert {path.name for path in copies} == {"swagger-ui-bundle.min.js", "swagger-ui.min.css"}
    for copy in copies:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    (tmp_path / "botocore/data/gamelift").mkdir(parents=True)
    (tmp_path / "botocore/data/endpoints.json").write_text('{"partitions": []}')

    build.trim(tmp_path)

    assert all(copy.exists() for copy in copies)
    assert not (tmp_path / "botocore/data/gamelift").exists()


def _around_scripts(page: str) -> str:
    """The page without what its inline scripts and styles say."""
    return re.sub(r"(<script[^>]*>|<style>).*?(</script>|</style>)", r"\1\2", page, flags=re.DOTALL)
