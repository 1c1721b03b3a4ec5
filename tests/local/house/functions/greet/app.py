"""GET /greet: what the function knows of its environment and of the time."""

import json
import os
import sys
from typing import Any

from smallhouse import clock


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    sys.stdout.write("greeting on standard output\n")
    told = {name: os.environ[name] for name in ("GREETING", "PLACE", "TABLE_NAME", "EVENT_BUS")}
    body = {**told, "now": clock.now().isoformat(), "function": context.function_name, "pid": os.getpid()}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
