"""What an escrow on chain is bound to: the terms its deposit address commits to, and how its units become cents.

Addresses are lower-case `0x…`; one cent is 10,000 base units of USDC (rail-usdc.md).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bloxtr8 import addresses, config, money
from bloxtr8.entities import Currency, Escrow, RailName, StablecoinEscrow
from bloxtr8.errors import InvalidState, Unavailable, Unprocessable

POSTPONE_BEFORE = dt.timedelta(days=30)  # the term, while money is held
LEFT_FOR_DISPUTES = dt.timedelta(days=60)  # between the last window and the term, or the money is not held at all


def rail_of(amount: int, currency: Currency) -> RailName:
    """USDC goes over Base at any amount; so do dollars above what a card may pay, at 1:1 (D5)."""
    by_card = currency is Currency.USD and amount <= config.settings().card_limit_cents
    return RailName.STRIPE if by_card else RailName.USDC_BASE


def check_offered(amount: int) -> None:
    """Whether this deployment takes that much over Base: on an allowed chain, up to its cap of one escrow (D25).

    Raises Unprocessable NOT_AVAILABLE_YET or AMOUNT_ABOVE_CAP, and Unavailable where an address of
    the deployment is none, or has a wrong checksum: what is sent there is gone.
    """
    settings = config.settings()
    if not is_open():
        raise Unprocessable(
            "This can't be paid in USDC here yet, nor by card.", "NOT_AVAILABLE_YET", limit=settings.card_limit_cents
        )
    if money.gross(amount, settings.buyer_fee_bps) > settings.usdc_cap_cents:
        raise Unprocessable("One escrow holds no more in USDC.", "AMOUNT_ABOVE_CAP", limit=settings.usdc_cap_cents)


def is_open() -> bool:
    """Whether everything of the rail is configured, and its chain is one that this deployment may use. Raises
    Unavailable as `check_offered`."""
    settings = config.settings()
    configured = {"UsdcAddress": settings.usdc_address, "EscrowContract": settings.escrow_contract}
    configured["FeeAddress"] = settings.fee_address
    for name, address in configured.items():
        _check_address(name, address)
    return config.may_use_chain() and all(configured.values())


def _check_address(name: str, address: str) -> None:
    try:
        if address:
            addresses.parse(address)
    except ValueError as error:
        raise Unavailable(f"USDC is not set up here: {name} {error}.") from error


def terms(
    escrow_id: str, *, buyer: str, seller: str, gross: int, max_fee_bps: int, windows: Mapping[str, int],
    accepted_at: dt.datetime, parts: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """`contract.terms["vault"]`, frozen at accept: the deposit address is a hash of it.

    `windows` are the contract's, in seconds; to deliver and to inspect there is one for each of the `parts` of the
    price. After all of them, and `reclaim_seconds` more, anyone may send what is left back to the buyer.
    """
    settings = config.settings()
    more = (parts - 1) * (windows["deliverSeconds"] + windows["inspectSeconds"])
    term = accepted_at + dt.timedelta(seconds=sum(windows.values()) + more + settings.reclaim_seconds)
    return {
        "chainId": settings.chain_id,
        "escrowContract": settings.escrow_contract.lower(),
        "escrowId": addresses.escrow_key(escrow_id),
        "token": settings.usdc_address.lower(),
        "buyer": buyer.lower(),
        "seller": seller.lower(),
        "feeReceiver": settings.fee_address.lower(),
        "amount": money.units_of(gross),
        "reclaimAfter": int(term.timestamp()),
        "maxFeeBps": max_fee_bps,
    }


def postpone_at(terms: Mapping[str, Any]) -> dt.datetime:
    """When money that is still held has the term postponed."""
    return dt.datetime.fromtimestamp(terms["reclaimAfter"], dt.UTC) - POSTPONE_BEFORE


def leaves_room(terms: Mapping[str, Any], over: dt.datetime) -> bool:
    """Whether deliveries that are over at that moment are so well before the buyer could take his money back alone:
    else a payment that was delayed for months would let him keep both."""
    return (over + LEFT_FOR_DISPUTES).timestamp() <= int(terms["reclaimAfter"])


def last_term(rail: StablecoinEscrow, now: dt.datetime) -> dt.datetime:
    """From when on the buyer can take his money back alone, if the term is postponed while that is still possible."""
    term = dt.datetime.fromtimestamp(rail.terms["reclaimAfter"], dt.UTC)
    postponed = rail.postponed or now < term
    return term + dt.timedelta(seconds=addresses.POSTPONEMENT_SECONDS * postponed)


def counted(escrow: Escrow, rail: StablecoinEscrow) -> int:
    """What has arrived towards the price, in base units; what was set aside is not."""
    return rail.units - money.units_of(escrow.quarantined)


def missing(escrow: Escrow, rail: StablecoinEscrow) -> int:
    """What is still to come, in base units."""
    return max(0, int(rail.terms["amount"]) - counted(escrow, rail))


def already_paid() -> InvalidState:
    """Nobody is asked to pay twice."""
    return InvalidState("Everything has arrived. There is nothing left to pay.", "ALREADY_PAID")
