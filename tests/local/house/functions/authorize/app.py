"""`Bearer <user>` is that user; `nobody` is denied by policy, anything else is refused by raising."""

from typing import Any


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    scheme, _, user = event["headers"]["Authorization"].partition(" ")
    if user == "broken":
        raise RuntimeError("the table is away")
    if scheme != "Bearer" or not user:
        raise Exception("Unauthorized")
    effect = "Deny" if user == "nobody" else "Allow"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*"}
    return {
        "principalId": user,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"userId": user},
    }
