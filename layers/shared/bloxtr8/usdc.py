"""`rails.get("USDC_BASE")`: the rail on chain, with the node, the signer and the table it works with.

Rails lie below the table; this module lies above it and puts the two together. A process keeps one node and one signer.
"""

import functools

from bloxtr8 import aws, chain_book, config
from bloxtr8.entities import ChainTx
from bloxtr8.errors import Unavailable
from bloxtr8.rails.base import RailBug
from bloxtr8.rails.usdc.chain import Chain, Tag
from bloxtr8.rails.usdc.rail import UsdcRail
from bloxtr8.rails.usdc.sending import Sender
from bloxtr8.rails.usdc.signer import KmsSigner

TAGS: dict[str, Tag] = {"finalized": "finalized", "safe": "safe", "latest": "latest"}
LOCAL = "local"


def rail() -> UsdcRail:
    """As configured. Raises RailBug where this deployment may not use the chain, or something is not configured."""
    settings = config.settings()
    if not settings.escrow_contract or not settings.usdc_address:
        raise RailBug("no contract is configured for the chain")
    return UsdcRail(
        _chain(),
        sender(),
        contracts=config.escrow_contracts(),
        token=settings.usdc_address,
        finality=_tag(settings.chain_finality),
        payout_finality=_tag(settings.payout_finality),
    )


def sender() -> Sender:
    settings = config.settings()
    return Sender(_chain(), _signer(settings.signer_key_id), chain_book.ChainBook(), _tag(settings.payout_finality))


def watch(row: ChainTx) -> None:
    """What watch_chain_txs does for a ChainTx that is due. Raises RailThrottled and RailOutcomeUnknown: the next run
    tries again."""
    sender().watch(chain_book.read(row))


def _chain() -> Chain:
    try:
        return _node(config.rpc_url(), config.chain_id())
    except Unavailable as refused:
        raise RailBug(refused.detail) from None


@functools.lru_cache(maxsize=2)
def _node(url: str, chain_id: int) -> Chain:
    return Chain(url, chain_id)


@functools.lru_cache(maxsize=2)
def _signer(key_id: str) -> KmsSigner:
    return KmsSigner(aws.client("kms"), key_id)


def _tag(name: str) -> Tag:
    """RailBug for any other word: `pending` is never final, and `latest` only where nothing is real."""
    if name not in TAGS or (name == "latest" and config.settings().stage != LOCAL):
        raise RailBug(f"{name} is no finality here")
    return TAGS[name]
