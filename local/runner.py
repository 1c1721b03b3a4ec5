"""Functions in this process: an app.py loaded once is an environment, which serves one invocation at a time."""

import ctypes
import importlib
import importlib.util
import itertools
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import boto3
from aws_lambda_powertools.utilities import parameters
from awslambdaric.lambda_runtime_marshaller import to_json

from local import faults, threads
from local.clock import Clock
from local.invocation import Invocation, Killed, died, failure, running, timed_out
from local.logs import Logs
from local.motofix.lambdas import Answer
from local.resources import REGION, Function

Handler = Callable[[Any, Any], Any]


class Runner(Protocol):
    """What runs functions. `invoke` never raises: what goes wrong is an answer, as at Lambda."""

    def invoke(self, function: Function, payload: str) -> Answer: ...
    def close(self) -> None: ...


class _TimedOut(BaseException):
    """Raised inside a function that took too long. It reaches running Python code; a blocking call ends first."""


class Context:
    """The second argument of a handler."""

    function_version = "$LATEST"
    client_context = None
    identity = None
    log_stream_name = "local"

    def __init__(self, function: Function, request_id: str) -> None:
        self.function_name = function.id
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory_mb)
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{function.id}"
        self._ends = time.monotonic() + function.timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


class InProcess:
    """Runs functions in threads of this process.

    They share one environment: a variable must have the same value for all. What a function lacks in the template it
    finds here if another one has it; `--processes` shows such a mistake.
    """

    def __init__(
        self, functions: Iterable[Function], layers: list[Path], env: dict[str, str], clock: Clock, logs: Logs
    ) -> None:
        self._functions = list(functions)
        self._layers = [str(layer) for layer in layers]
        self._logs = logs
        self._idle: dict[str, list[Handler]] = {function.id: [] for function in self._functions}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        env = _one_environment(self._functions) | env
        self._env_before = {name: os.environ.get(name) for name in env}
        self._modules_before: dict[str, ModuleType] = {}
        threads.isolate()
        os.environ.update(env)
        _forget_clients()
        logs.install()
        self._load_layers(clock)

    def invoke(self, function: Function, payload: str) -> Answer:
        """Run a function to its end, or to its timeout, in a thread of its own."""
        self._logs.follow()
        invocation = Invocation(function)
        answers: list[Answer] = []
        loaded = threading.Event()  # a function's timeout doesn't count what comes before its handler
        started = time.monotonic()

        def work() -> None:
            with running(invocation):
                try:
                    answers.append(self._run(invocation, payload, loaded))
                except _TimedOut:
                    pass
                except Killed:
                    answers.append(died(invocation.request_id))
                finally:
                    loaded.set()

        thread = threading.Thread(target=work, name=function.action, daemon=True)
        thread.start()
        loaded.wait()
        thread.join(function.timeout_seconds)
        if thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TimedOut))
        answer = answers[0] if answers else timed_out(function, invocation.request_id)
        report = f"REPORT RequestId: {invocation.request_id} Duration: {(time.monotonic() - started) * 1000:.1f} ms"
        self._logs.write(function.action, f"{answer.payload}\n{report}\n" if answer.failed else f"{report}\n")
        return answer

    def close(self) -> None:
        """Put the process back as it was: environment, modules, path, standard output."""
        for name in self._ours():
            del sys.modules[name]
        sys.modules.update(self._modules_before)
        for layer in self._layers:
            sys.path.remove(layer)
        for name, value in self._env_before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        _forget_clients()
        self._logs.uninstall()

    def _run(self, invocation: Invocation, payload: str, loaded: threading.Event) -> Answer:
        function, request_id = invocation.function, invocation.request_id
        try:
            handler = self._take(function)
        except Exception as error:
            message = f"Unable to import module 'app': {type(error).__name__}: {error}"
            return failure("Runtime.ImportModuleError", message, request_id, traceback.format_tb(error.__traceback__))
        loaded.set()
        try:
            result = handler(json.loads(payload), Context(function, request_id))
        except Exception as error:
            return failure(type(error).__name__, str(error), request_id, traceback.format_tb(error.__traceback__)[1:])
        finally:
            if not isinstance(sys.exception(), Killed | _TimedOut):
                with self._lock:
                    self._idle[function.id].append(handler)
        try:
            return Answer(to_json(result), failed=False)
        except Exception as error:
            return failure("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)

    def _take(self, function: Function) -> Handler:
        """An idle environment of a function, or a new one."""
        with self._lock:
            if self._idle[function.id]:
                return self._idle[function.id].pop()
            module_name, _, handler = function.handler.rpartition(".")
            name = f"{_package(function)}.{module_name}_{next(self._numbers)}"
            spec = importlib.util.spec_from_file_location(name, function.folder / f"{module_name}.py")
            if spec is None or spec.loader is None:
                raise ImportError(f"no {module_name}.py in {function.folder}")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module  # pydantic looks annotations up by the module's name
            spec.loader.exec_module(module)
            found: Handler = getattr(module, handler)
            return found

    def _load_layers(self, clock: Clock) -> None:
        """Import the shared package afresh, so that it reads this environment, and give it the platform's clock."""
        for name in self._ours():
            self._modules_before[name] = sys.modules.pop(name)
        sys.path[:0] = self._layers
        importlib.invalidate_caches()
        for package in packages(self._layers):
            if importlib.util.find_spec(f"{package}.clock"):
                importlib.import_module(f"{package}.clock").now = clock  # type: ignore[attr-defined]
            if importlib.util.find_spec(f"{package}.aws_json"):
                faults.watch(importlib.import_module(f"{package}.aws_json"))
        self._logs.adopt_loggers()

    def _ours(self) -> list[str]:
        roots = {*packages(self._layers), *(_package(function) for function in self._functions)}
        return [name for name in sys.modules if name.partition(".")[0] in roots]


def packages(layers: Iterable[Path | str]) -> list[str]:
    """The names of the packages that layers bring."""
    return [found.parent.name for layer in layers for found in Path(layer).glob("*/__init__.py")]


def _forget_clients() -> None:
    """Libraries keep clients of the AWS they first saw."""
    boto3.DEFAULT_SESSION = None
    parameters.clear_caches()  # type: ignore[no-untyped-call]


def _package(function: Function) -> str:
    return f"function_{function.action}"


def _one_environment(functions: Iterable[Function]) -> dict[str, str]:
    env: dict[str, str] = {}
    for function in functions:
        for name, value in function.env.items():
            if env.setdefault(name, value) != value:
                raise ValueError(f"{name} differs between functions: run them with --processes")
    return env


def base_env(endpoint: str, credentials: dict[str, str]) -> dict[str, str]:
    """What every function finds in its environment on the local platform, beside what the template says."""
    return {
        **credentials,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_XRAY_SDK_ENABLED": "false",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "POWERTOOLS_METRICS_DISABLED": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
