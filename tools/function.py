"""Begin a function: its template block in the section of its room, and its event (CONTRIBUTING.md).

make function NAME=accept_offer ROOM=offers ROUTE="POST /offers/{offer_id}/accept" DOES="The other side takes the terms"
"""

import argparse
import json
import re
from typing import Any

from tools import template

ULID = "01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
PREFIXES = {
    "offer_id": "off",
    "listing_id": "lst",
    "contract_id": "con",
    "escrow_id": "esc",
    "delivery_id": "dlv",
    "milestone_id": "mst",
    "user_id": "usr",
    "guild_id": "gld",
    "dispute_id": "dsp",
    "proposal_id": "prp",
}


def block(action: str, room: str, does: str, route: template.Route | None) -> str:
    """The template block of a function: what reads and nothing more; the author adds the policies it needs."""
    lines = [
        f"  {template.function_id(action)}:",
        "    Type: AWS::Serverless::Function",
        "    Properties:",
        f"      Description: {json.dumps(does, ensure_ascii=False) if re.search(': | #', does) else does}",
        f"      CodeUri: functions/{action}",
        f"      LoggingConfig: {{LogGroup: !Ref {room.capitalize()}Logs}}",
        "      Policies: [!Ref TableReadPolicy]",
    ]
    if route:
        auth = ", Auth: {Authorizer: NONE}" if route.public else ""
        where = f"Method: {route.method.lower()}, Path: '{route.path}'{auth}"
        lines += ["      Events:", f"        Http: {{Type: Api, Properties: {{RestApiId: !Ref Api, {where}}}}}"]
    return "\n".join(lines) + "\n"


def insert(text: str, room: str, new: str) -> str:
    """The template with the block `new` at its alphabetical place in the section of `room`."""
    banner = re.search(rf"^  # =+ {room}\n", text, re.MULTILINE)
    if banner is None:
        raise SystemExit(f"template.yaml has no section {room}: {', '.join(template.ROOMS)}")
    end = re.compile(r"^(  # =+ |Outputs:)", re.MULTILINE).search(text, banner.end())
    stop = end.start() if end else len(text)
    name = new.split(":", 1)[0].strip()
    for other in re.finditer(r"^  (\w+):", text[banner.end() : stop], re.MULTILINE):
        if other.group(1) > name:
            at = banner.end() + other.start()
            return text[:at] + new + text[at:]
    body = text[banner.end() : stop].rstrip("\n")
    return text[: banner.end()] + (body + "\n" if body else "") + new + "\n" + text[stop:]


def http_event(route: template.Route) -> dict[str, Any]:
    """What API Gateway (REST, proxy) sends."""
    names = re.findall(r"{(\w+)}", route.path)
    parameters = {name: f"{PREFIXES.get(name, name[:3])}_{ULID}" for name in names}
    path = route.path.format_map(parameters)
    headers = {"Accept": "application/json", "Host": "api.bloxtr8.com", "User-Agent": "Mozilla/5.0"}
    if route.method != "GET":
        headers["Content-Type"] = "application/json"
    if not route.public:
        headers["Authorization"] = "Bearer eyJhbGciOiJIUzI1NiJ9"
    if route.method == "POST" and not route.public:
        headers["Idempotency-Key"] = "0f3b2f0a-5a55-4a39-9a57-2f5f0f5f9f11"
    return {
        "resource": route.path,
        "path": path,
        "httpMethod": route.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "bloxtr8",
            "authorizer": None if route.public else {"userId": f"usr_{ULID}", "sessionId": f"ses_{ULID}"},
            "domainName": "api.bloxtr8.com",
            "httpMethod": route.method,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "Mozilla/5.0"},
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "requestId": "8f4c7f0e-35d5-4b7c-9a55-3a4d0f1c2b3a",
            "requestTimeEpoch": 1764547200000,
            "resourcePath": route.path,
            "stage": "v1",
        },
        "body": None if route.method in {"GET", "DELETE"} else "{}",
        "isBase64Encoded": False,
    }


def main() -> None:
    """Write the block and the event; what exists already is left alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action")
    parser.add_argument("room", choices=template.ROOMS)
    parser.add_argument("does", help="what it does, as one sentence for the template's Description")
    parser.add_argument("--route", help='for example "POST /offers/{offer_id}/accept"')
    parser.add_argument("--public", action="store_true", help="no token is asked for")
    options = parser.parse_args()
    route = None
    if options.route:
        method, _, path = options.route.partition(" ")
        route = template.Route(method.upper(), path.strip(), options.public)

    text = template.PATH.read_text()
    if f"  {template.function_id(options.action)}:\n" in text:
        print(f"template.yaml has {template.function_id(options.action)} already")
    else:
        new = block(options.action, options.room, options.does, route)
        template.PATH.write_text(insert(text, options.room, new))
        print(new)
    event = template.ROOT / "events" / f"{options.action}.json"
    if event.exists():
        print(f"events/{event.name} exists already")
    else:
        event.parent.mkdir(exist_ok=True)
        event.write_text(json.dumps(http_event(route) if route else {}, indent=2) + "\n")
        print(
            f"events/{event.name}: fill in the body; then functions/{options.action}/app.py, its policies and its test"
        )


if __name__ == "__main__":
    main()
