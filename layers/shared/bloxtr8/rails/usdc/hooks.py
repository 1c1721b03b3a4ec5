"""Which vaults a provider's webhook says that something came to, and whether the provider said it (rail-usdc.md,
Webhook providers).

A hint is never believed: no amount is read of it, and the chain is asked before anything is recorded. It needs no
web3, so that the receiver starts fast.

| header | provider | what is signed | |---|---|---| | X-Alchemy-Signature | Alchemy | the body | | X-Hook0-Signature |
Coinbase CDP | time and body, or time, headers and body | | X-QN-Signature | QuickNode | nonce, time and body |
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bloxtr8 import config, errors
from bloxtr8.rails.usdc import hook_alchemy, hook_coinbase, hook_quicknode
from bloxtr8.rails.usdc.hook_logs import Log, Provider

SIGNATURE = "INVALID_SIGNATURE"
LIMIT = 200  # hints of one body; a block with more is found by poll_chain
PROVIDERS: dict[str, Provider] = {
    "x-alchemy-signature": hook_alchemy.PROVIDER,
    "x-hook0-signature": hook_coinbase.PROVIDER,
    "x-qn-signature": hook_quicknode.PROVIDER,
}
NETWORKS = {"BASE_MAINNET": 8453, "BASE_SEPOLIA": 84532}  # as Alchemy writes them; the others in small letters with -
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_HASH = re.compile(r"0x[0-9a-f]{64}")
_MAX_INDEX = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A log that names a vault of ours, perhaps; all letters small."""

    chain_id: int
    tx_hash: str
    log_index: int
    vault: str
    removed: bool  # a re-org took it away again

    @property
    def event_id(self) -> str:
        """With the chain's id it is the log's name: a provider's second delivery, and a second provider's first, are
        the same event."""
        return f"{self.tx_hash}:{self.log_index}" + (":removed" if self.removed else "")


def read(raw_body: bytes, headers: Mapping[str, str], keys: Iterable[str], now: dt.datetime) -> list[Hint]:
    """The deposits of our token on our chain that a signed webhook tells of, each vault once.

    `headers` are the request's, in any case; `keys` are all that are valid now: two of one webhook while it is rolled,
    one of each webhook. Raises Unauthenticated (401) where no provider signed it, Invalid (400) where it is signed but
    no JSON, Unavailable where no key is configured.
    """
    known = [key.encode() for key in keys if key.strip()]
    if not known:
        raise errors.Unavailable("No webhook signing key is configured.")
    sent = {name.lower(): value for name, value in headers.items()}
    provider = next((found for header, found in PROVIDERS.items() if header in sent), None)
    if provider is None or not provider.signed(raw_body, sent, known, now):
        raise errors.Unauthenticated("The signature is missing, wrong or too old.", SIGNATURE)
    return _hints(provider.logs(_parse(raw_body)))


def _parse(raw_body: bytes) -> Any:
    try:
        return json.loads(raw_body.decode())
    except (ValueError, RecursionError):
        raise errors.Invalid("The body is not JSON.") from None


def _hints(logs: Iterator[Log]) -> list[Hint]:
    """What is ours of them. Of several logs of one vault the first is enough: the vault is asked for all of them."""
    settings = config.settings()
    found: dict[tuple[str, bool], Hint] = {}
    for log in logs:
        hint = _hint(log, settings.chain_id, settings.usdc_address.lower())
        if hint is not None:
            found.setdefault((hint.vault, hint.removed), hint)
    return list(found.values())[:LIMIT]


def _hint(log: Log, chain_id: int, token: str) -> Hint | None:
    """None for another chain, another token, and whatever is no log. A webhook that names no chain is of ours: its key
    is."""
    if log.network is not None and _chain(log.network) != chain_id:
        return None
    tx_hash, vault, index = _lower(log.tx_hash), _lower(log.to), _number(log.position)
    ours = _lower(log.token) == token and _ADDRESS.fullmatch(token)
    if not ours or not _ADDRESS.fullmatch(vault) or not _HASH.fullmatch(tx_hash) or index is None:
        return None
    return Hint(chain_id=chain_id, tx_hash=tx_hash, log_index=index, vault=vault, removed=log.removed is True)


def _chain(network: object) -> int | None:
    return NETWORKS.get(str(network).upper().replace("-", "_"))


def _lower(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    """A log's index: a number, or its decimal or 0x text."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,8}|[0-9]{1,10}", value):
        value = int(value, 16 if value.startswith("0x") else 10)
    return value if type(value) is int and 0 <= value < _MAX_INDEX else None
