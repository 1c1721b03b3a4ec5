"""What the command prints: for a person, and as JSON."""

from collections.abc import Iterator
from typing import Any

from bloxtr8.addresses import checksum
from bloxtr8.documents.phrases import network, unix_moment
from bloxtr8.rails.usdc import reclaiming
from bloxtr8.reclaim.node import Seen
from bloxtr8.reclaim.plan import ETHER, Plan

USDC_UNIT = 1_000_000


def as_json(plan: Plan, status: str, transaction: dict[str, str], seen: Seen | None) -> dict[str, Any]:
    """`status`: READY, UNCHECKED (no node was asked), TOO_EARLY or NOTHING_LEFT. Numbers in base units, unix seconds;
    null is what only a node knows."""
    terms, token = plan.arguments
    return {
        "status": status,
        "chainId": plan.chain_id,
        "escrowContract": plan.contract,
        "vault": plan.vault.address,
        "buyer": checksum(plan.vault.buyer),
        "token": token,
        "reclaimAfter": plan.term,
        "postponed": seen.postponed if seen else None,
        "reclaimableFrom": starts(plan, seen) if seen else None,
        "units": seen.units if seen else None,
        "function": reclaiming.FUNCTION,
        "arguments": [terms, token],
        "cast": plan.cast,
        "transaction": transaction,
    }


def starts(plan: Plan, seen: Seen) -> int:
    """From when on the contract does it."""
    return plan.postponed_term if seen.postponed else plan.term


def as_text(plan: Plan, status: str, transaction: dict[str, str], seen: Seen | None) -> str:
    """The same for a person."""
    return "\n".join([*_facts(plan, seen), "", *_verdict(plan, status, seen), "", *_ways(plan, transaction)]) + "\n"


def _facts(plan: Plan, seen: Seen | None) -> Iterator[str]:
    yield f"Network           {network(plan.chain_id)}; chain id {plan.chain_id}"
    yield f"Escrow contract   {plan.contract}"
    yield f"Deposit address   {plan.vault.address}"
    if not plan.printed:
        yield "                  No deposit address came with these terms: compare this one with the contract's."
    yield f"What comes back   {_token(plan)}" + (f", {_amount(plan, seen.units)}" if seen else ", all that is there")
    yield f"To the buyer      {checksum(plan.vault.buyer)}"
    yield f"Term              {_at(plan.term)}"
    if seen is None:
        yield f"  if postponed    {_at(plan.postponed_term)}"
    elif seen.postponed:
        yield f"  was postponed   {_at(plan.postponed_term)}"


def _verdict(plan: Plan, status: str, seen: Seen | None) -> Iterator[str]:
    if seen is None:
        yield "No node was asked (--rpc URL), so what is there, and whether the term was postponed, is not known."
        yield f"Before {_at(plan.term)} the contract refuses it."
    elif status == "NOTHING_LEFT":
        yield "There is nothing of this at the deposit address: it was paid out, sent back, or never came."
    elif status == "TOO_EARLY":
        yield f"It is too early: the contract refuses it before {_at(starts(plan, seen))}."
        if not seen.postponed:
            yield f"Until then Bloxtr8 may postpone it once, to {_at(plan.postponed_term)}."
    else:
        yield "It can be sent now, by anybody with a little ether on this network. The money goes to the buyer alone."


def _ways(plan: Plan, transaction: dict[str, str]) -> Iterator[str]:
    terms, token = plan.arguments
    yield "The transaction, for any wallet or node (nobody needs your private key for it, nor does this command):"
    yield from (f"  {name:<21}{value}" for name, value in transaction.items())
    yield ""
    yield "In a wallet: send 0 ether to the escrow contract on this network, with `data` as hex data."
    yield "In a block explorer, as a call of the contract:"
    yield f"  {reclaiming.FUNCTION}"
    yield f"  terms  [{','.join(map(str, terms))}]"
    yield f"  token  {token}"
    yield "With Foundry, which asks for the key itself (or --ledger, --trezor):"
    yield f"  {plan.cast}"


def _token(plan: Plan) -> str:
    if plan.token == ETHER:
        return "ether"
    return "the deal's token" if plan.token == plan.vault.token else f"the token {checksum(plan.token)}"


def _amount(plan: Plan, units: int) -> str:
    if plan.token == plan.vault.token:
        return f"{units // USDC_UNIT:,}.{units % USDC_UNIT:06d} ({units} base units)"
    return f"{units} base units"


def _at(seconds: int) -> str:
    return f"{unix_moment(seconds)} ({seconds})"
