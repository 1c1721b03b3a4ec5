"""`make staff USER=usr_… ROLE=ARBITER TIER=TIER_2`: an operator grants a role or a tier on the running local platform.

It invokes `grant_staff_role`, which no HTTP route reaches; on AWS an operator does the same with `aws lambda invoke`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import requests
from rich.console import Console

STACK = Path(__file__).parents[1] / ".local/stack.json"
TIMEOUT_SECONDS = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask the function, show its answer. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make staff", description=__doc__)
    parser.add_argument("user", help="usr_…")
    parser.add_argument("--role", help="SUPPORT, ARBITER, COMPLIANCE or PADMIN")
    parser.add_argument("--tier", help="TIER_0, TIER_1 or TIER_2")
    parser.add_argument("--revoke", action="store_true", help="take the role away")
    parser.add_argument("--stack", type=Path, default=STACK, help="the stack.json of a running platform")
    options = parser.parse_args(arguments)
    console = Console()
    if not options.stack.exists():
        console.print("No platform is running here: start one with `make local`.")
        return 1
    address = json.loads(options.stack.read_text())["lambda"]
    event = {"userId": options.user, "role": options.role, "tier": options.tier, "revoke": options.revoke}
    response = requests.post(
        f"{address}/2015-03-31/functions/grant_staff_role/invocations",
        json={name: value for name, value in event.items() if value},
        timeout=TIMEOUT_SECONDS,
    )
    if response.ok and "X-Amz-Function-Error" not in response.headers:
        console.print_json(response.text)
        return 0
    refusal = response.json()
    console.print(f"Refused: {refusal.get('errorMessage') or refusal.get('Message')}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
