"""Moto behind HTTP, on loopback (by itself it listens on every address)."""

import datetime as dt

from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.models import MockAWS
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from local.motofix.stepfunctions import EXECUTE
from local.servers import QuietHandler, Server


class _Handler(QuietHandler, MotoRequestHandler):
    """Moto's own handler keeps header names with underscores."""


_running: Server | None = None


def start(port: int = 0) -> Server:
    """An empty emulator. There is one per process: its state is moto's, which `mock_aws` would use and wipe."""
    global _running
    if _running is not None:
        raise RuntimeError("a stack runs in this process already: two would share their state")
    if MockAWS._nested_count:
        raise RuntimeError("mock_aws is active: it and a stack would share their state")
    BackendDict.reset()
    default_user_config.update(EXECUTE)  # type: ignore[typeddict-item]
    MockAWS.start = _refuse  # type: ignore[method-assign]
    _running = Server(DomainDispatcherApplication(create_backend_app), port, _Handler)
    return _running


def stop(server: Server) -> None:
    """End what still runs in the emulator, and forget its state."""
    global _running
    server.close()
    for accounts in list(stepfunctions_parser_backends.values()):
        for backend in list(accounts.values()):
            for execution in backend._get_executions(ExecutionStatus.RUNNING):
                _end(execution)
    default_user_config["stepfunctions"] = {"execute_state_machine": False}
    BackendDict.reset()
    MockAWS.start = _start_mock  # type: ignore[method-assign]
    _running = None


_start_mock = MockAWS.start


def _refuse(self: MockAWS, reset: bool = True) -> None:
    raise RuntimeError("a stack runs in this process: mock_aws would wipe its state")


def _end(execution: Execution) -> None:
    """Stop an execution and wake the thread that waits for its task token."""
    execution.stop(stop_date=dt.datetime.now(dt.UTC), error=None, cause=None)
    if execution.exec_worker and execution.exec_worker.env:
        for endpoint in list(execution.exec_worker.env.callback_pool_manager._pool.values()):
            endpoint.interrupt_all()
