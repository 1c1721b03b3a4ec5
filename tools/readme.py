"""make readme: the README's map of actions and its diagrams, from the template and the lifecycles, between markers."""

import argparse
import ast
import re
import sys
from collections import defaultdict
from typing import Any

from bloxtr8.domain.lifecycle import Lifecycle, Move
from bloxtr8.domain.transitions import CONTRACT, ESCROW, LIFECYCLES, LISTING, OFFER
from tools import reach, template
from tools.openapi import OPTIONAL_ACTOR

PATH = template.ROOT / "README.md"
ROAD: tuple[tuple[Lifecycle[Any], str], ...] = (
    (LISTING, "create_listing"),
    (OFFER, "make_offer"),
    (CONTRACT, "accept_offer"),
    (CONTRACT, "store_contract_pdf"),
    (ESCROW, "sign_contract"),
    (ESCROW, "hold_funds"),
    (ESCROW, "mark_delivered"),
    (ESCROW, "confirm_delivery"),
    (ESCROW, "finish_settlement"),
)
PRIVATE = {"offer_id", "contract_id", "escrow_id"}  # outsiders get 404
EDGES = {
    "Schedule": "schedule, {Schedule}",
    "EventBridgeRule": "event",
    "DynamoDB": "table stream",
}


def action_map(template_: dict[str, Any]) -> str:
    """A table of every action: what it is called, where it is reached, who may."""
    tasks = called_by_machines(template_)
    lines = ["| action | reached by | who |", "|---|---|---|"]
    for room in template.ROOMS:
        inside = [function for function in template.functions(template_) if function.room == room]
        if inside:
            lines.append(f"| **{room}** | | |")
        for function in inside:
            for edge, route in edges(function, tasks):
                lines.append(
                    f"| [{function.action}](functions/{function.action}/app.py) | {edge} | {who(function, route)} |"
                )
    return "\n".join(lines)


def edges(function: template.Function, tasks: dict[str, str]) -> list[tuple[str, template.Route | None]]:
    """How it is reached: (for people, the route where it is one)."""
    found: list[tuple[str, template.Route | None]] = [(f"{it.method} {it.path}", it) for it in function.routes]
    for event in function.events.values():
        if event["Type"] in EDGES:
            found.append((EDGES[event["Type"]].format_map(event["Properties"]), None))
    return found or [(tasks.get(function.id, "invoke"), None)]


def who(function: template.Function, route: template.Route | None) -> str:
    """The callers: roles of its lifecycle moves and platform roles; the parties of a private object; or users."""
    if route is None:
        return "the platform"
    if route.public:
        return "anyone, more when signed in" if reach.reaches(function.action, OPTIONAL_ACTOR) else "anyone"
    roles, staff = people(function.action), platform_roles(function)
    if not roles and PRIVATE.intersection(re.findall(r"{(\w+)}", route.path)):
        roles, staff = ["buyer", "seller"], staff | reach.platform_roles(function.action)
    return ", ".join([*roles, *sorted({role.lower() for role in staff} - set(roles))]) or "user"


def people(action: str) -> list[str]:
    """The people's roles in the moves of that name, over all lifecycles."""
    moves = [move for lifecycle in LIFECYCLES for move in lifecycle.moves if move.action == action]
    return sorted({str(role).lower() for move in moves for role in move.roles} - {"system"})


def platform_roles(function: template.Function) -> set[str]:
    """The platform roles that the function's file names; `*PlatformRole` is all the staff."""
    found = set()
    for node in ast.walk(ast.parse(function.app.read_text())):
        match node:
            case ast.Attribute(value=ast.Name(id="PlatformRole"), attr=role):
                found.add(role)
            case ast.Starred(value=ast.Name(id="PlatformRole")):
                found.add("staff")
    return found


def called_by_machines(template_: dict[str, Any]) -> dict[str, str]:
    """Function id → the state machine that runs it as a task."""
    found: dict[str, str] = {}
    for resource in template_["Resources"].values():
        if resource["Type"] == "AWS::Serverless::StateMachine":
            machine = str(resource["Properties"]["DefinitionUri"]).rpartition("/")[2].partition(".")[0]
            for value in resource["Properties"].get("DefinitionSubstitutions", {}).values():
                if isinstance(value, dict) and "Fn::GetAtt" in value:
                    found[value["Fn::GetAtt"][0]] = f"state machine {machine}"
    return found


def road() -> str:
    """The trade that goes well, as one flow: the move, and the state it leads to."""
    lines = ["flowchart LR", "  start((seller and<br>buyer))"]
    before = "start"
    for number, (lifecycle, action) in enumerate(ROAD):
        move = next(move for move in lifecycle.moves if move.action == action)
        state = " or ".join(sorted(move.targets))
        lines.append(f'  s{number}["{lifecycle.name}<br>{state}"]')
        lines.append(f'  {before} -->|"{action}<br>{", ".join(people(action)) or "the platform"}"| s{number}')
        before = f"s{number}"
    return fenced(lines)


def diagram(lifecycle: Lifecycle[Any]) -> str:
    """All moves of one lifecycle that change its status."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for move in lifecycle.moves:
        for source in sorted(move.sources) or ["[*]"]:
            for target in sorted(move.targets - {source}):
                label = f"{move.action} ({by(move)})"
                if label not in arrows[source, target]:
                    arrows[source, target].append(label)
    lines = ["stateDiagram-v2", "  direction LR"]
    lines += [f"  {source} --> {target}: {'<br>'.join(labels)}" for (source, target), labels in arrows.items()]
    lines += [f"  {end} --> [*]" for end in sorted(lifecycle.ends) if any(target == end for _, target in arrows)]
    return fenced(lines)


def by(move: Move) -> str:
    """The roles of a move, for people."""
    return ", ".join(sorted(str(role).lower() for role in move.roles))


def fenced(lines: list[str]) -> str:
    """A Mermaid block."""
    return "\n".join(["```mermaid", *lines, "```"])


def generated() -> dict[str, str]:
    """Marker → what stands between it and its end."""
    drawings = [f"**{lifecycle.name}**\n\n{diagram(lifecycle)}" for lifecycle in LIFECYCLES]
    return {"road": road(), "map": action_map(template.load()), "lifecycles": "\n\n".join(drawings)}


def filled(text: str) -> str:
    """The README with every generated part current. Raises SystemExit where a marker is missing."""
    for name, part in generated().items():
        found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
        if not found:
            sys.exit(f"README.md has no <!-- {name} --> … <!-- /{name} -->")
        text = text[: found.start(1)] + part + "\n" + text[found.end(1) :]
    return text


def main() -> None:
    """Write the README's generated parts, or with --check say whether they are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 where README.md is not current")
    before = PATH.read_text()
    after = filled(before)
    if parser.parse_args().check:
        if after != before:
            sys.exit("README.md is not current: run `make readme` and commit it")
    else:
        PATH.write_text(after)


if __name__ == "__main__":
    main()
