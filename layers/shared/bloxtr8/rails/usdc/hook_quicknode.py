"""QuickNode Streams: `X-QN-Signature` is the hex HMAC-SHA256 of nonce + timestamp + body, as it was before gzip, with
the stream's security token.

What a stream sends is its filter's to say; read are logs as eth_getLogs writes them, in whatever lists, under `logs` or
`data`. The stream must send its bodies uncompressed: the gateway hands on text.
https://www.quicknode.com/guides/quicknode-products/streams/validating-incoming-streams-webhook-messages
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bloxtr8.rails.usdc.hook_logs import Log, Provider, at, items, matches, recipient, text

_DEPTH = 4  # a batch of blocks of transactions of logs


def _signed(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now: dt.datetime) -> bool:
    nonce, time = headers.get("x-qn-nonce", ""), headers.get("x-qn-timestamp", "")
    return bool(nonce and time) and matches(headers["x-qn-signature"], text(f"{nonce}{time}") + body, keys)


def _logs(payload: Any) -> Iterator[Log]:
    network = at(payload, "metadata", "network") or at(payload, "network")
    for log in _flat(at(payload, "logs") or at(payload, "data") or payload, _DEPTH):
        yield Log(
            network=network,
            token=at(log, "address"),
            to=recipient(at(log, "topics")),
            tx_hash=at(log, "transactionHash"),
            position=at(log, "logIndex"),
            removed=at(log, "removed"),
        )


def _flat(things: object, depth: int) -> Iterator[object]:
    for thing in items(things):
        if isinstance(thing, list) and depth:
            yield from _flat(thing, depth - 1)
        else:
            yield thing


PROVIDER = Provider(_signed, _logs)
