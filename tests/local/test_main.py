"""`make local` and `make staff`: addresses while it runs, nothing left when it ends."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from local import staff
from local.servers import Server
from local.stack import Stack
from tests.local.conftest import HOUSE, pids, until

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime interface emulator is for Linux")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Any]:
    """Starts `python -m local …` and waits for its stack.json: (process, addresses)."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        command = [sys.executable, "-m", "local", "--template", str(HOUSE), "--folder", str(tmp_path), *options]
        process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started.append(process)
        note = tmp_path / "stack.json"
        until(lambda: process.poll() is not None or (note.exists() and note.read_text()), 60)
        return process, json.loads(note.read_text())

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_its_addresses_and_ends_cleanly(running: Any, tmp_path: Path, number: int) -> None:
    port = free_port()
    process, addresses = running("--port", str(port))
    assert addresses["api"] == f"http://127.0.0.1:{port}"
    assert requests.get(f"{addresses['api']}/greet", timeout=30).ok
    process.send_signal(number)
    printed, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert addresses["api"] in printed
    assert "Traceback" not in printed
    assert "greeting on standard output" not in printed
    assert not (tmp_path / "stack.json").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(addresses["api"], timeout=5)


@linux
def test_no_function_outlives_it_even_when_it_is_killed(running: Any, tmp_path: Path) -> None:
    process, addresses = running("--processes")
    told = requests.get(f"{addresses['api']}/greet", timeout=60).json()
    assert told["pid"] in pids(str(tmp_path))
    process.kill()
    process.communicate(timeout=20)
    until(lambda: not pids(str(tmp_path)), 10)


@linux
def test_a_stopped_stack_leaves_no_process() -> None:
    stack = Stack(HOUSE, processes=True).start()
    try:
        folder = str(stack.clock.file.parent)
        stack.invoke("greet")
        assert len(pids(folder)) == 2  # the emulator and the function's Python
    finally:
        stack.stop()
    until(lambda: not pids(folder))


def test_staff_asks_the_function_no_route_reaches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, Any]] = []

    @Request.application
    def functions(request: Request) -> Response:
        asked.append((request.path, request.get_json()))
        failed = {"X-Amz-Function-Error": "Unhandled"} if request.get_json()["userId"] == "nobody" else {}
        return Response('{"errorMessage": "no such user", "role": "ARBITER"}', headers=failed)

    server, note = Server(functions), tmp_path / "stack.json"
    note.write_text(json.dumps({"lambda": server.url}))
    try:
        options = ["--role", "ARBITER", "--tier", "TIER_2", "--stack", str(note)]
        assert staff.main(["usr_1", *options]) == 0
        assert staff.main(["nobody", "--role", "ARBITER", "--revoke", "--stack", str(note)]) == 1
    finally:
        server.close()
    path = "/2015-03-31/functions/grant_staff_role/invocations"
    assert asked[0] == (path, {"userId": "usr_1", "role": "ARBITER", "tier": "TIER_2"})
    assert asked[1][1] == {"userId": "nobody", "role": "ARBITER", "revoke": True}
    printed = capsys.readouterr().out
    assert '"role": "ARBITER"' in printed
    assert "Refused: no such user" in printed


def test_staff_without_a_platform_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert staff.main(["usr_1", "--stack", str(tmp_path / "stack.json")]) == 1
    assert "make local" in capsys.readouterr().out
