"""Step Functions: JSONata is evaluated, tasks call the functions served here, races and lost causes are mended."""

import functools
import json
import threading
import time
from types import SimpleNamespace
from typing import Any

import jsonata
from botocore.exceptions import ClientError
from moto.core.responses import EmptyResult
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.jsonata import jsonata as evaluator
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends
from moto.stepfunctions.responses import StepFunctionResponse

from local.motofix import lambdas

_LOCK = threading.RLock()
_share = 1.0

# what a test of state machines gives to `mock_aws`: without it executions are only noted down
EXECUTE = {"stepfunctions": {"execute_state_machine": True}}


def apply() -> None:
    """Correct the interpreter and its API."""
    evaluator._eval_jsonata = evaluate
    for module in (evaluator, states, variable_store):
        module.encode_jsonata_variable_declarations = declare  # type: ignore[attr-defined]
    _call_functions_served_here()
    _start_once()
    _know_tokens_from_the_start()
    _keep_causes()
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * _share))  # type: ignore[assignment]


def pace(share: float) -> None:
    """Let a Retry wait this share of its IntervalSeconds: 1 as the machine says, 0 not at all."""
    global _share
    _share = share


def evaluate(expression: str) -> Any:
    """The value of a JSONata expression, in plain JSON types; a whole number is an int, as in AWS's own JSON."""
    return _plain(jsonata.Jsonata(expression).evaluate(None))


def declare(bindings: dict[str, Any]) -> str:
    """Variables as JSONata source. Moto puts a text between quotes without escaping the quotes inside it."""
    return "".join(f"{name} := {to_json_str(value)};" for name, value in bindings.items())


def is_busy(account: str, region: str) -> bool:
    """Whether any execution does more than wait, for a task token or for time."""
    waiting = {HistoryEventType.TaskSubmitted, HistoryEventType.WaitStateEntered}
    for execution in stepfunctions_parser_backends[account][region]._get_executions(ExecutionStatus.RUNNING):
        history = execution.to_history_output()["events"]
        if not history or history[-1]["type"] not in waiting:
            return True
    return False


def look(account: str, region: str, arn: str) -> tuple[str, list[dict[str, Any]]]:
    """An execution's status and its history so far, for who asks again and again: an API call takes far longer."""
    executions = stepfunctions_parser_backends[account][region]._get_executions()
    found = next(execution for execution in executions if execution.execution_arn == arn)
    return str(found.status), list(found.to_history_output()["events"])


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _call_functions_served_here() -> None:
    """Without a boto3 client for every task: making one takes longer than most tasks, and is not thread-safe."""
    plain = lambda_eval_utils._invoke_lambda_function

    def invoke(parameters: dict[str, Any], region: str, state_credentials: Any) -> Any:
        name, payload = parameters["FunctionName"], parameters.get("Payload") or b"{}"
        try:
            answer = lambdas.call(name, payload.decode())
        except KeyError:
            about: Any = {
                "Error": {"Code": "ResourceNotFoundException", "Message": f"Function not found: {name}"},
                "ResponseMetadata": {"HTTPStatusCode": 404, "RequestId": "local"},
            }
            raise ClientError(about, "Invoke") from None
        if answer is None:
            return plain(parameters, region, state_credentials)
        found = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": json.loads(answer.payload or "null")}
        return found | {"FunctionError": "Unhandled"} if answer.failed else found

    lambda_eval_utils._invoke_lambda_function = invoke


def _start_once() -> None:
    """Two requests to start the same name at the same time: one execution."""
    plain = StepFunctionsParserBackend.start_execution

    @functools.wraps(plain)
    def start_execution(self: StepFunctionsParserBackend, *args: Any, **options: Any) -> Any:
        with _LOCK:
            return plain(self, *args, **options)

    StepFunctionsParserBackend.start_execution = start_execution  # type: ignore[method-assign]


def _know_tokens_from_the_start() -> None:
    """Answering a token asks every running execution; one that still reads its definition has nothing to ask."""
    plain = ExecutionWorker.start

    @functools.wraps(plain)
    def start(self: ExecutionWorker) -> None:
        self.env = self._get_evaluation_environment()
        plain(self)

    ExecutionWorker.start = start  # type: ignore[method-assign]


def _keep_causes() -> None:
    """SendTaskFailure's cause reaches the machine."""

    def send_task_failure(self: StepFunctionResponse) -> Any:
        token, error, cause = (self._get_param(name) for name in ("taskToken", "error", "cause"))
        self.stepfunction_backend.send_task_failure(token, error=error, cause=cause)  # type: ignore[call-arg]
        return EmptyResult()

    StepFunctionResponse.send_task_failure = send_task_failure  # type: ignore[method-assign]
