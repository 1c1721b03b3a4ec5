"""Coinbase CDP: `X-Hook0-Signature: t=…,v0=…,h=…,v1=…`, hex HMAC-SHA256 with the subscription's secret, good for five
minutes.

v0 is over `{t}.{body}`, v1 over `{t}.{h}.{the headers that h names, joined by points}.{body}`; either proves who sent
it. https://docs.cdp.coinbase.com/webhooks/verify-signatures, …/webhooks/onchain-activity
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bloxtr8.rails.usdc.hook_logs import Log, Provider, at, matches, recent, text

_TIME = re.compile(r"[0-9]{1,12}")


def _signed(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now: dt.datetime) -> bool:
    parts = dict(part.split("=", 1) for part in headers["x-hook0-signature"].split(",") if "=" in part)
    time = parts.get("t", "")
    if not _TIME.fullmatch(time) or not recent(int(time), now):
        return False
    if "v0" in parts and matches(parts["v0"], f"{time}.".encode() + body, keys):
        return True
    names = parts.get("h", "")
    values = ".".join(headers.get(name.lower(), "") for name in names.split(" "))
    return "v1" in parts and matches(parts["v1"], text(f"{time}.{names}.{values}.") + body, keys)


def _logs(payload: Any) -> Iterator[Log]:
    """`onchain.activity.detected`: one decoded event, by itself or in `data`."""
    event = at(payload, "data") or payload
    if at(event, "event_name") == "Transfer":
        yield Log(
            network=at(event, "network"),
            token=at(event, "contract_address"),
            to=at(event, "parameters", "to"),
            tx_hash=at(event, "transaction_hash"),
            position=at(event, "log_index"),
            removed=at(event, "removed"),
        )


PROVIDER = Provider(_signed, _logs)
