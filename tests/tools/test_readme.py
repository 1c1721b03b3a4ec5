"""The README's diagrams, over a small lifecycle."""

from enum import StrEnum

import pytest

from bloxtr8.domain.lifecycle import Lifecycle, Role
from tools import readme, template


class Status(StrEnum):
    OPEN = "OPEN"
    DONE = "DONE"
    LOST = "LOST"


SMALL = Lifecycle(
    "Small",
    Status,
    ("begin", (), Status.OPEN, {Role.BUYER}),
    ("look", {Status.OPEN}, None, {Role.BUYER}),
    ("finish", {Status.OPEN}, {Status.DONE, Status.LOST}, {Role.SYSTEM, Role.SELLER}),
    ("drop", {Status.OPEN}, Status.LOST, {Role.SYSTEM}),
)


def test_an_arrow_is_drawn_for_every_move_that_changes_the_status() -> None:
    assert readme.diagram(SMALL).splitlines() == [
        "```mermaid",
        "stateDiagram-v2",
        "  direction LR",
        "  [*] --> OPEN: begin (buyer)",
        "  OPEN --> DONE: finish (seller, system)",
        "  OPEN --> LOST: finish (seller, system)<br>drop (system)",
        "  DONE --> [*]",
        "  LOST --> [*]",
        "```",
    ]


def test_a_function_is_called_by_its_route_its_schedule_or_its_machine() -> None:
    http = {"Type": "Api", "Properties": {"Method": "get", "Path": "/me"}}
    daily = {"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)"}}
    machine = {"DefinitionUri": "statemachines/fund_escrow.asl.yaml"}
    machine |= {"DefinitionSubstitutions": {"HoldFunds": {"Fn::GetAtt": ["HoldFundsFunction", "Arn"]}}}
    tasks = readme.called_by_machines(
        {"Resources": {"Fund": {"Type": "AWS::Serverless::StateMachine", "Properties": machine}}}
    )

    def edges(identifier: str, **events: dict[str, object]) -> list[tuple[str, template.Route | None]]:
        return readme.edges(template.Function(identifier, {"CodeUri": "x", "Events": events}), tasks)

    assert edges("GetMeFunction", Http=http) == [("GET /me", template.Route("GET", "/me", public=False))]
    assert edges("SweepFunction", Daily=daily) == [("schedule, rate(1 day)", None)]
    assert edges("HoldFundsFunction") == [("state machine fund_escrow", None)]
    assert edges("GrantFunction") == [("invoke", None)]


def test_only_what_stands_between_the_markers_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "generated", lambda: {"map": "new"})

    filled = readme.filled("before\n<!-- map -->\nold\n<!-- /map -->\nafter\n")

    assert filled == "before\n<!-- map -->\nnew\n<!-- /map -->\nafter\n"
    assert readme.filled(filled) == filled


def test_a_missing_marker_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "generated", lambda: {"map": "new"})

    with pytest.raises(SystemExit, match="map"):
        readme.filled("nothing here")
