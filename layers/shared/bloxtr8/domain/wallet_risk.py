"""What a wallet's screening lets happen (D15, D32; rail-usdc.md, Wallet risk). It fails closed: UNKNOWN is never LOW.

A screening is kept as evidence, `{"risk", "source", "version", "at"}`, on the profile, the deposit or the leg.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.wallets import Risk, is_fresh
from bloxtr8.entities import Account, Deposit, Leg, Side, StablecoinEscrow, User
from bloxtr8.errors import Unprocessable, UpstreamFailed


class Verdict(StrEnum):
    """What becomes of money, by the wallet it comes from or goes to."""

    CLEAN = "CLEAN"
    RETURN = "RETURN"  # it goes back to the buyer
    REVIEW = "REVIEW"  # hold RISK_REVIEW: a person decides
    SANCTIONS = "SANCTIONS"  # hold SANCTIONS: nothing moves without compliance
    WAIT = "WAIT"  # nobody knows: asked again


def risk(evidence: Mapping[str, Any] | None) -> Risk:
    """The risk a screening found; UNKNOWN where there was none."""
    return Risk((evidence or {}).get("risk", Risk.UNKNOWN))


# --- accept


def check_linked(*users: User) -> None:
    """Raises Unprocessable WALLET_REQUIRED, naming whose wallet is missing."""
    for user in users:
        if user.wallet is None:
            raise Unprocessable("Both sides need a proven wallet for this.", "WALLET_REQUIRED", userId=user.id)


def check_clean(user: User, now: dt.datetime) -> None:
    """Only a wallet screened as LOW, and lately, starts a deal.

    Raises Unprocessable WALLET_SANCTIONED or WALLET_RISK, naming whose, and UpstreamFailed where nobody knows.
    """
    found = risk(user.wallet_screening) if is_fresh(user.wallet_screening, now) else Risk.UNKNOWN
    if found == Risk.UNKNOWN:
        raise UpstreamFailed("A wallet can't be screened at the moment. Please try again.")
    if found != Risk.LOW:
        code = "WALLET_SANCTIONED" if found == Risk.SANCTIONED else "WALLET_RISK"
        raise Unprocessable("A wallet can't be used for this deal.", code, userId=user.id)


# --- deposits


def of_sender(deposit: Deposit, buyer: str) -> Verdict:
    """D15: by the sender's risk, and whether it is the buyer's own wallet. What a person cleared is clean."""
    found = risk(deposit.screening)
    if deposit.cleared or deposit.sender is None or found == Risk.LOW:
        return Verdict.CLEAN
    if found == Risk.SANCTIONED:
        return Verdict.SANCTIONS
    if found == Risk.HIGH and deposit.sender == buyer:
        return Verdict.RETURN
    return Verdict.WAIT if found == Risk.UNKNOWN else Verdict.REVIEW


def of_senders(file: EscrowFile, *, late: bool) -> dict[Verdict, list[Deposit]]:
    """The deposits that came in time, or those that came late, by what becomes of them."""
    found: dict[Verdict, list[Deposit]] = {}
    if isinstance(file.rail, StablecoinEscrow):
        for deposit in file.deposits:
            if deposit.late is late:
                found.setdefault(of_sender(deposit, file.rail.terms["buyer"]), []).append(deposit)
    return found


def unscreened(deposits: Iterable[Deposit]) -> list[Deposit]:
    """Those whose sender nobody has told about yet."""
    return [row for row in deposits if row.sender and not row.cleared and risk(row.screening) == Risk.UNKNOWN]


# --- payouts


def of_payout(file: EscrowFile, leg: Leg, evidence: Mapping[str, Any] | None) -> Verdict:
    """Whether a leg may be sent to its wallet now. D32: one that is SANCTIONED holds SANCTIONS, a seller's that is HIGH
    holds RISK_REVIEW; to a buyer's that is HIGH his own money goes back (D15). Late money that goes back was looked at
    by nobody yet, so its senders count too.

    What stopped this leg before is for a person, who let it go on: it does not stop it again.
    """
    found = {_of_payee(leg, evidence)}
    if leg.source_account is Account.SURPLUS:
        found |= set(of_senders(file, late=True))
    for verdict in (Verdict.WAIT, Verdict.SANCTIONS, Verdict.REVIEW):
        if verdict in found and verdict != (leg.screening or {}).get("stopped"):
            return verdict
    return Verdict.CLEAN


def _of_payee(leg: Leg, evidence: Mapping[str, Any] | None) -> Verdict:
    found = risk(evidence)
    if found in {Risk.SANCTIONED, Risk.UNKNOWN}:
        return Verdict.SANCTIONS if found == Risk.SANCTIONED else Verdict.WAIT
    return Verdict.REVIEW if found == Risk.HIGH and leg.pays is Side.SELLER else Verdict.CLEAN
