"""Functions in processes of their own: AWS's Runtime Interface Emulator (of SAM CLI's wheel) and awslambdaric.

Linux only. Each environment serves one invocation at a time; more are started as they are needed. None outlives this
process, however it ends.
"""

import http.client
import importlib.util
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.clock import Clock
from local.invocation import Invocation, failure, timed_out
from local.logs import Logs
from local.motofix.lambdas import Answer
from local.resources import Function
from local.runner import packages
from local.servers import HOST

MOST_ENVIRONMENTS = 8  # of one function
_LAUNCHER = Path(__file__).with_name("launcher.py")
_CPU = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
_ERROR_KEYS = {"errorMessage", "errorType", "requestId", "stackTrace"}


class Processes:
    """Runs functions in environments as they are on AWS: own variables, own memory, real timeouts."""

    def __init__(
        self, functions: Iterable[Function], layers: list[Path], env: dict[str, str], clock: Clock, logs: Logs
    ) -> None:
        if not sys.platform.startswith("linux"):
            raise RuntimeError("AWS's runtime interface emulator runs on Linux only: leave --processes out")
        self._layers, self._env, self._clock, self._logs = layers, env, clock, logs
        self._idle: dict[str, list[_Environment]] = {function.id: [] for function in functions}
        self._places = {name: threading.BoundedSemaphore(MOST_ENVIRONMENTS) for name in self._idle}
        self._all: set[_Environment] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._starter = ThreadPoolExecutor(
            1, thread_name_prefix="starter"
        )  # a child dies with the *thread* that made it
        logs.install()

    def invoke(self, function: Function, payload: str) -> Answer:
        """Run a function in an idle environment, or in a new one."""
        with self._places[function.id]:
            environment = self._take(function)
            if environment is None:
                return failure("Runtime.ExitError", "the platform is shutting down", "")
            answer = environment.invoke(payload)
            with self._lock:
                if environment.usable and not self._closed:
                    self._idle[function.id].append(environment)
                    return answer
                self._all.discard(environment)
            environment.close()
            return answer

    def close(self) -> None:
        """End every environment."""
        with self._lock:
            self._closed = True
            environments, self._all = list(self._all), set()
        self._starter.shutdown(wait=True)
        for environment in environments:
            environment.close()
        self._logs.uninstall()

    def _take(self, function: Function) -> "_Environment | None":
        with self._lock:
            if self._closed:
                return None
            if self._idle[function.id]:
                return self._idle[function.id].pop()
            starting = self._starter.submit(
                _Environment, function, self._environ(function), self._logs.path(function.action)
            )
        environment = starting.result()
        with self._lock:
            self._all.add(environment)
        return environment

    def _environ(self, function: Function) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": "/tmp",
            **function.env,
            **self._env,
            "_HANDLER": function.handler,
            "AWS_LAMBDA_FUNCTION_NAME": function.id,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_seconds),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "LAMBDA_TASK_ROOT": str(function.folder),
            "PYTHONPATH": os.pathsep.join(map(str, [function.folder, *self._layers])),
            "LOCAL_CLOCK_FILE": str(self._clock.file),
            "LOCAL_PACKAGES": os.pathsep.join(packages(self._layers)),
        }


class _Environment:
    """One runtime interface emulator and the Python process behind it."""

    def __init__(self, function: Function, environ: dict[str, str], log: Path) -> None:
        self._function = function
        self.usable = True
        self._port, runtime = _free_port(), _free_port()
        emulator = [_emulator(), "--log-level", "error", "--runtime-api-address", f"{HOST}:{runtime}"]
        emulator += ["--runtime-interface-emulator-address", f"{HOST}:{self._port}"]
        command = [sys.executable, "-S", str(_LAUNCHER), "with-parent", *emulator]
        command += [sys.executable, str(_LAUNCHER), "function", function.handler]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=function.folder,
                env=environ,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._wait_until_it_listens()

    def invoke(self, payload: str) -> Answer:
        request_id = Invocation(self._function).request_id
        connection = http.client.HTTPConnection(HOST, self._port, timeout=self._function.timeout_seconds + 30)
        try:
            connection.request("POST", "/2015-03-31/functions/function/invocations", payload.encode())
            text = connection.getresponse().read().decode() or "null"
        except OSError as error:
            self.usable = False
            return failure("Runtime.ExitError", f"RequestId: {request_id} Error: {error}", request_id)
        finally:
            connection.close()
        try:
            body = json.loads(text)
        except ValueError:  # "Task timed out after 5.00 seconds"
            self.usable = False
            return timed_out(self._function, request_id)
        failed = isinstance(body, dict) and {"errorMessage", "errorType"} <= set(body) <= _ERROR_KEYS
        return Answer(text, failed)

    def close(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()

    def _wait_until_it_listens(self) -> None:
        for _ in range(500):
            try:
                socket.create_connection((HOST, self._port), 0.2).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise RuntimeError(f"the environment of {self._function.action} does not start")


def _emulator() -> str:
    """Where the wheel of SAM CLI keeps the emulator."""
    found = importlib.util.find_spec("samcli")
    if found is None or found.origin is None:
        raise RuntimeError("SAM CLI is not installed here")
    return str(Path(found.origin).parent / f"local/rapid/aws-lambda-rie-{_CPU}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
