"""Webhooks as the providers of the chain send them: their payloads and their signatures."""

import hmac
import json
from typing import Any

from bloxtr8 import table
from bloxtr8.entities import WebhookEvent
from tests import emulator
from tests.emulator import Answer, Platform

KEY: str = emulator.SECRETS["chain"]["webhookSigningKeys"][0]
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
USDBC = "0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA"
VAULT = "0x" + "5a" * 20
SENDER = "0x" + "b0" * 20
TX = "0x" + "7c" * 32


def topics(to: str, sender: str = SENDER) -> list[str]:
    """Of a transfer."""
    return [TRANSFER, *("0x" + address.removeprefix("0x").rjust(64, "0") for address in (sender, to))]


def log(to: str = VAULT, *, token: str = USDC, tx: str = TX, index: int | None = 5, **more: Any) -> dict[str, Any]:
    """A log of a custom webhook, as its query asks for it."""
    return {
        "account": {"address": token},
        "topics": topics(to),
        "data": "0x" + f"{10**9:064x}",
        "index": index,
        "transaction": {"hash": tx},
    } | more


def custom(*logs: Any, network: str | None = "BASE_SEPOLIA") -> dict[str, Any]:
    """Alchemy's custom webhook for one block."""
    event = {"data": {"block": {"hash": "0x" + "d9" * 32, "number": 12, "logs": list(logs)}}, "sequenceNumber": "1"}
    return {
        "webhookId": "wh_a55wfsvq5h8n8u3z",
        "id": "whevt_rsdblc6zxi8a6ntl",
        "createdAt": "2026-11-23T12:00:00.000Z",
        "type": "GRAPHQL",
        "event": event | ({"network": network} if network else {}),
    }


def activity(to: str = VAULT, *, token: str = USDC, removed: bool = False, network: str = "BASE_SEPOLIA") -> Any:
    """Alchemy's address activity: a transfer of a token, and one of ether, which has no log."""
    ether = {"fromAddress": SENDER, "toAddress": to, "hash": TX, "value": 1.5, "asset": "ETH", "category": "external"}
    usdc = ether | {
        "value": 1000,
        "asset": "USDC",
        "category": "token",
        "rawContract": {"rawValue": "0x3b9aca00", "address": token, "decimals": 6},
        "log": {
            "address": token,
            "topics": topics(to),
            "data": "0x" + f"{10**9:064x}",
            "transactionHash": TX,
            "logIndex": "0x5",
            "removed": removed,
        },
    }
    return {
        "webhookId": "wh_octjglnywaupz6th",
        "id": "whevt_ogrc5v64myey69ux",
        "createdAt": "2026-11-23T12:00:00.000Z",
        "type": "ADDRESS_ACTIVITY",
        "event": {"network": network, "activity": [ether, usdc]},
    }


def coinbase(to: str = VAULT, *, token: str = USDC, network: str = "base-sepolia") -> dict[str, Any]:
    """Coinbase's onchain.activity.detected."""
    return {
        "block_number": 12,
        "contract_address": token,
        "event_name": "Transfer",
        "event_signature": "Transfer(address,address,uint256)",
        "log_index": 5,
        "network": network,
        "parameters": {"from": SENDER, "to": to, "value": "1000000000"},
        "transaction_hash": TX,
    }


def quicknode(to: str = VAULT, *, token: str = USDC, network: str = "base-sepolia") -> dict[str, Any]:
    """A stream of QuickNode: logs of blocks, with its metadata."""
    found = {"address": token, "topics": topics(to), "transactionHash": TX, "logIndex": "0x5", "removed": False}
    return {"data": [[found]], "metadata": {"network": network, "dataset": "logs"}}


def raw(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


def mac(message: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), message, "sha256").hexdigest()


def alchemy_signed(body: bytes, key: str = KEY) -> dict[str, str]:
    return {"X-Alchemy-Signature": mac(body, key)}


def coinbase_signed(aws: Platform, body: bytes, key: str = KEY, *, age: int = 0) -> dict[str, str]:
    """With both schemes; they are told apart by the test."""
    at, names = int(aws.clock.moment.timestamp()) - age, "content-type x-event-id"
    v1 = mac(f"{at}.{names}.application/json.e-1.".encode() + body, key)
    return {
        "X-Event-Id": "e-1",
        "X-Hook0-Signature": f"t={at},v0={mac(f'{at}.'.encode() + body, key)},h={names},v1={v1}",
    }


def quicknode_signed(body: bytes, key: str = KEY) -> dict[str, str]:
    return {
        "X-QN-Nonce": "n-1",
        "X-QN-Timestamp": "1795000000",
        "X-QN-Signature": mac(b"n-11795000000" + body, key),
    }


def deliver(aws: Platform, payload: Any, *, coded: bool = True, headers: dict[str, str] | None = None) -> Answer:
    """Send a payload, or exactly these bytes, signed as Alchemy does unless `headers` say otherwise."""
    body = raw(payload)
    sent = body if coded else body.decode()
    return aws.call("receive_chain_event", raw=sent, headers=alchemy_signed(body) if headers is None else headers)


def events() -> list[WebhookEvent]:
    """What is stored and not yet processed."""
    return table.due(WebhookEvent, "QUEUE#WEBHOOK")
