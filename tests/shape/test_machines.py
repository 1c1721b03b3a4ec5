"""State machines: JSONata, a comment on every state, retries on every task, wired to the template's own functions."""

import re
from typing import Any

import pytest

from tools import template

MACHINE = "AWS::Serverless::StateMachine"
MACHINES = {name: it["Properties"] for name, it in template.load()["Resources"].items() if it["Type"] == MACHINE}


def unreadable(asl: dict[str, Any]) -> list[str]:
    """What a machine lacks for a reader, or a task for a bad day."""
    wrong = [] if asl.get("QueryLanguage") == "JSONata" else ["not JSONata"]
    if not asl.get("Comment"):
        wrong.append("no comment")
    for name, state in asl["States"].items():
        if not state.get("Comment"):
            wrong.append(f"{name}: no comment")
        if state["Type"] != "Task":
            continue
        if not state.get("Retry"):
            wrong.append(f"{name}: no retry")
        called = re.fullmatch(r"\${(\w+)}", str(state.get("Arguments", {}).get("FunctionName")))
        if not called or called[1] != name:
            wrong.append(f"{name}: runs {called[1] if called else 'no function of ours'}")
        if str(state["Resource"]).endswith(".waitForTaskToken") and "TimeoutSeconds" not in state:
            wrong.append(f"{name}: waits for ever")
    return wrong


def miswired(properties: dict[str, Any], asl: str) -> list[str]:
    """Names of the definition that the template fills with nothing, or with another function."""
    given = properties.get("DefinitionSubstitutions", {})
    used = set(re.findall(r"\${(\w+)}", asl))
    wrong = [f"{name} is not given" for name in sorted(used - given.keys())]
    wrong += [f"{name} is not used" for name in sorted(given.keys() - used)]
    wrong += [f"{n} is {v}" for n, v in given.items() if v != {"Fn::GetAtt": [f"{n}Function", "Arn"]}]
    return wrong


def may_not_call(properties: dict[str, Any]) -> set[str]:
    """Functions that the machine's tasks run and its role may not."""
    allowed = {
        resource["Fn::GetAtt"][0]
        for policy in properties.get("Policies", [])
        for statement in policy.get("Statement", [])
        if statement["Action"] == "lambda:InvokeFunction"
        for resource in statement["Resource"]
    }
    return {f"{name}Function" for name in properties.get("DefinitionSubstitutions", {})} - allowed


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_reads_well_and_is_wired_to_its_functions(name: str) -> None:
    text = (template.ROOT / MACHINES[name]["DefinitionUri"]).read_text()

    assert unreadable(template.load(text)) == []
    assert miswired(MACHINES[name], text) == []
    assert may_not_call(MACHINES[name]) == set()


def test_the_names_in_policies_and_settings_are_those_of_the_machines(
    written: dict[str, Any], deployed: dict[str, Any]
) -> None:
    names = {it["Properties"]["StateMachineName"]["Fn::Sub"] for it in deployed["Resources"].values() if named(it)}
    settings = written["Globals"]["Function"]["Environment"]["Variables"]
    arns = {settings[key]["Fn::Sub"].rpartition(":")[2] for key in ("FUND_ESCROW_ARN", "SETTLE_ESCROW_ARN")}
    assert arns == names


def named(resource: dict[str, Any]) -> bool:
    return bool(resource["Type"] == "AWS::StepFunctions::StateMachine")


WRONG = """
StartAt: HoldFunds
States:
  HoldFunds:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
    Arguments: {FunctionName: "${Other}"}
    End: true
"""


def test_a_wrong_machine_is_found() -> None:
    properties = {"DefinitionSubstitutions": {"HoldFunds": {"Fn::GetAtt": ["ElseFunction", "Arn"]}}}

    assert unreadable(template.load(WRONG)) == [
        "not JSONata",
        "no comment",
        "HoldFunds: no comment",
        "HoldFunds: no retry",
        "HoldFunds: runs Other",
        "HoldFunds: waits for ever",
    ]
    assert miswired(properties, WRONG) == [
        "Other is not given",
        "HoldFunds is not used",
        "HoldFunds is {'Fn::GetAtt': ['ElseFunction', 'Arn']}",
    ]
    assert may_not_call(properties) == {"HoldFundsFunction"}
