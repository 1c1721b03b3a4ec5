"""Alchemy: `X-Alchemy-Signature` is the hex HMAC-SHA256 of the body, without a time; the key is each webhook's own.

Read of a custom webhook (GRAPHQL; its query is in the README) and of an address activity.
https://www.alchemy.com/docs/reference/notify-api-quickstart, …/custom-webhook, …/address-activity-webhook
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bloxtr8.rails.usdc.hook_logs import Log, Provider, at, items, matches, recipient


def _signed(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now: dt.datetime) -> bool:
    return matches(headers["x-alchemy-signature"], body, keys)


def _logs(payload: Any) -> Iterator[Log]:
    network = at(payload, "event", "network")
    for log in items(at(payload, "event", "data", "block", "logs")):
        yield Log(
            network=network,
            token=at(log, "account", "address"),
            to=recipient(at(log, "topics")),
            tx_hash=at(log, "transaction", "hash"),
            position=at(log, "index"),
            removed=at(log, "removed"),
        )
    for activity in items(at(payload, "event", "activity")):
        log = at(activity, "log")  # of token transfers alone
        yield Log(
            network=network,
            token=at(log, "address"),
            to=recipient(at(log, "topics")),
            tx_hash=at(log, "transactionHash"),
            position=at(log, "logIndex"),
            removed=at(log, "removed"),
        )


PROVIDER = Provider(_signed, _logs)
