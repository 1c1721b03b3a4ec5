"""The authorizer of every route that is not public: who is calling? It proves user and session only (D23)."""

from typing import Any

from bloxtr8 import sessions
from bloxtr8.errors import Unauthenticated


def authorize_request(event: dict[str, Any]) -> dict[str, Any]:
    """A policy for the whole stage, with `{userId, sessionId}`: the next route may be any other (caching is safe).

    Raises Exception("Unauthorized"), which the gateway answers with 401; an outage stays an error of ours (500).
    """
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    try:
        session = sessions.authenticate(headers.get("authorization", ""))
    except Unauthenticated:
        raise Exception("Unauthorized") from None  # this very text: the gateway knows no class
    api, stage = event["methodArn"].split("/")[:2]
    return {
        "principalId": session.user_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}],
        },
        "context": {"userId": session.user_id, "sessionId": session.id},
    }


def lambda_handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    return authorize_request(event)
